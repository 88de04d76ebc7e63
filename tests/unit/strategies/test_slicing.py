"""MATH 5: worked values, and each formula found again by brute force."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import islice, pairwise

import pytest

from keeper.strategies import slicing
from keeper.strategies.slicing import Costs

CLASSIC = Costs(Fraction(200_000), Fraction(2_000_000), Fraction(3, 1000), Fraction(5))
"""$200k into $2M of depth at 0.3 %, $5 of gas for a slice."""


# --- how many ------------------------------------------------------------------------------------------------------


def test_ideal__of_the_worked_example__is_62_slices() -> None:
    assert float(CLASSIC.ideal()) == pytest.approx(62.29, abs=0.01)
    assert CLASSIC.best() == 62


@pytest.mark.parametrize(("value", "count"), [(6_000, 1), (5_999, 1), (8_000, 1), (20_000, 5)])
def test_ideal__within_the_fee_of_the_depth__is_one(value: int, count: int) -> None:
    """Q/L <= φ at $6,000 of $2M: arbitrage would give back nothing."""
    costs = Costs(Fraction(value), CLASSIC.depth, CLASSIC.fee, CLASSIC.gas)
    assert costs.best() == count


def test_best__scanned_over_all_counts__is_the_cheapest() -> None:
    dice = random.Random(5)
    for _ in range(40):
        costs = Costs(
            Fraction(dice.randrange(1_000, 500_000)),
            Fraction(dice.randrange(100_000, 5_000_000)),
            Fraction(dice.choice((1, 5, 30, 100)), 10_000),
            Fraction(dice.randrange(5, 5_000), 100),
        )
        found = costs.best()
        cheapest = min(range(1, 2 * found + 50), key=lambda n: (costs.of(n), n))
        assert costs.of(found) == costs.of(cheapest)


def _traded(value: float, depth: float, fee: float, gas: float, slices: int) -> float:
    """{USD} The shortfall in a constant-product pool that is brought back to the edge of its fee band after every
    slice, by whoever sells at the market's price of 1 what the pool gives for less."""
    x = y = depth
    received = 0.0
    for _ in range(slices):
        paid = value / slices * (1 - fee)
        out = paid * y / (x + paid)
        x, y, received = x + value / slices, y - out, received + out
        # An arbitrageur buys x for y until its price with fee is the market's: y/x = 1 − fee.
        wanted = math.sqrt(x * y / (1 - fee))
        if wanted < x:
            x, y = wanted, x * y / wanted
    return value - received + slices * gas


@pytest.mark.parametrize(
    ("value", "depth", "fee", "gas"),
    [(2e5, 2e6, 0.003, 5.0), (2e5, 2e6, 0.003, 50.0), (1e5, 2e6, 0.0005, 8.0), (5e4, 5e5, 0.01, 1.0)],
)
def test_ideal__in_a_simulated_pool_with_an_arbitrageur__is_where_the_cost_is_least(
    value: float, depth: float, fee: float, gas: float
) -> None:
    costs = Costs(Fraction(value), Fraction(depth), Fraction(str(fee)), Fraction(gas))
    simulated = {n: _traded(value, depth, fee, gas, n) for n in range(1, 200)}
    best = min(simulated, key=lambda n: simulated[n])
    assert simulated[costs.best()] <= 1.01 * simulated[best]
    for count in (1, 5, costs.best()):
        assert float(costs.of(count)) == pytest.approx(simulated[count], rel=0.15)
    assert simulated[best] < simulated[1] / 2


# --- how far apart -------------------------------------------------------------------------------------------------


def test_settling_time__at_80_percent_a_year__is_10_s_for_5_bps_and_360_s_for_30() -> None:
    volatility = Fraction(8, 10)
    assert float(slicing.settling_time(Fraction(5, 10_000), volatility)) == pytest.approx(10, rel=0.01)
    assert float(slicing.settling_time(Fraction(30, 10_000), volatility)) == pytest.approx(360, rel=0.01)


def test_settling_time__of_a_walk_between_two_walls__is_how_fast_it_forgets() -> None:
    """The mean of a random walk that starts at one edge of a reflecting band 2φ wide decays as e^(−t/τ)."""
    fee, steps = 0.01, 200
    sigma = fee / steps  # per step, so that the band is 400 steps wide
    seconds = slicing.YEAR * sigma**2
    tau = float(slicing.settling_time(Fraction(1, 100), Fraction(str(math.sqrt(seconds)))))
    dice = random.Random(7)
    width, means = 2 * steps, []
    for horizon in (int(tau), int(2 * tau)):
        total = 0
        for _ in range(10_000):
            # Reflection at both walls is a fold of the free walk, whose sum of signs is about normal.
            at = round(dice.gauss(0, math.sqrt(horizon))) % (2 * width)
            total += width - abs(at - width) - steps
        means.append(-total / 10_000)
    # 8/π² of the distance is in the slowest mode.
    expected = [8 / math.pi**2 * math.exp(-k) * steps for k in (1, 2)]
    assert means == pytest.approx(expected, abs=5)


