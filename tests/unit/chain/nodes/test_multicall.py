"""Against eth_abi, which writes and reads the same form in general."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.nodes.multicall import MULTICALL3, SIGHT, encode_aggregate, lay_out_aggregate
from keeper.chain.nodes.sight import MAX_ANSWER, native_balance
from keeper.core.abi import calldata, selector
from keeper.core.chain import Read
from keeper.core.errors import TransientError
from tests.builders import ACCOUNT, address
from tests.unit.chain.fake_node import words

RESULTS = "(bool,bytes)[]"
TOLD = [(True, words(figure)) for figure in (7, 6, 1, 1_700_000_000)]


def results(*answers: tuple[bool, bytes]) -> bytes:
    return bytes(encode([RESULTS], [[*TOLD, *answers]]))


@given(st.lists(st.binary(max_size=100), max_size=12))
def test_encode__any_reads__is_what_eth_abi_makes_of_them(datas: list[bytes]) -> None:
    reads = [native_balance(ACCOUNT), *(Read(address(i + 1), data) for i, data in enumerate(datas))]
    expected = [
        *((MULTICALL3, True, calldata(name)) for name in SIGHT),
        (MULTICALL3, True, calldata("getEthBalance(address)", ACCOUNT)),
        *((read.to, True, read.data) for read in reads[1:]),
    ]
    whole = selector("aggregate3((address,bool,bytes)[])") + encode(["(address,bool,bytes)[]"], [expected])
    assert encode_aggregate(reads) == whole


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=100)), max_size=12))
def test_lay_out__any_answers__finds_them(answers: list[tuple[bool, bytes]]) -> None:
    output = results(*answers)
    layout = lay_out_aggregate(output, len(answers))
    assert [output[start:end] for start, end in layout.spans] == [data for _, data in (*TOLD, *answers)]
    assert [at - len(SIGHT) for at in layout.failed] == [at for at, (success, _) in enumerate(answers) if not success]


def test_lay_out__an_answer_of_more_than_16_kib__is_a_failure() -> None:
    output = results((True, b"x" * MAX_ANSWER), (True, b"x" * (MAX_ANSWER + 1)))
    assert lay_out_aggregate(output, 2).failed == [len(SIGHT) + 1]


def changed(at: int, figure: int) -> bytes:
    """A word of an honest answer to one read, replaced."""
    output = bytearray(results((True, b"ab")))
    output[32 * at : 32 * at + 32] = words(figure)
    return bytes(output)


FIRST = 2 + 5
"""Words before the first answer: where the list is, how many there are, and where each of five is."""


@pytest.mark.fault("R10")
@pytest.mark.parametrize(
    "output",
    [
        b"",
        results((True, b"ab"))[:-1],
        results((True, b"ab")) + b"\0",
        results(),
        results((True, b"ab"), (True, b"ab")),
        changed(0, 64),
        changed(1, 6),
        changed(2, 192),
        changed(6, 1 << 255),
        changed(FIRST, 2),
        changed(FIRST, 0),
        changed(FIRST + 1, 96),
        changed(FIRST + 2, 64),
        changed(FIRST + 18, 1 << 100),
        changed(FIRST + 18, 33),
        changed(FIRST + 18, 0),
    ],
)
def test_lay_out__another_form_or_lengths_that_lie__is_refused(output: bytes) -> None:
    with pytest.raises(TransientError, match="multicall"):
        lay_out_aggregate(output, 1)
