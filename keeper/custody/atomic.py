"""Custody that does everything in one transaction: all of it happens, or nothing does.

An allowance never outlives its transaction: it is set to exactly what is sold, used, and set to zero again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eth_abi.exceptions import DecodingError

from keeper.core import text
from keeper.core.authority import WorstLoss
from keeper.core.calls import Call, Calls, Inner, Purpose
from keeper.core.chain import Read, Unusable, VaultView
from keeper.core.plan import Trade
from keeper.core.pools import Router
from keeper.core.units import Address, Token, TokenAmount
from keeper.custody.approvals import approve, leftovers, revoke
from keeper.custody.envelope import Envelope
from keeper.custody.multi_send import bundle, unbundle

_WORDS = {Purpose.REVOKE: "approve 0"}


@dataclass(frozen=True, slots=True)
class Atomic:
    """A Safe that one key moves, through `envelope`. Guarantees: each sequence is one call of its target, and
    what is inside can be read back from its bytes alone. Native coin of the Safe is left alone.

    `most` is what one transaction may trade, in the numeraire.
    """

    envelope: Envelope
    routers: tuple[Router, ...]
    multi_send: Address
    most: TokenAmount

    @property
    def reads(self) -> tuple[Read, ...]:
        return self.envelope.reads

    # --- the port ----------------------------------------------------------------------------------------------------

    def take(self, trades: Sequence[Trade], view: VaultView) -> Sequence[Trade]:
        """As many as fit into one transaction, in order, each with what the account holds already and may still sell:
        no leg depends on what another one brings."""
        left = {token: amount.raw for token, amount in view.balances.items()}
        for token, raw in self.envelope.left(view).items():
            left[token] = min(left.get(token, raw), raw)
        taken: list[Trade] = []
        traded = TokenAmount.zero(self.most.token)
        for trade in trades:
            token = trade.sell.token
            most = min(trade.sell.raw, left.get(token, trade.sell.raw))
            part = trade.selling(TokenAmount(token, most)) if 0 < most < trade.sell.raw else trade
            fits = most > 0 and traded + part.notional <= self.most
            if taken and not fits:
                continue
            taken.append(part)
            traded = traded + part.notional
            left[token] = left.get(token, 0) - part.sell.raw
        return taken

    def wrap(self, calls: Sequence[Call], view: VaultView) -> Calls:
        """One call: revoke what is left over, approve what is sold, swap, and revoke again."""
        sold: dict[tuple[Token, Address], TokenAmount] = {}
        for call in calls:
            if call.spends is not None:
                key = call.spends.token, call.to
                sold[key] = sold[key] + call.spends if key in sold else call.spends
        before = [step for (_, spender), amount in sold.items() for step in self._approving(amount, spender, view)]
        after = [revoke(token, spender, self.routers) for token, spender in sold]
        return Calls((self._outer((*before, *calls, *after)),))

    def tidy(self, view: VaultView) -> Calls | None:
        """Everything that is left over, at once."""
        calls = leftovers(view, self.routers)
        return Calls((self._outer(tuple(calls)),)) if calls else None

    def authority(self, view: VaultView) -> WorstLoss | Unusable:
        return self.envelope.authority(view)

    # --- what is judged ----------------------------------------------------------------------------------------------

    def open(self, data: bytes) -> tuple[Inner, ...] | str:
        """The calls inside outer calldata, or why these bytes are not exactly what `wrap` would write of them."""
        title = self.envelope.title
        try:
            operation = self.envelope.unseal(data)
        except (DecodingError, ValueError, OverflowError) as error:
            return f"{title}: {error}"
        inner = unbundle(operation, self.multi_send)
        if not isinstance(inner, str) and self.envelope.seal(operation) != data:
            return f"{title}: expected no gas refund and this key's own signature, role and flags, found others"
        return inner

    def objection(self, calls: Calls, view: VaultView) -> str:
        """Why the key may not do this at this block, or an empty string."""
        if told := self.envelope.standing(view):
            return told
        left = self.envelope.left(view)
        for token, raw in _sold(calls.steps).items():
            if raw > (most := left.get(token, raw)):
                wanted, allowed = text.amount(TokenAmount(token, raw)), text.amount(TokenAmount(token, most))
                return f"allowance: {allowed} may still be sold, the order sells {wanted}"
        return ""

    # --- steps -------------------------------------------------------------------------------------------------------

    def _approving(self, sell: TokenAmount, spender: Address, view: VaultView) -> list[Call]:
        """An allowance that is left over goes first: some tokens change none that is not zero."""
        is_left = view.allowances.get((sell.token, spender), 0)
        reset = [revoke(sell.token, spender, self.routers)] if is_left else []
        return [*reset, approve(sell, spender, self.routers)]

    def _outer(self, inner: Sequence[Call]) -> Call:
        operation = bundle([(call.to, call.value, call.data) for call in inner], self.multi_send)
        data, purposes = self.envelope.seal(operation), [call.purpose for call in inner]
        purpose = Purpose.SWAP if Purpose.SWAP in purposes else purposes[0]
        says = f"{self.envelope.title} → {_told(inner)}"
        return Call(self.envelope.target, data, 0, purpose, says, inner=tuple(inner))


def _told(inner: Sequence[Call]) -> str:
    if len(inner) == 1:
        return inner[0].text
    return f"MultiSend[{', '.join(_WORDS.get(call.purpose, str(call.purpose)) for call in inner)}]"


def _sold(calls: Sequence[Call]) -> Mapping[Token, int]:
    """{raw}"""
    sold: dict[Token, int] = {}
    for call in calls:
        if call.spends is not None:
            sold[call.spends.token] = sold.get(call.spends.token, 0) + call.spends.raw
    return sold
