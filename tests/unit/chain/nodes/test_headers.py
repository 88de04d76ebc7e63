from typing import Any

import pytest

from keeper.chain.nodes.headers import hash_of, parse_block, parse_tip, quantity, unhex
from keeper.core.chain import Block
from keeper.core.errors import TransientError
from tests.builders import CHAIN, NOW
from tests.unit.chain.fake_node import FakeNode, hash32

HEADER: dict[str, Any] = FakeNode({}).call("eth_getBlockByNumber", ["latest", False])


@pytest.mark.fault("R12")
@pytest.mark.parametrize("value", [None, 26, "26", "0x", "0xzz", "", [], {}, True, "0x" + "f" * 65, "-0x1"])
def test_quantity__that_is_none__is_refused(value: Any) -> None:
    with pytest.raises(TransientError, match="nonce: expected a hex figure"):
        quantity(value, "nonce")


@pytest.mark.parametrize(
    ("value", "expected"), [("0x0", 0), ("0x1a", 26), ("0x00ff", 255), ("0x" + "f" * 64, 2**256 - 1)]
)
def test_quantity__in_hex__is_its_figure(value: str, expected: int) -> None:
    assert quantity(value, "nonce") == expected


@pytest.mark.parametrize("value", [None, "abcd", "0xabc", "0xgg", 7])
def test_unhex__that_is_no_hex__is_refused(value: Any) -> None:
    with pytest.raises(TransientError, match="code: expected hex bytes"):
        unhex(value, "code")


@pytest.mark.parametrize("value", [None, "0x12", hash32(1)[:-1] + "g", hash32(1)[2:]])
def test_hash__that_is_none__is_refused(value: Any) -> None:
    with pytest.raises(TransientError):
        hash_of(value, "block hash")


def test_block__as_a_node_writes_it__is_typed() -> None:
    assert parse_block(HEADER, CHAIN) == Block(CHAIN, 1000, hash32(1000), hash32(999), NOW, 7, 30_000_000)


def test_block__before_eip_1559__has_no_base_fee() -> None:
    assert parse_block({**HEADER, "baseFeePerGas": None}, CHAIN).base_fee is None


@pytest.mark.fault("R12")
@pytest.mark.parametrize("name", ["number", "hash", "parentHash", "timestamp", "gasLimit"])
def test_block__with_a_field_missing__is_refused(name: str) -> None:
    with pytest.raises(TransientError, match="expected"):
        parse_block({**HEADER, name: None}, CHAIN)


def test_block__that_is_null__is_refused() -> None:
    with pytest.raises(TransientError, match="block: expected a header, was None"):
        parse_block(None, CHAIN)


@pytest.mark.fault("R27")
@pytest.mark.parametrize(
    ("answer", "tip"),
    [
        ({"reward": [["0x3"], ["0x1"], ["0x2"]]}, 2),
        ({"reward": [["0x0"]]}, 0),
        ({"reward": []}, None),
        ({"reward": None}, None),
        ({"reward": [[None]]}, None),
        ({"reward": [[], ["0x5"]]}, 5),
        ({}, None),
        (None, None),
        ("0x1", None),
    ],
)
def test_tip__from_fee_history__is_the_median_or_unknown(answer: Any, tip: int | None) -> None:
    assert parse_tip(answer) == tip
