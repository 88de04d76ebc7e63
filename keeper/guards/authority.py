"""Guards of what the key may do at all: pinned targets and selectors, our own account as recipient, and no pause."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar

from keeper.core.abi import address_word, selector, word
from keeper.core.calls import Call, Calls, Opener, Purpose
from keeper.core.chain import VaultView
from keeper.core.plan import Draft, OrderLeg
from keeper.core.pools import Router
from keeper.core.units import WHOLE_BPS, Address, Rounding, Token
from keeper.core.verdicts import Allow, Deny, Verdict
from keeper.guards.swaps import Swap, decode_swaps

UNFLOORED = frozenset({"erc4626"})
"""Kinds of routers whose calls carry no floor."""
_POOL_ID = "pool_id"
"""The detail by which a Balancer pool was pinned."""
_APPROVE = selector("approve(address,uint256)")
_DEPOSIT = selector("deposit()")
_WITHDRAW = selector("withdraw(uint256)")


Objection = Callable[[Calls, VaultView], str]
"""Why the key may not send these calls at the view's block, or an empty string."""


def no_objection(calls: Calls, view: VaultView) -> str:  # noqa: ARG001  whoever holds the funds need not ask
    return ""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Every call of the sequence, by its bytes: the target and the selector that its purpose permits, and what it says.

    `routers` are those of the vault's pinned pools, `tokens` the vault's, `wrapped` the wrapped native token if native
    coin may be wrapped. A swap must pay out to the vault's account, sell what was ordered, and carry min_out and
    deadline; an approval goes to one of the routers and covers no more than the order; only a wrap carries native coin.

    Where the key acts through something else (a contract, a Safe), `openers` unwrap what it may send there, by target
    and selector: the bytes must hold just the calls that were planned, and each of these is judged as above.
    `objection` says why the key may not act there any more.

    `preview` {bps} is how much less than quoted a call without a floor (ERC-4626) may bring in the simulation; None: no
    such call is allowed.
    """

    routers: tuple[Router, ...]
    tokens: tuple[Token, ...]
    wrapped: Token | None = None
    openers: Mapping[tuple[Address, bytes], Opener] = field(default_factory=dict)
    objection: Objection = no_objection
    preview: int | None = None
    key: ClassVar[str] = "allow_list"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        limit = "pinned targets and selectors"
        if told := self.objection(draft.calls, view):
            remedy = "It clears itself once the key has its right, or its allowance, again."
            return Deny(self.key, told, "the key may not act", limit, remedy=remedy, for_people=True)
        calls = draft.calls.steps
        legs = list(draft.order.legs) if draft.order else []
        outer = ((call.text, self._carried(call)) for call in draft.calls.sequence)
        faults = [*self._swaps_match(calls, legs), *(f"{text}: {fault}" for text, fault in outer if fault)]
        for call in calls:
            mine, legs = legs[: len(call.sells)], legs[len(call.sells) :]
            fault = self._fault(call, mine, draft, view)
            faults += [f"{call.text}: {fault}"] if fault else []
        measured = f"{len(calls)} {'call' if len(calls) == 1 else 'calls'}"
        if not faults:
            return Allow(self.key, measured, limit)
        remedy = "Nothing clears this by itself: a call was built that this vault must never send."
        return Deny(self.key, faults[0], f"{len(faults)} of {measured} not allowed", limit, None, tuple(faults), remedy)

    def _swaps_match(self, calls: tuple[Call, ...], legs: list[OrderLeg]) -> list[str]:
        swaps = sum(len(call.sells) or call.purpose is Purpose.SWAP for call in calls)
        return [] if swaps == len(legs) else [f"swaps: expected {len(legs)} as ordered, were {swaps}"]

    def _carried(self, call: Call) -> str:
        """What is wrong with how a call reaches the account; empty where the key's own account makes it."""
        if not call.inner:
            return "expected a call through the custody of the funds, was one of the key's own" if self.openers else ""
        opener = self.openers.get((call.to, call.selector))
        if opener is None:
            return f"target: {call.to} carries no calls of this vault"
        if call.value:
            return f"value: expected 0, was {call.value} wei"
        found = opener(call.data)
        if isinstance(found, str):
            return found
        planned = [(inner.to, inner.value, inner.data) for inner in call.inner]
        return "" if list(found) == planned else "calldata: expected the planned calls inside, found others"

    def _fault(self, call: Call, legs: Sequence[OrderLeg], draft: Draft, view: VaultView) -> str:
        """What is wrong with one call, which fills `legs`; empty where nothing is."""
        if call.value and call.purpose is not Purpose.WRAP:
            return f"value: expected 0, was {call.value} wei"
        match call.purpose:
            case Purpose.SWAP:
                return self._swaps(call, legs, draft, view)
            case Purpose.APPROVE | Purpose.REVOKE:
                return self._approval(call, draft)
            case Purpose.WRAP:
                return self._wrapping(call, call.data == _DEPOSIT and call.value > 0)
            case Purpose.UNWRAP:
                return self._wrapping(call, call.selector == _WITHDRAW and len(call.data) == 36)
            case _:
                return f"purpose: {call.purpose} is not for a vault to plan"

    def _swaps(self, call: Call, legs: Sequence[OrderLeg], draft: Draft, view: VaultView) -> str:
        router = next((router for router in self.routers if router.address == call.to), None)
        if router is None:
            return f"target: {call.to} is no router of this vault's pools"
        if not legs:
            return "no leg of the order belongs to it"
        swaps = decode_swaps(router, call.data)
        if isinstance(swaps, str):
            return swaps
        if len(swaps) != len(legs):
            return f"multicall: expected {len(legs)} inside, found {len(swaps)}"
        pairs = zip(swaps, legs, strict=True)
        if router.kind in UNFLOORED and (short := self._short(legs[0], draft)):
            return short
        return next((fault for swap, leg in pairs if (fault := self._swap(call, swap, leg, view))), "")

    def _short(self, leg: OrderLeg, draft: Draft) -> str:
        """What is wrong with a call that cannot say the least that it must bring."""
        if self.preview is None:
            return "min_out: its call has none, and no preview_tolerance is set"
        least = leg.leg.quote.times(1 - Fraction(self.preview, WHOLE_BPS), Rounding.UP)
        found = draft.simulation.deltas.get(leg.leg.buy, 0)
        return (
            ""
            if found >= least.raw
            else f"simulation: expected at least {least.raw} raw {least.token.symbol}, was {found}"
        )

    def _swap(self, call: Call, swap: Swap, leg: OrderLeg, view: VaultView) -> str:
        wanted, is_free = tuple(token.address for token in leg.leg.tokens), leg.leg.router.kind in UNFLOORED
        fees = tuple(pool.fee for pool in leg.leg.pools) if swap.fees else ()
        spacings = tuple(pool.spacing for pool in leg.leg.pools) if swap.spacings else ()
        ids = tuple(str(pool.detail(_POOL_ID)) for pool in leg.leg.pools) if swap.ids else ()
        checks = (
            ("router", leg.leg.router.address, call.to),
            # Without one it pays whoever calls, which is the account: the key's own, or what its custody calls from.
            ("recipient", view.account, swap.recipient or view.account),
            ("tokens", wanted, swap.tokens),
            ("fees", _listed(fees), _listed(swap.fees)),
            ("spacings", _listed(spacings), _listed(swap.spacings)),
            ("pools", _listed(ids), _listed(swap.ids)),
            ("sell", leg.leg.sell.raw, swap.sell),
            ("min_out", 0 if is_free else leg.min_out.raw, swap.min_out),
        )
        wrong = next(((name, want, was) for name, want, was in checks if want != was), None)
        if wrong:
            return f"{wrong[0]}: expected {wrong[1]}, was {wrong[2]}"
        if swap.min_out <= 0 and not is_free:
            return "min_out: expected more than 0, was 0"
        in_time = swap.deadline is None or swap.deadline > view.block.timestamp
        return "" if in_time else f"deadline: {swap.deadline} has passed"

    def _approval(self, call: Call, draft: Draft) -> str:
        token = next((token for token in self.tokens if token.address == call.to), None)
        if token is None:
            return f"target: {call.to} is no token of this vault"
        if call.selector != _APPROVE or len(call.data) != 68:
            return f"selector: expected 0x{_APPROVE.hex()}, found 0x{call.selector.hex()}"
        try:
            spender, raw = address_word(call.data[4:], 0), word(call.data[4:], 1)
        except ValueError as error:
            return str(error)
        if call.purpose is Purpose.REVOKE:  # whoever it takes an allowance from
            return "" if raw == 0 else f"revoke: expected 0, was {raw}"
        if spender not in {router.address for router in self.routers}:
            return f"spender: {spender} is no router of this vault's pools"
        most = _ordered(draft, token, spender)
        return "" if 0 < raw <= most else f"approval: expected 1 to {most} raw {token.symbol}, was {raw}"

    def _wrapping(self, call: Call, is_well_formed: bool) -> str:
        if self.wrapped is None or call.to != self.wrapped.address:
            return f"target: {call.to} is not the wrapped native token"
        return "" if is_well_formed else f"0x{call.data.hex()} with {call.value} wei is no {call.purpose}"


def _listed(figures: Sequence[object]) -> str:
    return ", ".join(map(str, figures)) or "none"


def _ordered(draft: Draft, token: Token, spender: Address) -> int:
    """{raw} What the order lets this router take of this token."""
    legs = (leg.leg for leg in draft.order.legs) if draft.order else ()
    return sum(leg.sell.raw for leg in legs if leg.sell.token == token and leg.router.address == spender)


@dataclass(frozen=True, slots=True)
class Paused:
    """Nobody has paused this vault."""

    key: ClassVar[str] = "paused"

    def check(self, draft: Draft, view: VaultView) -> Verdict:  # noqa: ARG002  every guard is given both
        if not view.history.paused:
            return Allow(self.key, "not paused", "not paused")
        remedy = f"It ends with: keeper resume {view.vault}"
        return Deny(self.key, view.history.paused, "paused", "", remedy=remedy)
