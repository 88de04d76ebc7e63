from __future__ import annotations

from typing import Any

import pytest

from keeper.local.evm import Evm, Override
from keeper.local.node_error import BAD_PARAMS, NodeError
from keeper.local.parsing import block_at, look_up, parse_ask, parse_bytes, parse_overrides, parse_quantity
from tests.unit.local.in_memory import GWEI, OTHER, START, WHO, account


@pytest.fixture
def evm() -> Evm:
    made = Evm(1, {}, timestamp=START, base_fee=GWEI)
    made.mine()
    made.mine()
    return made


@pytest.mark.parametrize(
    ("tag", "number"),
    [
        ("latest", 2), ("safe", 2), ("finalized", 2), ("pending", 2), ("earliest", 0), ("0x1", 1),
        ({"blockNumber": "0x1"}, 1), ("0x3", None), ({"blockHash": "0x" + "00" * 32}, None),
    ],
)  # fmt: skip
def test_look_up__when_tagged__then_finds_the_block_or_none(evm: Evm, tag: Any, number: int | None) -> None:
    found = look_up(evm, tag)

    assert (found.number if found else None) == number


def test_look_up__when_by_hash__then_finds_it_in_either_form(evm: Evm) -> None:
    middle = evm.blocks[1]

    assert look_up(evm, "0x" + middle.hash.hex()) is middle
    assert block_at(evm, {"blockHash": "0x" + middle.hash.hex()}) is middle


def test_block_at__when_unknown__then_says_so_as_a_node(evm: Evm) -> None:
    with pytest.raises(NodeError, match="header not found"):
        block_at(evm, "0x9")


@pytest.mark.parametrize("value", ["1", "0x", "0xzz", 5, None, {}])
def test_quantity__when_not_hex__then_bad_params(value: Any) -> None:
    with pytest.raises(NodeError) as caught:
        parse_quantity(value)
    assert caught.value.code == BAD_PARAMS


@pytest.mark.parametrize("value", ["ff", "0xf", "0xgg", 1, None])
def test_bytes__when_not_hex__then_bad_params(value: Any) -> None:
    with pytest.raises(NodeError):
        parse_bytes(value)


def test_ask__when_fields_are_missing__then_nobody_sends_nothing() -> None:
    ask = parse_ask({"to": OTHER})

    assert (ask.sender, ask.data, ask.value, ask.gas) == (b"\x00" * 20, b"", 0, 30_000_000)


def test_ask__when_both_input_and_data_are_there__then_input_counts() -> None:
    assert parse_ask({"input": "0x01", "data": "0x02"}).data == b"\x01"
    assert parse_ask({"input": "0x01"}).to is None


def test_overrides__when_all_kinds_are_given__then_each_is_kept_apart() -> None:
    slot, value = "0x" + "00" * 31 + "01", "0x" + "00" * 31 + "09"

    found = parse_overrides({WHO: {"code": "0xfe", "stateDiff": {slot: value}}, OTHER: {"state": {}, "balance": "0x2"}})

    assert found[account(WHO)] == Override(code=b"\xfe", diff={1: 9})
    assert found[account(OTHER)] == Override(balance=2, state={})


@pytest.mark.parametrize("changes", [[], {WHO: 3}, {WHO: {"storage": {}}}, {"0x12": {}}])
def test_overrides__when_malformed__then_refused_rather_than_ignored(changes: Any) -> None:
    with pytest.raises(NodeError):
        parse_overrides(changes)
