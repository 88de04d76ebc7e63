"""Receipts, fills and costs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from keeper.chain.sending.receipts import (
    TRANSFER,
    Receipt,
    costs_of,
    fill_of,
    missing_effects,
    moved,
    parse_logs,
    parse_receipt,
)
from keeper.core.chain import Unusable
from keeper.core.plan import Fees, Purpose
from keeper.core.sending import Attempt, Expectation, Fill
from keeper.core.units import USD, Address, Price, Token, Wei
from tests.builders import ACCOUNT, ETH, USDC, WETH, address, units, usd

HASH = "0x" + "ab" * 32
ATTEMPT = Attempt(HASH, b"", Fees(Wei(1), Wei(1)), Purpose.SWAP, 0)
POOL = address(0xB001)
RAW: dict[str, Any] = {
    "transactionHash": HASH.upper().replace("0X", "0x"),
    "from": ACCOUNT,
    "blockNumber": "0x65",
    "blockHash": "0x" + "01" * 32,
    "status": "0x1",
    "gasUsed": "0x5208",
    "effectiveGasPrice": "0x3",
    "logs": [],
}


def transfer(token: Token, origin: Address, to: Address, raw: int) -> dict[str, Any]:
    """A Transfer event as a node writes it."""
    topics = [TRANSFER, *("0x" + who[2:].lower().rjust(64, "0") for who in (origin, to))]
    return {"address": token.address, "topics": topics, "data": "0x" + raw.to_bytes(32, "big").hex()}


def test_parse_receipt__complete__gas_cost_with_the_l1_fee() -> None:
    receipt = parse_receipt(RAW | {"l1Fee": "0xa"}, ATTEMPT, ACCOUNT)
    assert receipt == Receipt(HASH, 101, "0x" + "01" * 32, 1, 21_000, Wei(63_010), ())


def test_parse_receipt__null__none_rather_than_dropped() -> None:
    assert parse_receipt(None, ATTEMPT, ACCOUNT) is None


@pytest.mark.fault("R24")
@pytest.mark.parametrize(
    "lie",
    [
        *({name: None} for name in RAW),
        {"status": "0x2"},
        {"gasUsed": 21_000},
        {"blockHash": "0x01"},
        {"transactionHash": "0x" + "cd" * 32},
        {"from": POOL},
        {"logs": [{"address": "0x"}]},
    ],
    ids=str,
)
def test_parse_receipt__anything_missing_or_foreign__unusable(lie: dict[str, Any]) -> None:
    assert isinstance(parse_receipt(RAW | lie, ATTEMPT, ACCOUNT), Unusable)


def test_parse_receipt__not_an_object__unusable() -> None:
    assert isinstance(parse_receipt("0x1", ATTEMPT, ACCOUNT), Unusable)


def test_moved__transfers_both_ways_and_strangers__net_of_ours() -> None:
    logs = parse_logs(
        [
            transfer(USDC, POOL, ACCOUNT, 100),
            transfer(USDC, ACCOUNT, POOL, 30),
            transfer(USDC, POOL, POOL, 7),
            transfer(WETH, POOL, ACCOUNT, 5),
            transfer(USDC, ACCOUNT, ACCOUNT, 9),
            {"address": USDC.address, "topics": ["0x" + "00" * 32, "0x", "0x"], "data": "0xff"},
        ]
    )
    assert (moved(logs, USDC, ACCOUNT), moved(logs, WETH, ACCOUNT)) == (70, 5)


SWAP = Expectation(sell=units(WETH, 1), quote=units(USDC, 3_100), min_out=units(USDC, 3_090))


def test_fill_of__no_trade_expected__none() -> None:
    assert fill_of((), Expectation(), ACCOUNT) is None


@pytest.mark.fault("R29")
@pytest.mark.fault("T17")
@pytest.mark.parametrize(
    ("fill", "deltas", "expected"),
    [
        (Fill(units(WETH, 1), units(USDC, 3_095)), {}, ""),
        (Fill(units(WETH, 1), units(USDC, 3_095)), {USDC: 3_095 * 10**6, WETH: -(10**18)}, ""),
        (Fill(units(WETH, 1), units(USDC, 3_095)), {USDC: 4_000 * 10**6}, ""),  # a deposit in the same block
        (Fill(units(WETH, 0), units(USDC, 3_095)), {}, "without effects"),
        (Fill(units(WETH, 1), units(USDC, 3_089)), {}, "less than min_out"),
        (Fill(units(WETH, 1), units(USDC, 3_095)), {USDC: 3_094 * 10**6}, "balance changed by 3,094"),
        (Fill(units(WETH, 1), units(USDC, 3_095)), {WETH: -2 * 10**18}, "balance changed by −2.0"),
    ],
)
def test_missing_effects__fill_and_balances__reason(fill: Fill, deltas: dict[Token, int], expected: str) -> None:
    found = missing_effects(fill, SWAP, deltas)
    assert expected in found if expected else found == ""


def test_costs_of__fill_above_the_quote__others_gave() -> None:
    expect = Expectation(
        sell=units(WETH, 1),
        quote=units(USDC, 3_100),
        fee_value=usd(1),
        impact_value=usd(2),
        bought_price=Price(USDC, USD, Fraction(1)),
        native_price=Price(ETH, USD, Fraction(2_000)),
    )
    costs = costs_of(Fill(units(WETH, 1), units(USDC, 3_101)), Wei(10**15), expect)
    assert (costs.gas, costs.fee, costs.impact, costs.others) == (usd(2), usd(1), usd(2), usd(-1))


def test_costs_of__no_prices__nothing_made_up() -> None:
    costs = costs_of(Fill(units(WETH, 1), units(USDC, 3_101)), Wei(10**15), SWAP)
    assert (costs.gas, costs.fee, costs.impact, costs.others) == (None, None, None, None)
