"""How a trade is cut, decided once: whether slices pay at all, how many, how far apart, how front-loaded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from keeper.core.chain import MarketPrice, Unusable, VaultView
from keeper.core.depth import input_reserve
from keeper.core.market import Quoted
from keeper.core.plan import Trade
from keeper.core.pools import PoolState
from keeper.core.slices import Parent
from keeper.core.units import WHOLE_BPS, Rounding, Token, TokenAmount, ratio_to_int
from keeper.strategies import slicing

GAS_OF_A_SLICE = 200_000
"""{gas} An approval and a swap; a v3 swap over several ticks takes about 150,000."""

LONGEST_SPACING = 6 * 3_600
"""{s} A calm pair forgets slowly: τ of two stablecoins is weeks. Arbitrage itself needs blocks, not weeks."""


@dataclass(frozen=True, slots=True)
class Slicing:
    """An operator's wishes. `volatility` is a year's, as a ratio; times are in seconds.

    Raises ValueError where a figure makes no sense.
    """

    volatility: Fraction
    most: int = 24
    """Slices of one trade that cost alone may ask for; the clip may ask for more."""
    spacing: int | None = None
    """Mean time between slices; None: 4τ, so that the least wait, half of it, is 2τ."""
    least_wait: int = 0
    """What the guards require between trades anyway."""
    deadline: int | None = None
    worse: int = 100
    """{bps} A slice waits while the price is worse than the parent's by more."""
    variation: Fraction = Fraction(1, 4)
    """Coefficient of variation of the slices' sizes."""
    risk_aversion: Fraction = Fraction(3)
    """G, as for bands: with a deadline, how much the first slices are larger than the last."""
    clip: TokenAmount | None = None
    """The most that one slice may be worth."""

    def __post_init__(self) -> None:
        if self.volatility <= 0:
            raise ValueError(f"volatility: expected above 0, was {self.volatility}")
        slicing.resized(Fraction(1), self.variation, Fraction(0))


def no_pauses(clip: TokenAmount) -> Slicing:
    """Only what is larger than the clip is cut: evenly, at any price, and as soon as the guards let it."""
    return Slicing(Fraction(1), most=1, spacing=1, worse=WHOLE_BPS, variation=Fraction(0), clip=clip)


def make_parent(trade: Trade, view: VaultView, wishes: Slicing) -> Parent | None:
    """None where one transaction is as good as several, and where no pool fills the trade: routing then says why."""
    least = _least(trade, wishes)
    if max(least, wishes.most) < 2:
        return None
    found = view.best(trade.sell, trade.buy)
    if not isinstance(found, tuple) or not trade.notional:
        return None
    fee, depth = found[0].pool.fee, _depth(found[0], trade, view)
    spacing, count = _spacing(fee, wishes), least
    if depth:
        costs = slicing.Costs(trade.notional.whole, depth, fee, gas_of_a_slice(view))
        count = max(least, min(costs.best(), wishes.most))
    if wishes.deadline is not None:
        count = max(least, min(count, 1 + wishes.deadline // spacing))
    if count < 2:
        return None
    return Parent(
        began=view.block.timestamp,
        sell=trade.sell.token.address,
        buy=trade.buy.address,
        notional=trade.notional,
        price=price_now(trade.sell.token, trade.buy, view),
        slices=count,
        spacing=spacing,
        urgent=_urgency(view, wishes, spacing, depth),
    )


def price_now(sell: Token, buy: Token, view: VaultView) -> Fraction:
    """{buy whole / sell whole} At the oracle's mids, to nine digits: recorded figures should be readable."""
    ratio = view.price(sell).mid.ratio / view.price(buy).mid.ratio
    scale = 10 ** max(0, 9 - len(str(int(ratio))) + (0 if ratio >= 1 else len(str(int(1 / ratio)))))
    return Fraction(round(ratio * scale), scale)


def gas_of_a_slice(view: VaultView) -> Fraction:
    """{USD} At the block's own fees; nothing where the native coin has no price."""
    if isinstance(view.native_price, Unusable):
        return Fraction(0)
    # {wei} = {gas} * {wei / gas}
    cost = TokenAmount(view.native.token, GAS_OF_A_SLICE * ((view.block.base_fee or 0) + (view.tip or 0)))
    return view.native_price.mid.value(cost, Rounding.UP).whole


def _depth(best: PoolState, trade: Trade, view: VaultView) -> Fraction:
    """{USD} One side of the constant-product pool that gives as much for this trade as all pools together do, if it
    begins where the best one does; 0 where it is not felt."""
    quoted, marginal = view.quote(trade.sell, trade.buy), best.marginal(trade.sell.token, trade.buy)
    if not isinstance(quoted, Quoted) or not isinstance(marginal, Fraction):
        return Fraction(0)
    found = input_reserve(trade.sell.raw, quoted.out.raw, marginal, best.pool.fee)
    sell = trade.sell.token
    return Fraction(0) if found is None else view.price(sell).mid.value(TokenAmount(sell, int(found))).whole


def _least(trade: Trade, wishes: Slicing) -> int:
    """How many slices the clip asks for, whatever they cost."""
    return 1 if wishes.clip is None else -(-trade.notional.raw // wishes.clip.raw)


def _spacing(fee: Fraction, wishes: Slicing) -> int:
    """{s} The least wait is half the mean, so the mean is twice what must pass at least."""
    wanted = wishes.spacing
    if wanted is None:
        settled = ratio_to_int(4 * slicing.settling_time(fee, wishes.volatility), Rounding.UP)
        wanted = min(settled, LONGEST_SPACING)
    return max(1, wanted, 2 * wishes.least_wait)


def _urgency(view: VaultView, wishes: Slicing, spacing: int, depth: Fraction) -> Fraction:
    """Only a deadline makes haste: without one, waiting costs nothing that larger slices would save."""
    held = [(view.prices.get(token), amount) for token, amount in view.holdings.items()]
    worth = [price.mid.value(amount).whole for price, amount in held if isinstance(price, MarketPrice)]
    if wishes.deadline is None or not sum(worth):
        return Fraction(0)
    # λ {1/USD} = G / (2·NAV): the same dislike of variance that bands are made with
    risk = wishes.risk_aversion / (2 * sum(worth, Fraction(0)))
    found = slicing.urgency(risk, wishes.volatility, spacing, depth)
    return Fraction(round(found * 10**12), 10**12)
