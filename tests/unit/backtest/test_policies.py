from __future__ import annotations

from fractions import Fraction

from keeper.backtest.policies import comparisons, edges_of, said_of
from keeper.backtest.screens import Asked, Dated, Drawn, Fixed
from keeper.strategies.auto_bands import AutoBands
from keeper.strategies.bands import Band, Bands
from keeper.strategies.no_trade_region import Costs
from keeper.strategies.weights import Weights
from tests.builders import USDC, WETH, usd
from tests.unit.backtest.scenes import HALVES, halfway, policy

COSTS = Costs(Fraction(2, 10**6), Fraction(5, 10**4), Fraction(1, 5))


def test_edges_of__fixed_bands__are_the_vaults_own() -> None:
    assert edges_of(Weights(HALVES, halfway()), COSTS) == {WETH: (400, 200), USDC: (400, 200)}


def test_edges_of__bands_from_costs__follow_from_the_same_costs() -> None:
    edges = edges_of(Weights(HALVES, AutoBands()), COSTS)
    assert edges[WETH] == edges[USDC]
    trigger, destination = edges[WETH]
    assert 0 < destination < trigger < 1_000


def test_edges_of__nothing_but_a_calendar__follow_from_costs_too() -> None:
    assert edges_of(Weights(HALVES, halfway(0, 0)), COSTS) == edges_of(Weights(HALVES, AutoBands()), COSTS)


def test_comparisons__a_vault__calendar_target_edge_and_nothing() -> None:
    weights = Weights(HALVES, halfway(), usd(10), clip=usd(50_000))
    found = comparisons(weights, edges_of(weights, COSTS), 30, 800.0)
    assert [policy.name for policy in found] == [
        "calendar, 30 d",
        "threshold to target",
        "to the band's edge",
        "buy and hold",
    ]
    calendar, target, edge, nothing = found
    assert calendar.weights is not None and calendar.weights.calendar is not None
    assert target.weights is not None and target.weights.bands.of(WETH, 5_000) == (400, 0)  # type: ignore[union-attr]
    assert edge.weights is not None and edge.weights.bands.of(WETH, 5_000) == (400, 400)  # type: ignore[union-attr]
    assert edge.weights.dust == usd(800)
    assert nothing.strategy is None
    assert not any(policy.guarded for policy in found)


def test_screen__each_kind_of_bands__has_its_own() -> None:
    assert isinstance(policy(halfway()).screen(tuple(HALVES)), Fixed)
    assert isinstance(policy(AutoBands()).screen(tuple(HALVES)), Drawn)
    weights = Weights(HALVES, halfway())
    calendar, *_, nothing = comparisons(weights, edges_of(weights, COSTS), 30, 1.0)
    assert isinstance(calendar.screen(tuple(HALVES)), Dated)
    assert isinstance(nothing.screen(tuple(HALVES)), Asked)


def test_said_of__bands__as_people_write_them() -> None:
    assert said_of(halfway()) == "trigger 4pp, destination 2pp"
    assert said_of(AutoBands()) == "band: auto"
    own = Bands(Band(400), Band(200), {WETH: (Band(100), Band(50))})
    assert said_of(own) == "trigger 4pp, destination 2pp, 1 of its own"
