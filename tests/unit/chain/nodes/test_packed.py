import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.nodes.packed import decode_found, encode_reads
from keeper.chain.nodes.sight import MAX_ANSWER, Sight, native_balance
from keeper.core.chain import Read
from keeper.core.errors import TransientError
from tests.builders import ACCOUNT, CHAIN, address
from tests.unit.chain.fake_node import hash32, words

SIGHT = words(7, 6, CHAIN, 1_700_000_000)
ONE = [Read(ACCOUNT, b"")]


def test_encode__a_read_and_a_native_balance__is_target_length_calldata() -> None:
    read = Read(address(0xABCD), b"\x01\x02")
    assert encode_reads([read, native_balance(ACCOUNT)]).hex() == (
        "000000000000000000000000000000000000abcd" + "000002" + "0102" + "00" * 20 + "000014" + ACCOUNT[2:].lower()
    )


@given(st.lists(st.one_of(st.none(), st.binary(max_size=300)), max_size=20))
def test_decode__any_answers__gives_them_back(answers: list[bytes | None]) -> None:
    reads = [Read(address(i + 1), b"") for i in range(len(answers))]
    items = [(b"\2" if a is None else b"\1") + len(a or b"").to_bytes(3, "big") + (a or b"") for a in answers]
    sight, found = decode_found(SIGHT + words(len(answers)) + b"".join(items), reads)
    assert sight == Sight(7, hash32(6), CHAIN, 1_700_000_000)
    assert [found[read] for read in reads] == answers


@pytest.mark.fault("R10")
@pytest.mark.parametrize("cut", [1, 4, 6, 33, 99, 165])
def test_decode__cut_short__is_refused(cut: int) -> None:
    output = SIGHT + words(1) + b"\1\0\0\2ab"
    with pytest.raises(TransientError, match="packed answer"):
        decode_found(output[:-cut], ONE)


@pytest.mark.fault("R10")
@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (words(1) + b"\1\0\0\2ab\0", "expected 166 bytes, found 167"),
        (words(0), "expected 1 answers, found 0"),
        (words(2) + b"\1\0\0\0" * 2, "expected at most 1 answers, found 2"),
        (words(1 << 200), "expected at most 1 answers"),
        (words(1), "expected an answer, found the end"),
        (words(1) + b"\2\0\0\2ab", "expected an answer, found 02000002"),
        (words(1) + b"\0\0\0\0", "expected an answer, found 00000000"),
        (words(1) + b"\1\0\0\3ab", "expected 167 bytes, found 166"),
        (words(1) + b"\1\xff\xff\xffab", "expected an answer, found 01ffffff"),
        (words(1) + b"\1" + (MAX_ANSWER + 1).to_bytes(3, "big") + bytes(MAX_ANSWER + 1), "expected an answer"),
    ],
)
def test_decode__lengths_or_counts_that_lie__are_refused(output: bytes, reason: str) -> None:
    with pytest.raises(TransientError, match=reason):
        decode_found(SIGHT + output, ONE)
