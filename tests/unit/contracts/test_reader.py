from __future__ import annotations

import pytest

from keeper.chain.nodes.calls import READER
from keeper.chain.nodes.packed import decode_found, encode_reads
from keeper.chain.nodes.sight import native_balance
from keeper.core.abi import calldata
from keeper.core.chain import Read
from keeper.core.units import Address
from keeper.local.evm import Override, Ran
from tests.unit.local.in_memory import OTHER, WHO, Box, runtime

ECHO = Address("0x0000000000000000000000000000000000000004")
"""The identity precompile answers with what it was asked."""
BURNER = Address("0x00000000000000000000000000000000000000fE")
BURN = Override(code=bytes.fromhex("fe"))


def ask(box: Box, data: bytes, extra: dict[str, Override] | None = None) -> Ran:
    return box.call(READER, data, changes={READER: Override(code=runtime("reader")), **(extra or {})})


def test_header__when_nothing_is_asked__then_tells_the_block_it_ran_in() -> None:
    box = Box()
    box.evm.mine()
    box.evm.mine()

    sight, found = decode_found(ask(box, b"").output, [])

    head = box.evm.head
    assert (sight.number, sight.parent_hash, sight.chain_id) == (2, "0x" + head.header.parent_hash.hex(), 31_337)
    assert found == {}


def test_items__when_mixed__then_each_answers_in_order_and_fails_alone() -> None:
    box = Box()
    token = box.token("T", 18)
    box.send(token, "mint(address,uint256)", OTHER, 77)
    reads = [
        native_balance(WHO),
        Read(token, calldata("balanceOf(address)", OTHER)),
        Read(token, calldata("nothing()")),
        Read(BURNER, b"burn"),
        Read(ECHO, b"odd length"),
        Read(OTHER, b"no code here"),
        Read(token, calldata("decimals()")),
    ]

    ran = ask(box, encode_reads(reads), {BURNER: BURN})

    _, found = decode_found(ran.output, reads)
    balance = box.evm.state_at(box.evm.head).get_balance(bytes.fromhex(WHO[2:]))
    assert list(found.values()) == [
        balance.to_bytes(32, "big"),
        (77).to_bytes(32, "big"),
        None,
        None,
        b"odd length",
        b"",
        (18).to_bytes(32, "big"),
    ]


def test_gas__when_eight_items_burn_all_they_get__then_the_last_is_still_read() -> None:
    reads = [Read(BURNER, bytes([i])) for i in range(8)] + [Read(ECHO, b"still here")]

    ran = ask(Box(), encode_reads(reads), {BURNER: BURN})

    assert decode_found(ran.output, reads)[1][reads[-1]] == b"still here"


@pytest.mark.parametrize(("size", "answers"), [(16_384, True), (16_385, False)])
def test_answer__when_above_16_kib__then_counts_as_failure_without_data(size: int, answers: bool) -> None:
    reads = [Read(ECHO, b"x" * size), Read(ECHO, b"next")]

    _, found = decode_found(ask(Box(), encode_reads(reads)).output, reads)

    assert found[reads[0]] == (b"x" * size if answers else None)
    assert found[reads[1]] == b"next"


def test_input__when_an_item_is_cut_short__then_the_whole_call_reverts() -> None:
    ran = ask(Box(), encode_reads([Read(ECHO, b"whole")])[:-1])

    assert ran.reverted


def test_items__when_a_target_would_change_state__then_it_fails() -> None:
    box = Box()
    weth = box.deploy("demo_weth", ["address"], WHO)
    reads = [Read(weth, calldata("approve(address,uint256)", OTHER, 1))]

    assert decode_found(ask(box, encode_reads(reads)).output, reads)[1] == {reads[0]: None}
