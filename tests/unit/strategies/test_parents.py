"""How a trade is cut, decided once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.plan import Hold, Trade
from keeper.strategies.parents import Slicing, make_parent, no_pauses, price_now
from keeper.strategies.sliced import Sliced
from tests.builders import USDC, WETH, make_block, units, usd
from tests.unit.strategies.sliced_world import VOLATILITY, World, weights


def test_make_parent__when_gas_is_dearer__has_fewer_slices() -> None:
    def slices(base_fee: int) -> int:
        view = replace(World().view, block=make_block(base_fee=base_fee))
        parent = make_parent(Trade(units(WETH, 60), USDC, usd(187_200)), view, Slicing(VOLATILITY, most=10_000))
        return parent.slices if parent else 1

    cheap, dear, absurd = (slices(fee) for fee in (10**8, 50 * 10**9, 10**16))
    assert cheap > dear > absurd
    assert absurd == 1


def test_make_parent__of_two_calm_coins__does_not_wait_for_weeks() -> None:
    calm = Slicing(Fraction(1, 100))
    parent = make_parent(Trade(units(WETH, 60), USDC, usd(187_200)), World().view, calm)
    assert parent is not None
    assert parent.spacing == 6 * 3600


def test_make_parent__whatever_the_cool_down__waits_at_least_that_long() -> None:
    trade, hour = Trade(units(WETH, 60), USDC, usd(187_200)), 3_600
    for wishes in (Slicing(VOLATILITY, least_wait=hour), Slicing(VOLATILITY, spacing=60, least_wait=hour)):
        parent = make_parent(trade, World().view, wishes)
        assert parent is not None
        assert parent.spacing == 2 * hour


def test_make_parent__with_a_deadline__has_no_more_slices_than_fit() -> None:
    trade, wishes = Trade(units(WETH, 60), USDC, usd(187_200)), Slicing(VOLATILITY, spacing=600, deadline=1_800)
    parent = make_parent(trade, World().view, wishes)
    assert parent is not None
    assert parent.slices == 4


def test_make_parent__of_a_trade_without_impact__is_none() -> None:
    assert make_parent(Trade(units(WETH, 1), USDC, usd(3_120)), World().view, Slicing(VOLATILITY)) is None


def test_price_now__is_the_oracles_to_nine_digits() -> None:
    view = World(price=Fraction(10_000, 3)).view
    assert float(price_now(WETH, USDC, view)) == pytest.approx(10_000 / 3, rel=1e-8)
    assert float(price_now(USDC, WETH, view)) == pytest.approx(3 / 10_000, rel=1e-8)
    assert len(str(price_now(USDC, WETH, view).denominator)) <= 14


@pytest.mark.parametrize(
    ("wishes", "text"), [({"volatility": Fraction(0)}, "volatility"), ({"variation": Fraction(1)}, "variation")]
)
def test_slicing__of_impossible_wishes__is_refused(wishes: dict[str, Fraction], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Slicing(**({"volatility": VOLATILITY} | wishes))  # type: ignore[arg-type]


def test_no_pauses__cuts_what_exceeds_the_clip_waits_for_nothing_and_leaves_the_rest_to_the_trigger() -> None:
    """In a pool so shallow that cost asks for many slices, the clip alone counts."""
    world, strategy = World(), Sliced(weights(), weights(), no_pauses(usd(5_000)))
    small = Sliced(weights(), weights(), no_pauses(usd(60_000)))
    assert small.plan(world.view) == weights().plan(world.view)
    seen = world.run(strategy, seconds=600, step=2)
    assert [(part.number, part.of) for _, part in seen] == [(1, 10), (2, 10)]
    assert all(trade.notional <= usd(5_000) for trade in world.past)
    assert isinstance(strategy.plan(world.view), Hold)
