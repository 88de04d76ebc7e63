"""Random vaults for property tests: 2 to 6 tokens of 0 to 24 decimals, pools near the oracle's prices."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from keeper.core.chain import VaultView
from keeper.core.units import Token, TokenAmount
from keeper.core.weighing import Weighing, unit_values
from keeper.strategies.bands import Band, Bands
from keeper.strategies.weights import Weights
from tests.builders import FakePool, fake_pool, make_view, market, token, usd


@dataclass(frozen=True)
class Market:
    weights: Weights
    view: VaultView
    worth: int
    """{whole USD} About what the vault holds."""


@st.composite
def markets(draw: st.DrawFn, destinations: tuple[int, ...] = (0, 100, 250), most: int = 6) -> Market:
    """A vault anywhere around its bands, with a pool for every pair that is worth 20 vaults."""
    count = draw(st.integers(2, most))
    tokens = [token(f"T{i}", draw(st.integers(0, 24))) for i in range(count)]
    prices = {t: Fraction(draw(st.integers(1, 10**7)), 10**3) for t in tokens}
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=count - 1, max_size=count - 1)))
    targets = dict(zip(tokens, (b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)), strict=True))
    worth = draw(st.integers(10**6, 10**9))
    holdings = [_holding(t, prices[t], Fraction(draw(st.integers(0, 10_000)), 10_000) * worth) for t in tokens]
    view = make_view(holdings, {t: market(t, prices[t]) for t in tokens}, _pools(draw, tokens, prices, worth))
    bands = Bands(Band(draw(st.sampled_from((250, 400, 1500)))), Band(draw(st.sampled_from(destinations))))
    clip = draw(st.sampled_from((None, usd(worth // 50 + 1))))
    return Market(Weights(targets, bands, usd(draw(st.sampled_from((0, 100)))), clip), view, worth)


def _holding(of: Token, price: Fraction, value: Fraction) -> TokenAmount:
    raw = value / price * 10**of.decimals
    return TokenAmount(of, raw.numerator // raw.denominator)


def _pools(draw: st.DrawFn, tokens: list[Token], prices: dict[Token, Fraction], worth: int) -> list[FakePool]:
    pools = []
    for i, one in enumerate(tokens):
        for j, other in enumerate(tokens[:i]):
            off = Fraction(draw(st.integers(9_950, 10_050)), 10_000)
            amounts = _holding(one, prices[one], 20 * worth * off), _holding(other, prices[other], Fraction(20 * worth))
            if all(amounts):
                fee = Fraction(draw(st.sampled_from((100, 500, 3000))), 10**6)
                pools.append(fake_pool(*amounts, fee, number=0xB000 + 16 * i + j))
    return pools


def scales_of(market_: Market) -> Weighing:
    tokens = market_.weights.targets
    prices = {t: market_.view.price(t).mid for t in tokens}
    return Weighing({t: market_.view.holdings[t].raw for t in tokens}, unit_values(prices))
