"""Answers of both forms, spoiled in every way: a wrong one is an error, and never another read's answer."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.nodes.calls import LEAST_ITEMS, MAX_ITEMS, CallWay, Chunk, multicall_way, override_way
from keeper.chain.nodes.json_text import write
from keeper.chain.nodes.sight import Sight
from keeper.core.chain import Read
from keeper.core.errors import TransientError
from tests.builders import CHAIN, address
from tests.unit.chain.fake_node import RUNTIME, hash32, words

SIGHT = words(7, 6, CHAIN, 1_700_000_000)
SEEN = Sight(7, hash32(6), CHAIN, 1_700_000_000)

answer_lists = st.lists(
    st.one_of(st.none(), st.just(bytes(32)), st.just(words(5)), st.binary(max_size=70)), min_size=1, max_size=8
)


def packed(answers: list[bytes | None]) -> bytes:
    items = [(b"\2" if a is None else b"\1") + len(a or b"").to_bytes(3, "big") + (a or b"") for a in answers]
    return SIGHT + words(len(answers)) + b"".join(items)


def aggregated(answers: list[bytes | None]) -> bytes:
    told = [(True, SIGHT[at : at + 32]) for at in range(0, 128, 32)]
    return bytes(encode(["(bool,bytes)[]"], [[*told, *((a is not None, a or b"") for a in answers)]]))


@dataclass(frozen=True)
class Kind:
    make: type
    way: CallWay

    def output(self, answers: list[bytes | None]) -> bytes:
        return packed(answers) if self.way.form.sight == 1 else aggregated(answers)

    def chunk(self, count: int) -> Chunk:
        return self.way.chunk(tuple(Read(address(at + 1), b"") for at in range(count)))


KINDS = [Kind(CallWay, override_way(RUNTIME)), Kind(CallWay, multicall_way())]


def hexed(output: bytes) -> str:
    return "0x" + output.hex()


@pytest.mark.parametrize("kind", KINDS, ids=["packed", "multicall"])
@given(st.lists(answer_lists, min_size=1, max_size=4))
def test_decode__answer_after_answer__along_a_known_shape_or_not_is_the_same(
    kind: Kind, ticks: list[list[bytes | None]]
) -> None:
    """Each tick's list is cut to the first one's length, so that all are of the same reads."""
    size = min(map(len, ticks))
    chunk = kind.chunk(size)
    for answers in [*ticks, *ticks]:
        assert kind.way.decode(chunk, hexed(kind.output(answers[:size]))) == (SEEN, answers[:size])


@pytest.mark.fault("R10")
@pytest.mark.parametrize("kind", KINDS, ids=["packed", "multicall"])
@given(st.data())
def test_decode__of_a_spoiled_answer__is_an_error_or_moves_no_other_answer(kind: Kind, data: st.DataObject) -> None:
    answers = data.draw(answer_lists)
    output, chunk = kind.output(answers), kind.chunk(len(answers))
    if data.draw(st.booleans(), label="a shape is known"):
        kind.way.decode(chunk, hexed(output))
    at = data.draw(st.integers(0, len(output) - 1))
    other = data.draw(st.binary(max_size=40))
    kept = data.draw(st.sampled_from([at, at + 1, at + len(other)]))
    spoiled = output[:at] + other + output[kept:]
    try:
        sight, found = kind.way.decode(chunk, hexed(spoiled))
    except TransientError:
        return
    assert len(found) == len(answers)
    wrong = [index for index, answer in enumerate(found) if answer != answers[index]]
    if len(spoiled) != len(output):
        # A length with just as many bytes as it now tells of: no form shows that, and whoever reads this one will.
        assert len(wrong) == 1 and len(found[wrong[0]] or b"") != len(answers[wrong[0]] or b"")
    elif wrong:
        # Bytes were only exchanged, at one place: whatever does not overlap with it is as it was.
        assert sum(len(answers[index] or b"") for index in wrong[1:-1]) <= len(other)
        assert [len(answer or b"") for answer in found] == [len(answer or b"") for answer in answers]
    elif spoiled != output:
        assert sight != SEEN or kind.way.form.sight == 4 or found == answers


@pytest.mark.fault("R10")
@pytest.mark.parametrize("kind", KINDS, ids=["packed", "multicall"])
def test_decode__of_any_single_byte_changed__never_shifts_an_answer(kind: Kind) -> None:
    answers: list[bytes | None] = [words(1), None, bytes(32), b"", words(1 << 200)]
    output, chunk = kind.output(answers), kind.chunk(len(answers))
    for at in range(len(output)):
        for byte in {0, 1, 33, 64, 255} - {output[at]}:
            chunk.shape = None
            try:
                _, found = kind.way.decode(chunk, hexed(output[:at] + bytes([byte]) + output[at + 1 :]))
            except TransientError:
                continue
            assert sum(one != other for one, other in zip(found, answers, strict=True)) <= 1, (at, byte)


@pytest.mark.fault("R10")
@pytest.mark.parametrize("kind", KINDS, ids=["packed", "multicall"])
def test_decode__cut_at_any_byte__is_refused(kind: Kind) -> None:
    output = kind.output([words(1), None, b"ab"])
    for end in range(len(output)):
        with pytest.raises(TransientError):
            kind.way.decode(kind.chunk(3), hexed(output[:end]))


@pytest.mark.parametrize("said", [None, 1, "", "0", "0x0", "0xzz", "0x 0", [], "0x"])
def test_decode__of_what_is_no_bytes__is_refused(said: object) -> None:
    for kind in KINDS:
        with pytest.raises(TransientError):
            kind.way.decode(kind.chunk(1), said)


@pytest.mark.parametrize("at", ["latest", {"blockHash": hash32(5)}])
def test_request__as_text__is_what_its_values_say(at: str | dict[str, str]) -> None:
    for kind in KINDS:
        method, params = kind.way.request(kind.chunk(2), at)
        written = b"".join(write([{"method": method, "params": params}]))
        assert written == b"".join(write([{"method": method, "params": list(params)}]))


def test_short__of_gas_again_and_again__never_asks_for_less_than_a_hundred() -> None:
    way = override_way(RUNTIME)
    seen = []
    for _ in range(8):
        way.ran_short(3)
        seen.append(way.most)
    assert seen == [MAX_ITEMS // 2, MAX_ITEMS // 4, MAX_ITEMS // 8, 125, LEAST_ITEMS, 100, 100, 100]
