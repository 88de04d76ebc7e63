"""Fees: first, bump, cancel, and the caps that hold them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.sending.fees import BUMP_BPS, FeePolicy, affordable, forecast, highest
from keeper.core.plan import Fees
from keeper.core.units import USD, Price, Wei
from tests.builders import ETH, usd

GWEI = 10**9
POLICY = FeePolicy(Wei(90 * GWEI), Wei(9 * GWEI), Wei(GWEI // 10))
LEGACY = FeePolicy(Wei(90 * GWEI), Wei(9 * GWEI), Wei(GWEI), legacy=True)


def fees(cap: float, tip: float | None) -> Fees:
    """From gwei."""
    return Fees(Wei(round(cap * GWEI)), None if tip is None else Wei(round(tip * GWEI)))


@pytest.mark.parametrize(
    ("base", "tip", "expected"),
    [
        (10, 2, fees(22, 2)),
        (10, 0, fees(20.1, 0.1)),  # the least tip
        (10, None, fees(20.1, 0.1)),
        (0, 2, fees(2, 2)),
        (39, 2, fees(80, 2)),  # 90 / 1.125: one bump is left for a cancel
        (500, 2, fees(80, 2)),
        (10, 50, fees(28, 8)),
    ],
)
def test_first__base_fee_and_tip__twice_base_plus_tip_within_caps(base: int, tip: int | None, expected: Fees) -> None:
    assert POLICY.first(Wei(base * GWEI), None if tip is None else Wei(tip * GWEI)) == expected


@pytest.mark.fault("T34")
def test_first__legacy__one_price_a_block_ahead() -> None:
    assert LEGACY.first(Wei(8 * GWEI), Wei(2 * GWEI)) == fees(11, None)
    assert LEGACY.first(None, Wei(5 * GWEI)) == fees(5, None)
    assert LEGACY.first(None, None) == fees(1, None)


@pytest.mark.fault("T3")
@pytest.mark.parametrize(
    ("highest_so_far", "base", "tip", "expected"),
    [
        (fees(22, 2), 10, 2, fees(24.75, 2.25)),  # the rule: 12.5 % on both
        (fees(22, 2), 30, 3, fees(63, 3)),  # the market wants more than the rule
        (fees(22, 2), 60, 2, fees(80, 2.25)),  # as far as the cap
        (fees(71, 2), 10, 2, fees(79.875, 2.25)),
        (fees(72, 2), 10, 2, None),  # 81 would be above what trades may offer
        (fees(22, 8), 10, 2, None),  # and so would the tip
        (Fees(Wei(8), Wei(0)), 0, 0, fees(0.1, 0.1)),
    ],
)
def test_bump__highest_attempt__both_fees_up_or_none(
    highest_so_far: Fees, base: int, tip: int, expected: Fees | None
) -> None:
    assert POLICY.bump(highest_so_far, Wei(base * GWEI), Wei(tip * GWEI)) == expected


def test_bump__legacy__the_price_up() -> None:
    assert LEGACY.bump(fees(40, None), Wei(GWEI), Wei(GWEI)) == fees(45, None)
    assert LEGACY.bump(fees(79, None), Wei(GWEI), Wei(GWEI)) is None


@given(st.integers(0, 200 * GWEI), st.integers(0, 20 * GWEI), st.lists(st.integers(0, 200 * GWEI), max_size=6))
def test_ladder__any_market__strictly_up_within_caps_and_a_cancel_always_fits(
    base: int, tip: int, later: list[int]
) -> None:
    latest = POLICY.first(Wei(base), Wei(tip))
    for base_then in later:
        bumped = POLICY.bump(latest, Wei(base_then), Wei(tip))
        if bumped is None:
            break
        assert bumped.tip is not None and latest.tip is not None
        assert bumped.cap * 10_000 >= latest.cap * (10_000 + BUMP_BPS) and bumped.cap > latest.cap
        assert bumped.tip * 10_000 >= latest.tip * (10_000 + BUMP_BPS) and bumped.tip > latest.tip
        assert bumped.tip <= bumped.cap
        latest = bumped
    cancel = POLICY.cancel(latest, Wei(base), Wei(tip))
    assert cancel is not None and latest.cap < cancel.cap <= POLICY.max_fee
    assert cancel.tip is not None and cancel.tip <= POLICY.max_tip


def test_highest__several_attempts__each_fee_by_itself() -> None:
    assert highest([fees(10, 3), fees(20, 2)]) == fees(20, 3)


@pytest.mark.parametrize("wrong", [{"bump_bps": 900}, {"min_tip": Wei(10 * GWEI)}, {"max_tip": Wei(91 * GWEI)}])
def test_policy__inverted_or_too_small__refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        FeePolicy(**({"max_fee": Wei(90 * GWEI), "max_tip": Wei(9 * GWEI), "min_tip": Wei(0)} | wrong))


@given(st.integers(0, 10**12), st.integers(0, 30_000_000), st.none() | st.integers(0, 10**13))
def test_forecast__any_chain_by_the_rule__never_below_the_truth_without_a_figure_and_bounded_with_one(
    base: int, used: int, lie: int | None
) -> None:
    target = 15_000_000
    # EIP-1559, as it is written there.
    change = base * abs(used - target) // target // 8
    truth = base if used == target else base + max(change, 1) if used > target else base - change
    assert forecast(Wei(base), truth) == truth, "what the node says is believed where the rule allows it"
    assert (forecast(Wei(base), None) or 0) >= truth
    assert base - base // 8 - 1 <= (forecast(Wei(base), lie) or 0) <= base + max(base // 8, 1)


def test_forecast__no_base_fee__none() -> None:
    assert forecast(None, 7) is None


@pytest.mark.fault("S22")
def test_affordable__what_is_left__per_unit_of_gas_rounded_down() -> None:
    price = Price(ETH, USD, Fraction(3_000))
    assert affordable(usd(6), price, 200_000) == 10 * GWEI
    assert affordable(usd(0), price, 200_000) == 0 == affordable(usd(0) - usd(1), price, 200_000)


@pytest.mark.parametrize("base", [10**4, 10**6, 10**7])
def test_first__l2_without_a_floor__far_below_one_gwei(base: int) -> None:
    policy = FeePolicy(Wei(6 * GWEI), Wei(GWEI), Wei(0))
    found = policy.first(Wei(base), Wei(1_000))
    assert (found.cap, found.tip) == (2 * base + 1_000, 1_000)
