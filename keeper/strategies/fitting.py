"""What trading a pair costs now, from the snapshot's exact quotes and gas: the f, c and k of MATH 1."""

from __future__ import annotations

from fractions import Fraction

from keeper.core import text
from keeper.core.chain import Unusable, VaultView
from keeper.core.pools import NoLiquidity, NoQuote, PoolState
from keeper.core.units import Rounding, Token, TokenAmount
from keeper.strategies.no_trade_region import Costs

SHARES = (Fraction(1, 50), Fraction(1, 200), Fraction(1, 1_000))
"""Of the vault: what is asked for. Trades of most bands lie between these; the two largest that fill count."""

GAS_OF_LEG = 230_000
"""Of a wallet: an approval that turns a zero into a figure 46,000, a swap through a router over one pool 110,000 (v2)
to 150,000 (v3, a few ticks), and the approval back to zero 26,000, rounded up. A Safe or a contract that does it in
one transaction saves 42,000 and spends about as much on its own checks."""


def gas_of_rebalance(view: VaultView, gas: int) -> TokenAmount | Unusable:
    """{numeraire} `gas` units at this block's base fee and the tip that recent blocks paid, rounded up.

    What an L2 charges beside its gas is not in the view before a simulation, so it is not in here.
    """
    if isinstance(view.native_price, Unusable):
        return Unusable(f"gas has no price: {view.native_price.reason}")
    if view.block.base_fee is None and view.tip is None:
        return Unusable("gas has no price: the node said neither a base fee nor a gas price")
    per_unit = (view.block.base_fee or 0) + (view.tip or 0)
    return view.native_price.mid.value(TokenAmount(view.native_price.mid.base, gas * per_unit), Rounding.UP)


def fit(view: VaultView, sell: Token, buy: Token, value: TokenAmount, gas: TokenAmount) -> Costs | NoQuote:
    """Costs of selling `sell` for `buy` in the pool that is best for size; shares of a vault worth `value`.

    A quote for a share x loses `r = c + k·x` against the pool's own mid: two sizes give both. How far that mid lies
    from the oracle's is left aside, since arbitrage will have changed it by the next trade.
    """
    found: list[tuple[Fraction, Fraction]] = []
    pool: PoolState | None = None
    refusal: NoQuote = NoLiquidity(f"no pool of this vault trades {sell.symbol} for {buy.symbol}")
    for share in SHARES:
        amount = view.price(sell).mid.amount(value.times(share, Rounding.DOWN))
        if not amount:
            refusal = NoLiquidity(
                f"{text.percent(share * 10_000)} of the vault is less than a raw unit of {sell.symbol}"
            )
            continue
        best = (pool, pool.out_for(amount, buy)) if pool else view.best(amount, buy)
        if not isinstance(best, tuple):
            refusal = best
            continue
        state, quote = best
        if not isinstance(quote, TokenAmount):
            refusal = quote
            continue
        lost = _lost(state, amount, quote)
        if not isinstance(lost, Fraction):
            return lost
        pool = state
        found.append((share, lost))
    if pool is None:
        return refusal
    return Costs(gas.over(value), *_line(found[:2], pool.pool.fee))


def _lost(state: PoolState, sell: TokenAmount, quote: TokenAmount) -> Fraction | NoQuote:
    """Share of the pool's mid that a quote stays short of."""
    marginal = state.marginal(sell.token, quote.token)
    if not isinstance(marginal, Fraction):
        return marginal
    # {1} = {buy raw} / ({sell raw} * {buy raw / sell raw})
    return 1 - quote.raw * (1 - state.pool.fee) / (sell.raw * marginal)


def _line(points: list[tuple[Fraction, Fraction]], fee: Fraction) -> tuple[Fraction, Fraction]:
    """c and k, neither below zero. One point alone is laid on a line that begins at the pool's fee."""
    (large, lost), (small, less) = points[0], points[1] if len(points) > 1 else (Fraction(0), fee)
    slope = max(Fraction(0), (lost - less) / (large - small))
    return max(Fraction(0), lost - slope * large), slope
