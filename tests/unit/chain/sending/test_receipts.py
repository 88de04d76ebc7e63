"""Receipts, fills and costs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.sending.receipts import (
    TRANSFER,
    Receipt,
    costs_of,
    fill_of,
    heard_failure,
    missing_effects,
    moved,
    parse_logs,
    parse_receipt,
)
from keeper.core.abi import calldata
from keeper.core.calls import Call, Purpose
from keeper.core.chain import Unusable
from keeper.core.module_calls import EXECUTE_FROM_MODULE, EXECUTION_FAILED
from keeper.core.plan import Fees
from keeper.core.sending import Attempt, Expectation, Fill
from keeper.core.units import USD, Address, Price, Token, Wei
from tests.builders import ACCOUNT, DAI, ETH, USDC, WBTC, WETH, address, expected_swap, units, usd

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


SAFE, MODULE, TARGET = address(0x5AFE), address(0x30D), address(0x7A6)


@pytest.mark.parametrize(
    ("called", "emitter", "about", "status"),
    [
        (SAFE, SAFE, ACCOUNT, 0),
        (MODULE, SAFE, MODULE, 0),
        # what the Safe was made to call may write any log it likes
        (SAFE, TARGET, ACCOUNT, 1),
        (MODULE, TARGET, MODULE, 1),
        # another module's failure is another matter
        (SAFE, SAFE, MODULE, 1),
    ],
)
def test_heard_failure__a_log_of_the_safe__counts_as_reverted(
    called: Address, emitter: Address, about: Address, status: int
) -> None:
    inner = Call(TARGET, b"", 0, Purpose.SWAP, "")
    call = Call(called, calldata(EXECUTE_FROM_MODULE, TARGET, 0, b"", 0), 0, Purpose.SWAP, "", inner=(inner,))
    log = {"address": emitter, "topics": [EXECUTION_FAILED, "0x" + about[2:].lower().rjust(64, "0")], "data": "0x"}
    receipt = parse_receipt(RAW | {"logs": [log]}, ATTEMPT, ACCOUNT)
    assert isinstance(receipt, Receipt)
    assert heard_failure(receipt, call, ACCOUNT).status == status
    assert heard_failure(receipt, inner, ACCOUNT).status == 1, "only a module call fails in silence"


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


SWAP = Expectation((expected_swap(units(WETH, 1), units(USDC, 3_100), units(USDC, 3_090)),))

BASKET = Expectation(
    (
        expected_swap(units(WETH, 2), units(USDC, 6_200), units(USDC, 6_180), (6_240, 3, 37)),
        expected_swap(units(DAI, 500), units(USDC, 499), units(USDC, 498), (500, "0.5", "0.5")),
        expected_swap(units(USDC, 6_000), units(WBTC, "0.1"), units(WBTC, "0.099"), (6_000, 6, 94), 59_000),
    )
)
"""Two sells into one token, and a buy out of it: of USDC at least 6,180 + 498 - 6,000 must be left."""


def changed(**whole: int | str) -> dict[Token, int]:
    return {token: units(token, whole[token.symbol]).raw for token in TOKENS if token.symbol in whole}


TOKENS = (WETH, USDC, DAI, WBTC)
DONE = changed(WETH=-2, DAI=-500, USDC=700, WBTC="0.1")


@pytest.mark.parametrize(
    ("expect", "changes", "fill"),
    [
        (SWAP, changed(WETH=-1, USDC=3_095), Fill((units(WETH, 1),), (units(USDC, 3_095),))),
        (SWAP, changed(WETH=0, USDC=0), Fill((units(WETH, 0),), (units(USDC, 0),))),
        (
            BASKET,
            DONE,
            Fill((units(WETH, 2), units(DAI, 500)), (units(USDC, 700), units(WBTC, "0.1"))),
        ),
        (
            BASKET,
            DONE | changed(USDC=-1),
            Fill((units(WETH, 2), units(DAI, 500), units(USDC, 1)), (units(WBTC, "0.1"),)),
        ),
        (BASKET, DONE | changed(USDC=0), Fill((units(WETH, 2), units(DAI, 500)), (units(WBTC, "0.1"),))),
    ],
    ids=["one leg", "nothing", "three legs", "middle sold", "middle nets out"],
)
def test_fill_of__each_token__stands_where_its_net_puts_it(
    expect: Expectation, changes: dict[Token, int], fill: Fill
) -> None:
    assert fill_of(changes, expect) == fill
    assert {token: raw for token, raw in fill.changes.items() if raw} == {t: raw for t, raw in changes.items() if raw}


@pytest.mark.fault("K3")
@pytest.mark.fault("R29")
@pytest.mark.fault("T17")
@pytest.mark.parametrize(
    ("changes", "deltas", "expected"),
    [
        (changed(WETH=-1, USDC=3_095), {}, ""),
        (changed(WETH=-1, USDC=3_095), changed(WETH=-1, USDC=3_095), ""),
        (changed(WETH=-1, USDC=3_095), changed(USDC=4_000), ""),  # a deposit in the same block
        (changed(WETH=0, USDC=3_095), {}, "without effects"),
        (changed(WETH=-2, USDC=3_095), {}, "sold 2.00000 WETH, more than"),
        (changed(WETH=-1, USDC=3_089), {}, "less than min_out"),
        (changed(WETH=-1, USDC=3_095), changed(USDC=3_094), "balance changed by 3,094"),
        (changed(WETH=-1, USDC=3_095), changed(WETH=-2), "balance changed by −2.0"),
        (changed(WETH=-1, USDC=3_095), {USDC: 3_095 * 10**6 - 2}, ""),  # kept as shares
        (changed(WETH=-1, USDC=3_095), {USDC: 3_095 * 10**6 - 3}, "balance changed by"),
    ],
)
def test_missing_effects__one_leg__reason(changes: dict[Token, int], deltas: dict[Token, int], expected: str) -> None:
    found = missing_effects(changes, SWAP, deltas)
    assert expected in found if expected else found == ""


@pytest.mark.fault("T17")
@pytest.mark.parametrize(
    ("amiss", "deltas", "expected"),
    [
        ({}, DONE, ""),
        (changed(USDC=678), {}, ""),
        (changed(USDC=677), {}, "received 677.000 USDC, less than min_out 678.000 USDC"),
        (changed(WBTC="0.098"), {}, "less than min_out"),
        (changed(DAI=-501), {}, "sold 501.000 DAI, more than the 500.000 DAI"),
        (changed(WBTC=0), {}, "without effects: 2.00000 WETH and 500.000 DAI sold, 0.00 WBTC received"),
        (changed(DAI=0), {}, "without effects"),
        ({}, changed(USDC=699), "say 700.000 USDC, but the balance changed by 699.000 USDC"),
        ({}, changed(WBTC="0.0999"), "but the balance changed by"),
    ],
)
def test_missing_effects__several_legs__judged_token_by_token(
    amiss: dict[Token, int], deltas: dict[Token, int], expected: str
) -> None:
    found = missing_effects(DONE | amiss, BASKET, deltas)
    assert expected in found if expected else found == ""


def test_missing_effects__nothing_was_to_be_traded__nothing_is_missed() -> None:
    assert missing_effects({}, Expectation(), {}) == ""


@given(st.integers(-(10**21), 10**21), st.integers(-(10**10), 10**10), st.integers(-(10**9), 10**9))
def test_missing_effects__any_changes__fine_only_within_every_floor(weth: int, usdc: int, wbtc: int) -> None:
    changes = DONE | {WETH: -units(WETH, 1).raw + weth, USDC: usdc, WBTC: wbtc}
    within = usdc >= units(USDC, 678).raw and wbtc >= units(WBTC, "0.099").raw
    fine = within and -units(WETH, 2).raw <= changes[WETH] < 0
    assert (missing_effects(changes, BASKET, {}) == "") == fine


def test_costs_of__fill_above_the_quote__others_gave() -> None:
    swap = expected_swap(units(WETH, 1), units(USDC, 3_100), units(USDC, 3_090), (3_103, 1, 2))
    expect = Expectation((swap,), Price(ETH, USD, Fraction(2_000)))
    costs = costs_of(changed(WETH=-1, USDC=3_101), Wei(10**15), expect)
    assert (costs.gas, costs.fee, costs.impact, costs.others) == (usd(2), usd(1), usd(2), usd(-1))


def test_costs_of__several_legs__parts_add_up_to_value_given_minus_value_got() -> None:
    costs = costs_of(DONE | changed(USDC=690), Wei(0), BASKET)
    assert costs.fee is not None and costs.impact is not None and costs.others is not None
    given, got = usd(6_240 + 500), usd(690 + 5_900)
    assert costs.fee + costs.impact + costs.others == given - got
    assert costs.others == usd(9), "quotes were 6,200 + 499 - 6,000 USDC and 0.1 WBTC"


def test_costs_of__no_fill_or_no_price__nothing_made_up() -> None:
    costs = costs_of(None, Wei(10**15), SWAP)
    assert (costs.gas, costs.fee, costs.impact, costs.others) == (None, None, None, None)
    assert costs_of({}, Wei(10**15), Expectation()) == costs
