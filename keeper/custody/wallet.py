"""A plain wallet: the key's own account holds the funds, so one transaction is one call, and each is sent by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from keeper.core import text
from keeper.core.abi import calldata
from keeper.core.authority import WorstLoss
from keeper.core.calls import Call, Calls, Purpose
from keeper.core.chain import Unusable, VaultView
from keeper.core.market import FirstCall
from keeper.core.plan import Trade
from keeper.core.pools import Router
from keeper.core.units import Address, Rounding, Token, TokenAmount
from keeper.custody.approvals import approve, leftovers, revoke
from keeper.custody.authority import everything

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
        """Of the first trade what one call can carry: the rest is planned anew once it is confirmed. It sells at most
        what is already approved, where that is nearly all of it, and a round figure where it must be approved first."""
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
        call = self._unwrapping(view) or next(iter(leftovers(view, self.routers)), None)
        return Calls((call,)) if call else None

    def authority(self, view: VaultView) -> WorstLoss | Unusable:
        return everything(view, "a wallet's key moves all that it holds, and with a delegation (EIP-7702) at once")

    # --- steps before a swap -----------------------------------------------------------------------------------------

    def _within_allowance(self, trade: Trade, view: VaultView) -> Trade:
        first = view.first_call(trade.sell, trade.buy)
        if not isinstance(first, FirstCall):
            return trade
        part = trade if first.sell == trade.sell else trade.selling(first.sell)
        part = replace(part, via=first.pools, calls=first.calls)
        approved = TokenAmount(part.sell.token, view.allowances.get((part.sell.token, first.router.address), 0))
        if approved >= part.sell:
            return part
        is_enough = approved >= part.sell.times(_ENOUGH, Rounding.UP)
        return part.selling(approved if is_enough else _round(part.sell))

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
        reset = [revoke(sell.token, spender, self.routers)] if approved else []
        return [*reset, approve(sell, spender, self.routers)]

    # --- putting right -----------------------------------------------------------------------------------------------

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
