"""Markets, paths and policies for tests of the back-test: small, and free where costs are not the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from keeper.backtest.engine import Scene
from keeper.backtest.market import Terms, make_pools
from keeper.backtest.policies import Policy
from keeper.backtest.prices import Prices
from keeper.backtest.synthetic import draw, parse
from keeper.core.ports import Guard
from keeper.core.units import Token
from keeper.routing.floors import Floors
from keeper.routing.single import SinglePool
from keeper.strategies.auto_bands import AutoBands
from keeper.strategies.bands import Band, Bands
from keeper.strategies.weights import Weights
from tests.builders import USDC, WETH, usd

HALVES = {WETH: 5_000, USDC: 5_000}
FREE = Terms(usd(10**12), Fraction(0), usd(0), follows=False)
"""Trading costs nothing."""
DEAR = Terms(usd(5_000_000), Fraction(30, 10_000), usd(2))


def scene(
    terms: Terms = FREE,
    targets: Mapping[Token, int] = HALVES,
    guards: Sequence[Guard] = (),
    trigger: int = 400,
    every: int = 1,
) -> Scene:
    return Scene(
        tokens=tuple(targets),
        targets=tuple(targets.values()),
        triggers=(Fraction(trigger),) * len(targets),
        pools=make_pools(tuple(targets), terms.fee),
        terms=terms,
        routing=SinglePool(Floors(100, 200, 600)),
        guards=tuple(guards),
        value=usd(1_000_000),
        every=every,
        may_act=lambda _now: "",
    )


def policy(bands: Bands | AutoBands, targets: Mapping[Token, int] = HALVES, least: int = 1) -> Policy:
    weights = Weights(targets, bands, usd(least))
    return Policy("own", "", weights, weights, float(least), guarded=True)


def halfway(trigger: int = 400, destination: int = 200) -> Bands:
    return Bands(Band(trigger), Band(destination))


def gbm(text: str, targets: Mapping[Token, int] = HALVES) -> Prices:
    return draw(parse(f"gbm {text}"), [token.symbol for token in targets], frozenset({"USDC"}), {})


def path(*prices: float, step: int = 3_600) -> Prices:
    """WETH at these prices, USDC at one dollar."""
    return Prices(("WETH", "USDC"), range(0, step * len(prices), step), [(price, 1.0) for price in prices], "by hand")
