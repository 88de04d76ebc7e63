from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.core.backtests import YEAR, Fill, Ride
from tests.builders import USDC, WETH, units, usd

FILL = Fill(0, units(WETH, 1), units(USDC, 1_990), usd(2_000), usd(6), usd(1), usd(3), usd(2))
RIDE = Ride("own", "", 2 * YEAR, usd(100_000), usd(100_000), (FILL, FILL), 0.02, 0.1, {}, ())


def test_ride__two_trades_in_two_years__figures_are_of_one_year() -> None:
    assert RIDE.trades_a_year == 1
    assert RIDE.a_year(RIDE.traded) == Fraction(2, 100)
    assert RIDE.cost == usd(24)
    assert RIDE.costs == {"fee": usd(12), "basis": usd(2), "impact": usd(6), "gas": usd(4)}


def test_ride__total__is_half_the_aversion_times_the_variance_and_every_cost() -> None:
    free = replace(RIDE, fills=())
    assert abs(free.total(Fraction(3)) - Fraction(6, 10_000)) < Fraction(1, 10**12)
    assert RIDE.total(Fraction(3)) - free.total(Fraction(3)) == Fraction(12, 100_000)
