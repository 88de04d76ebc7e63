"""What a peg may still trade on each side: its capacity within a window, and the inventory that must stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeper.core.chain import VaultView
from keeper.core.pegs import BUY, SELL, Renewal, Stock, Trace
from keeper.core.units import Token, TokenAmount
from keeper.strategies.peg_price import Pair


@dataclass(frozen=True, slots=True)
class Hoard:
    """Bounds of one coin's balance."""

    least: TokenAmount | None = None
    most: TokenAmount | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What the vault may put at stake. `capacity` is for each side within `window` seconds."""

    capacity: TokenAmount
    window: int
    inventory: Mapping[Token, Hoard] = field(default_factory=dict)

    def sellable(self, token: Token, view: VaultView) -> TokenAmount:
        """What may be sold of it without falling below its least."""
        held, least = _held(token, view), self.inventory.get(token, Hoard()).least
        return held if least is None else max(TokenAmount.zero(token), held - least)

    def buyable(self, token: Token, view: VaultView) -> TokenAmount | None:
        """What may be bought of it without rising above its most; None where nothing limits it."""
        held, most = _held(token, view), self.inventory.get(token, Hoard()).most
        return None if most is None else max(TokenAmount.zero(token), most - held)

    def stock(self, side: int, pair: Pair, view: VaultView, trace: Trace) -> Stock:
        """Both prices must be usable."""
        sell, buy = directed(side, pair)
        since = max(view.block.timestamp - self.window, trace.renewals.get(side, Renewal()).at)
        used = sum(
            (trade.notional for trade in view.history.since(since) if trade.sold == sell.address),
            TokenAmount.zero(self.capacity.token),
        )
        inventory = view.price(sell).mid.value(self.sellable(sell, view))
        if (room := self.buyable(buy, view)) is not None:
            inventory = min(inventory, view.price(buy).mid.value(room))
        return Stock(side, self.capacity, max(self.capacity - used, TokenAmount.zero(used.token)), inventory)

    def stocks(self, pair: Pair, view: VaultView, trace: Trace) -> tuple[Stock, ...]:
        return tuple(self.stock(side, pair, view, trace) for side in (BUY, SELL))


def directed(side: int, pair: Pair) -> tuple[Token, Token]:
    """What is sold and what is bought."""
    return (pair.coin, pair.against) if side == SELL else (pair.against, pair.coin)


def _held(token: Token, view: VaultView) -> TokenAmount:
    return view.holdings.get(token, TokenAmount.zero(token))