# --- a deadline ----------------------------------------------------------------------------------------------------


def _trajectory(total: float, slots: int, urgent: Fraction) -> list[float]:
    """Holdings before each slice, and nothing after the last one."""
    held = [total]
    for left in range(slots, 0, -1):
        held.append(held[-1] * (1 - float(slicing.share_now(left, urgent))))
    return held


def test_share_now__of_almgren_and_chriss_own_example__is_their_trajectory_cost_and_risk() -> None:
    total, sigma, epsilon, gamma, eta, risk = 1e6, 0.95, 0.0625, 2.5e-7, 2.5e-6, 1e-6
    rest = eta - gamma / 2
    urgent = Fraction(risk * sigma**2 / rest)
    kappa = math.acosh(float(urgent) / 2 + 1)
    assert kappa == pytest.approx(0.6071, abs=1e-4)
    held = _trajectory(total, 5, urgent)
    assert held == pytest.approx([total * math.sinh(kappa * (5 - k)) / math.sinh(kappa * 5) for k in range(6)], abs=1)
    sold = [a - b for a, b in pairwise(held)]
    cost = gamma * total**2 / 2 + epsilon * total + rest * sum(n * n for n in sold)
    assert cost == pytest.approx(911_227, rel=1e-4)
    assert sigma * math.sqrt(sum(x * x for x in held[1:])) == pytest.approx(603_431, rel=1e-4)


@pytest.mark.parametrize("urgent", [Fraction(0), Fraction(1, 1000), Fraction(2, 5), Fraction(3)])
def test_share_now__against_a_search_for_the_least_cost_and_risk__is_the_same(urgent: Fraction) -> None:
    """min Σ n_k² + κ̃²τ² Σ x_k² by coordinate descent, which knows nothing of sinh."""
    slots = 6
    held = [1 - k / slots for k in range(slots + 1)]
    for _ in range(4_000):
        for k in range(1, slots):
            held[k] = (held[k - 1] + held[k + 1]) / (2 + float(urgent))
    assert _trajectory(1.0, slots, urgent) == pytest.approx(held, abs=1e-9)


def test_share_now__started_again_on_the_way__goes_on_as_planned() -> None:
    """What a restart relies on: the rest of the best path is the best path of the rest."""
    urgent = Fraction(2, 5)
    whole, rest = _trajectory(1.0, 8, urgent), _trajectory(1.0, 5, urgent)
    assert [x / whole[3] for x in whole[3:]] == pytest.approx(rest, abs=1e-9)


def test_urgency__of_a_pool__is_the_one_whose_slices_cost_their_square_over_its_depth() -> None:
    found = slicing.urgency(Fraction(1, 10**6), Fraction(8, 10), 1_440, Fraction(2_000_000))
    assert float(found) == pytest.approx(1e-6 * 0.64 / slicing.YEAR * 1_440**2 / (1_440 / 2e6))


# --- jitter --------------------------------------------------------------------------------------------------------


@pytest.mark.fault("M17")
def test_wait__of_many_draws__is_a_truncated_exponential() -> None:
    waits = sorted(slicing.wait(100_000, drawn) / 100_000 for drawn in islice(slicing.draws(1, 2), 4_000))
    assert waits[0] >= 0.5 - 1e-4
    assert waits[-1] <= 2
    whole = math.exp(-0.5) - math.exp(-2)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        found = waits[int(share * len(waits))]
        assert (math.exp(-0.5) - math.exp(-found)) / whole == pytest.approx(share, abs=0.03)
    assert sum(waits) / len(waits) == pytest.approx((1.5 * math.exp(-0.5) - 3 * math.exp(-2)) / whole, abs=0.02)


@pytest.mark.fault("M17")
@pytest.mark.parametrize("variation", [Fraction(0), Fraction(1, 4), Fraction(1, 2)])
def test_resized__of_many_draws__costs_exactly_one_and_the_variation_squared(variation: Fraction) -> None:
    sizes = [float(slicing.resized(Fraction(1), variation, drawn)) for drawn in islice(slicing.draws(3), 4_000)]
    mean = sum(sizes) / len(sizes)
    assert mean == pytest.approx(1, abs=0.01)
    assert sum(s * s for s in sizes) / len(sizes) / mean**2 == pytest.approx(float(1 + variation**2), abs=0.01)
    assert min(sizes) > 0.13


def test_draws__of_one_salt__are_always_the_same_and_of_two_never() -> None:
    first, again, other = (list(islice(slicing.draws(*salt), 5)) for salt in ((9, 1), (9, 1), (9, 2)))
    assert first == again
    assert not set(first) & set(other)


def test_resized__with_a_variation_that_could_turn_a_slice_around__is_refused() -> None:
    with pytest.raises(ValueError, match="variation: expected 0 to 50 %"):
        slicing.resized(Fraction(1), Fraction(3, 5), Fraction(0))
