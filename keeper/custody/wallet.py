"""A plain wallet: the key's own account holds the funds, so one transaction is one call, and each is sent by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.core import text
from keeper.core.abi import calldata
from keeper.core.chain import MarketPrice, Router, VaultView
from keeper.core.plan import Call, Calls, Purpose, Trade
from keeper.core.units import USD, Address, Rounding, Token, TokenAmount

_ENOUGH = Fraction(9, 10)
"""An allowance that covers this share of a trade is used as it is: the market moves a little while the approval is
mined, and another approval would cost more than the tenth that is left for the next cycle."""

_DIGITS = 4
"""A trade that still needs its approval is rounded down to so many significant digits. The plan that follows the
approval differs a little, because the market moved; it then still sells all that was approved, and nothing is left
over to be revoked. What this leaves undone is less than a thousandth of the trade."""

_LOW, _REFILL = Fraction(3, 2), 2
"""Unwrap below one and a half gas reserves, up to two. At exactly one it would be too late: the guard gas_reserve wants
all of it to be left after the next transaction, and an account just above it could neither trade nor unwrap."""

_NAMES = {"v2_router": "the v2 router", "swap_router": "SwapRouter", "swap_router02": "SwapRouter02"}


@dataclass(frozen=True, slots=True)
class Wallet:
    """Guarantees: approvals are exact, to the routers of the vault's own pools, and only for a swap that follows in the
    same sequence; a non-zero allowance is set to zero before another one (some tokens require it); what is left over is
    revoked. Does not guarantee atomicity: between an approval and its swap another block passes.

    `wrapped` is the wrapped native token, None where native coin does not count; `gas_reserve` is in native coin.
    """

    routers: tuple[Router, ...]
    wrapped: Token | None
    gas_reserve: TokenAmount

    def take(self, trades: Sequence[Trade], view: VaultView) -> Sequence[Trade]:
        """The first trade only: the others are planned anew once it is confirmed. It sells at most what is already
        approved, where that is nearly all of it, and a round figure where it must be approved first."""
        return [self._within_allowance(trade, view) for trade in trades[:1]]

    def wrap(self, calls: Sequence[Call], view: VaultView) -> Calls:
        """Wrap, revoke, approve, swap: of these, the steps that are not yet done, in this order."""
        swap, *_ = calls
        if swap.spends is None:
            return Calls((swap,))
        sell, spender = swap.spends, swap.to
        return Calls((*self._wrapping(sell, view), *self._approving(sell, spender, view), swap))

    def tidy(self, view: VaultView) -> Calls | None:
        """First gas, without which nothing else can be sent; then allowances that no trade wants any more."""
        call = self._unwrapping(view) or next(iter(self._leftovers(view)), None)
        return Calls((call,)) if call else None

    def authority(self, view: VaultView) -> str:
        """The worst this key could do, in a sentence with the figure."""
        worth = TokenAmount.zero(USD)
        unknown = []
        for token, amount in view.holdings.items():
            price = view.prices.get(token)
            if isinstance(price, MarketPrice):
                worth = worth + price.mid.value(amount)
            elif amount:
                unknown.append(text.amount(amount))
        also = f" and {', '.join(unknown)} without a price" if unknown else ""
        return (
            f"whoever holds this key can take everything in {view.account}: "
            f"{text.usd(worth)}{also}, and {text.amount(view.native)} of native coin in all"
        )

    # --- steps before a swap -----------------------------------------------------------------------------------------

    def _within_allowance(self, trade: Trade, view: VaultView) -> Trade:
        found = view.best(trade.sell, trade.buy)
        if not isinstance(found, tuple):
            return trade
        approved = TokenAmount(
            trade.sell.token, view.allowances.get((trade.sell.token, found[0].pool.router.address), 0)
        )
        if approved >= trade.sell:
            return trade
        is_enough = approved >= trade.sell.times(_ENOUGH, Rounding.UP)
        return trade.selling(approved if is_enough else _round(trade.sell))

    def _wrapping(self, sell: TokenAmount, view: VaultView) -> list[Call]:
        missing = sell - view.balances.get(sell.token, TokenAmount.zero(sell.token))
        if sell.token != self.wrapped or missing.raw <= 0:
            return []
        says = f"wrap {text.amount(TokenAmount(view.native.token, missing.raw))}"
        return [Call(sell.token.address, calldata("deposit()"), missing.raw, Purpose.WRAP, says)]

    def _approving(self, sell: TokenAmount, spender: Address, view: VaultView) -> list[Call]:
        approved = view.allowances.get((sell.token, spender), 0)
        if approved >= sell.raw:
            return []
        reset = [self._revoke(sell.token, spender)] if approved else []
        return [*reset, self._approve(sell, spender)]

    def _approve(self, amount: TokenAmount, spender: Address) -> Call:
        data = calldata("approve(address,uint256)", spender, amount.raw)
        says = f"approve {text.amount(amount)} to {self._name(spender)}"
        return Call(amount.token.address, data, 0, Purpose.APPROVE, says)

    def _revoke(self, token: Token, spender: Address) -> Call:
        data = calldata("approve(address,uint256)", spender, 0)
        says = f"revoke the {token.symbol} allowance of {self._name(spender)}"
        return Call(token.address, data, 0, Purpose.REVOKE, says)

    def _name(self, spender: Address) -> str:
        kind = next((router.kind for router in self.routers if router.address == spender), "")
        return f"{_NAMES.get(kind, kind)} {spender[:6]}…{spender[-4:]}".strip()

    # --- putting right -----------------------------------------------------------------------------------------------

    def _leftovers(self, view: VaultView) -> list[Call]:
        """Revokes, in an order that does not depend on how the view was read."""
        known = {router.address for router in self.routers}
        left = [key for key, raw in view.allowances.items() if raw and key[1] in known]
        return [self._revoke(*key) for key in sorted(left, key=lambda each: (each[0].address, each[1]))]

    def _unwrapping(self, view: VaultView) -> Call | None:
        low = self.gas_reserve.times(_LOW, Rounding.DOWN)
        if self.wrapped is None or view.sender != view.account or view.native >= low:
            return None
        wanted = self.gas_reserve.times(_REFILL, Rounding.DOWN) - view.native
        held = view.balances.get(self.wrapped, TokenAmount.zero(self.wrapped))
        raw = min(wanted.raw, held.raw)
        if not raw:
            return None
        says = f"unwrap {text.amount(TokenAmount(self.wrapped, raw))} to refill the gas reserve"
        return Call(self.wrapped.address, calldata("withdraw(uint256)", raw), 0, Purpose.UNWRAP, says)


def _round(amount: TokenAmount) -> TokenAmount:
    """The nearest round figure below."""
    unit = 10 ** max(0, len(str(amount.raw)) - _DIGITS)
    return TokenAmount(amount.token, amount.raw - amount.raw % unit)
