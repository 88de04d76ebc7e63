"""The screen says what the full plan says, and nothing where breakers might speak."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keeper.breakers.losses import Drawdown, Loss, compute_value
from keeper.breakers.prices import Depeg, PriceJump
from keeper.breakers.strikes import Refusals, Reverts
from keeper.core.chain import History, MarketPrice, PastSample, PastTrade, Unusable, VaultView
from keeper.core.decision import Decision
from keeper.core.plan import Hold
from keeper.core.ports import Breaker
from keeper.core.screens import Screen, draw_screen, make_quotes
from keeper.core.units import USD, Price, Rounding, Token, TokenAmount
from keeper.strategies.bands import Band, Bands
from keeper.strategies.rules import Rules
from keeper.strategies.weights import Weights
from tests.builders import DAI, NOW, USDC, WBTC, WETH, make_block, make_view, market, usd

TOKENS = (WETH, WBTC, USDC, DAI)
CASES = int(os.environ.get("KEEPER_CASES", "80"))
RATIOS = st.fractions(Fraction(1, 10**6), 10**6, max_denominator=10**8)


def priced(token: Token, mid: Fraction, below: int, above: int) -> MarketPrice:
    """`below` and `above` {bps} are how far other sources are from mid."""
    low, high = mid * (10_000 - below) / 10_000, mid * (10_000 + above) / 10_000
    return replace(market(token, mid), low=Price(token, USD, low), high=Price(token, USD, high))


@st.composite
def moves(draw: st.DrawFn) -> tuple[Weights, VaultView, VaultView]:
    """A vault near its targets, before and after its prices moved."""
    tokens = TOKENS[: draw(st.integers(2, 4))]
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=len(tokens) - 1, max_size=len(tokens) - 1)))
    targets = [b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    band = st.builds(Band, st.integers(0, 400), st.booleans())
    pairs = st.tuples(band, band).filter(lambda pair: pair[0].of_weight == pair[1].of_weight)
    ordered = pairs.map(lambda pair: tuple(sorted(pair, key=lambda each: -each.bps)))
    own = {token: draw(ordered) for token in tokens if draw(st.booleans())}
    bands = Bands(*draw(ordered), own)
    mids = [draw(RATIOS) for _ in tokens]
    drawn = [1_000_000 * target + draw(st.integers(-2_000_000, 2_000_000)) for target in targets]
    held = [
        TokenAmount(token, max(0, int(worth * 10**token.decimals / mid)))
        for token, worth, mid in zip(tokens, drawn, mids, strict=True)
    ]
    reserve = {held[0].token: held[0].times(Fraction(draw(st.integers(0, 2)), 1000), Rounding.DOWN)}
    weights = Weights(dict(zip(tokens, targets, strict=True)), bands, rules=Rules(reserve=reserve))
    shifts = [Fraction(10_000 + draw(st.integers(-150, 150)), 10_000) for _ in tokens]
    apart = [draw(st.integers(0, 30)) for _ in range(2)]
    first = {token: priced(token, mid, *apart) for token, mid in zip(tokens, mids, strict=True)}
    later = {token: priced(token, mid * by, *apart) for token, mid, by in zip(tokens, mids, shifts, strict=True)}
    view = make_view(held, first)
    later_block = make_block(NOW + draw(st.integers(0, 5_000)), number=1_001)
    return weights, view, replace(view, prices=later, block=later_block)


def screened(weights: Weights, view: VaultView, breakers: Sequence[Breaker] = ()) -> tuple[Hold, Screen] | None:
    plan = weights.plan(view)
    if not isinstance(plan, Hold) or not plan.while_inside or any(breaker.trip(view) for breaker in breakers):
        return None
    screen = draw_screen(view, plan.assets, [breaker.margin(view) for breaker in breakers])
    assert screen is not None
    return plan, screen


def drift(screen: Screen, prices: Mapping[Token, MarketPrice | Unusable]) -> int | None:
    quotes = make_quotes(prices)
    return None if quotes is None else screen.drift(quotes)


@given(moves())
@settings(max_examples=CASES)
def test_drift__any_prices__is_that_of_the_full_plan_and_none_where_it_would_not_hold_so(
    moved: tuple[Weights, VaultView, VaultView],
) -> None:
    weights, view, later = moved
    found = screened(weights, view)
    assume(found is not None)
    assert found is not None
    first, screen = found
    assert drift(screen, view.prices) == Decision("treasury", view, first).max_drift
    plan = weights.plan(later)
    is_inside = isinstance(plan, Hold) and plan.code == first.code == "in_band"
    expected = Decision("treasury", later, plan).max_drift if is_inside else None
    assert drift(screen, later.prices) == expected


@given(moves(), st.data())
@settings(max_examples=CASES)
def test_drift__breakers_look_on__is_none_wherever_one_would_trip(
    moved: tuple[Weights, VaultView, VaultView], data: st.DataObject
) -> None:
    weights, view, later = moved
    value = compute_value(view)
    assert value is not None
    bps, ago = st.integers(9_700, 10_300), st.integers(0, 3_600)
    samples = tuple(
        PastSample(
            NOW - data.draw(ago),
            TokenAmount(USD, value.raw * data.draw(bps) // 10_000),
            tuple((token, view.price(token).mid.ratio * data.draw(bps) / 10_000) for token in view.prices),
        )
        for _ in range(data.draw(st.integers(0, 3)))
    )
    share = st.integers(-3, 3).map(lambda part: TokenAmount(USD, value.raw * part // 10_000))
    trades = tuple(
        PastTrade(NOW - data.draw(st.integers(0, 90_000)), usd(100), usd(0), lost=data.draw(share)) for _ in range(2)
    )
    past = History(trades=trades, samples=samples, reverts=(NOW - 10,), refusals=1)
    limit = st.integers(1, 400)
    breakers: tuple[Breaker, ...] = (
        Loss(data.draw(st.integers(1, 8)), 86_400),
        Drawdown(data.draw(limit), 3_600),
        PriceJump(data.draw(limit), 3_600),
        Depeg({WETH: view.price(WETH).mid.ratio}, data.draw(limit)),
        Reverts(2, 3_600),
        Refusals(2),
    )
    view, later = replace(view, history=past), replace(later, history=past)
    found = screened(weights, view, breakers)
    if found is not None and drift(found[1], later.prices) is not None:
        assert not [trip for breaker in breakers if (trip := breaker.trip(later))]


def test_drift__breakers_that_have_no_evidence__change_nothing() -> None:
    view = make_view(
        [TokenAmount(WETH, 6 * 10**18), TokenAmount(USDC, 4_000 * 10**6)],
        {WETH: market(WETH, 1000), USDC: market(USDC, 1)},
    )
    weights = Weights({WETH: 6_000, USDC: 4_000}, Bands(Band(200), Band(50)))
    quiet = (
        Loss(10, 86_400),
        Drawdown(100, 3_600),
        PriceJump(2_000, 3_600),
        Depeg({USDC: Fraction(1)}, 50),
        Reverts(3, 60),
    )
    found = screened(weights, view, quiet)
    assert found is not None
    assert drift(found[1], {**view.prices, WETH: market(WETH, 1020)}) == 47
    assert drift(found[1], {**view.prices, USDC: market(USDC, "0.996")}) == 9
    assert drift(found[1], {**view.prices, USDC: market(USDC, "0.995")}) is None, "the depeg breaker is at 50 bps"
    assert drift(found[1], {**view.prices, WETH: Unusable("stale")}) is None


def test_drift__a_loss_or_a_fall_was_seen__is_none_from_the_value_on_at_which_the_breaker_trips() -> None:
    held, weights = [TokenAmount(WETH, 10**18)], Weights({WETH: 10_000}, Bands(Band(200), Band(50)))
    past = History(samples=(PastSample(NOW, usd(1_000), ()),), trades=(PastTrade(NOW, usd(9), usd(0), lost=usd(1)),))
    view = make_view(held, {WETH: market(WETH, 1_000)}, history=past)
    for breaker, worth in ((Drawdown(100, 3_600), 990), (Loss(10, 86_400), 1_000)):
        at, above = (replace(view, prices={WETH: market(WETH, ratio)}) for ratio in (worth, Fraction(worth) + 1))
        assert breaker.trip(at) and not breaker.trip(above)
        found = screened(weights, above, [breaker])
        assert found is not None
        assert (drift(found[1], at.prices), drift(found[1], above.prices)) == (None, 0)


def test_draw_screen__a_breaker_asks_each_time_or_an_asset_has_no_price__is_none() -> None:
    view = make_view()
    assert draw_screen(view, (), [None]) is None
    missing = replace(view, prices={WETH: view.prices[WETH]})
    assert draw_screen(missing, (), []) is None


def test_drift__everything_is_worth_nothing__is_none() -> None:
    empty = make_view([TokenAmount(WETH, 0)], {WETH: market(WETH, 1000)})
    screen = draw_screen(empty, (), [])
    assert screen is not None
    assert drift(screen, empty.prices) is None
