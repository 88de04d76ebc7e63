"""One pairing made into one trade: full size, then the clip, then the dust limit."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import cache

from keeper.core import text
from keeper.core.chain import VaultView
from keeper.core.market import Quoted
from keeper.core.plan import Trade
from keeper.core.pools import NoLiquidity, NoQuote
from keeper.core.units import Address, Token, TokenAmount
from keeper.core.weighing import Weighing
from keeper.strategies.netting import Pairing
from keeper.strategies.sizing import largest_sell, without_impact

Ask = Callable[[int], Quoted | NoQuote]
"""What selling so much {sell raw} brings: a search for a size comes back to the same amounts, each is quoted once."""


@dataclass(frozen=True, slots=True)
class Sized:
    """A trade, the pools whose quotes it was sized on, and the balances after those quotes.

    `slices` is about how many trades of this size the pairing needs; 1 where the clip does not bind.
    """

    trade: Trade
    pairing: Pairing
    pools: frozenset[Address]
    slices: int
    after: Weighing


@dataclass(frozen=True, slots=True)
class Left:
    """No trade for now: `code` is dust or no_liquidity."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The least and the most that one trade may be worth, in the numeraire; and, where later trades of the plan will
    cost something, the value that the vault will have in the end, in the unit of the scales."""

    dust: TokenAmount
    clip: TokenAmount | None
    least_total: int | None = None


def size(pairing: Pairing, scales: Weighing, view: VaultView, used: Set[Address], limits: Limits) -> Sized | Left:
    """The trade for `pairing` on these balances, quoted in pools that this plan has not used yet."""

    @cache
    def ask(raw: int) -> Quoted | NoQuote:
        return view.quote(TokenAmount(pairing.sell, raw), pairing.buy, used)

    full = TokenAmount(pairing.sell, _largest(ask, view, pairing, scales, limits))
    if not full:
        return _nothing(ask, pairing, scales)
    sell, slices = _clipped(full, view, limits.clip)
    notional = view.price(pairing.sell).mid.value(sell)
    if not sell or notional < limits.dust:
        what = f"selling {text.amount(sell)} ({text.usd(notional)})"
        return Left("dust", f"{what} for {pairing.buy.symbol} is below the dust limit of {text.usd(limits.dust)}")
    found = _quote(ask, sell, pairing.buy)
    if not isinstance(found, Quoted):
        return Left("no_liquidity", found.reason)
    after = scales.after({pairing.sell: -sell.raw, pairing.buy: found.out.raw})
    return Sized(Trade(sell, pairing.buy, notional), pairing, found.pools, slices, after)


def _quote(ask: Ask, sell: TokenAmount, buy: Token) -> Quoted | NoQuote:
    found = ask(sell.raw)
    if isinstance(found, Quoted) and not found.out:
        return NoLiquidity(f"{text.amount(sell)} brings no {buy.symbol}")
    return found


def _largest(ask: Ask, view: VaultView, pairing: Pairing, scales: Weighing, limits: Limits) -> int:
    def quote(raw: int) -> int | None:
        found = ask(raw)
        return found.out.raw if isinstance(found, Quoted) else None

    def edge(raw: int) -> int | None:
        """As the pool tells, where it is sold in only one."""
        found = ask(raw)
        if not isinstance(found, Quoted) or len(found.pools) > 1:
            return None
        least = next(state.in_for(found.out, pairing.sell) for state in view.pools if state.pool.address in found.pools)
        return least.raw if isinstance(least, TokenAmount) else None

    return largest_sell(scales, pairing, quote, limits.least_total, edge)


def _nothing(ask: Ask, pairing: Pairing, scales: Weighing) -> Left:
    wanted = TokenAmount(pairing.sell, without_impact(scales, pairing))
    found = _quote(ask, wanted, pairing.buy) if wanted else None
    if found is None or isinstance(found, Quoted):
        return Left("dust", f"one raw unit of {pairing.sell.symbol} is more than what should be sold")
    return Left("no_liquidity", f"{text.amount(wanted)} cannot be sold for {pairing.buy.symbol}: {found.reason}")


def _clipped(full: TokenAmount, view: VaultView, clip: TokenAmount | None) -> tuple[TokenAmount, int]:
    """What one transaction may sell, and about how many of them the full size needs."""
    mid = view.price(full.token).mid
    notional = mid.value(full)
    if clip is None or notional <= clip:
        return full, 1
    return mid.amount(clip), -(-notional.raw // clip.raw)
