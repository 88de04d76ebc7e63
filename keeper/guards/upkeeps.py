"""Guards of an upkeep's call: it succeeds, it goes where it may, and it costs no more than it may. Pure.

Beside these an upkeep has max_base_fee, gas_reserve and paused, as vaults do. Limits of gas are in the numeraire or in
native coin: an upkeep needs no price of anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from keeper.core import text
from keeper.core.calls import Call, Purpose
from keeper.core.chain import Unusable, VaultView
from keeper.core.plan import Draft
from keeper.core.units import USD, Address, TokenAmount
from keeper.core.verdicts import Allow, Deny, Verdict
from keeper.guards.verdicts import at_most, failed

_CALMER = "It clears itself when gas is cheaper."


@dataclass(frozen=True, slots=True)
class Succeeds:
    """The call, simulated from our own sender, does not revert."""

    key: ClassVar[str] = "succeeds"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        if not draft.simulation.failure:
            return Allow(self.key, "simulated ok", "must succeed")
        denied = failed(self.key, draft.simulation.failure)
        sender = view.sender or view.account
        remedy = f"{denied.remedy} A contract that lets only its forwarder call must be told {sender}: keeper check."
        return Deny(self.key, denied.reason, denied.measured, denied.limit, remedy=remedy)


@dataclass(frozen=True, slots=True)
class GasLimit:
    """The gas that the transaction would be given, {units}, margin included."""

    limit: int
    key: ClassVar[str] = "gas_limit"

    def check(self, draft: Draft, view: VaultView) -> Verdict:  # noqa: ARG002  every guard is given both
        wanted = draft.simulation.gas_limit
        return at_most(self.key, (wanted, self.limit), (f"{wanted:,}", f"{self.limit:,}"), "it needs too much gas")


@dataclass(frozen=True, slots=True)
class MaxGas:
    """What the gas of one call is expected to cost, in the limit's own token: the numeraire or native coin."""

    limit: TokenAmount
    key: ClassVar[str] = "max_gas"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        cost = _cost(draft, self.limit)
        if cost is None:
            return _no_price(self.key, self.limit, view)
        texts = _amount(cost), _amount(self.limit)
        return at_most(self.key, (cost.raw, self.limit.raw), texts, "its gas is too dear", remedy=_CALMER)


@dataclass(frozen=True, slots=True)
class MaxGasPerDay:
    """Gas of the calls in a rolling window, reverted ones included, and of this one, in the limit's own token."""

    limit: TokenAmount
    seconds: int = 86_400
    key: ClassVar[str] = "max_gas_per_day"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        cost, cutoff = _cost(draft, self.limit), view.block.timestamp - self.seconds
        if cost is None:
            return _no_price(self.key, self.limit, view)
        spent = cost
        if self.limit.token == USD:
            spent = sum((value for at, value in view.history.gas if at > cutoff), cost)
        else:
            spent += TokenAmount(cost.token, sum(call.gas_cost for call in view.history.calls if call.at > cutoff))
        texts = f"{_amount(spent)} with this one", f"{_amount(self.limit)} per {text.duration(self.seconds)}"
        remedy = "It clears itself as earlier gas leaves the window."
        return at_most(self.key, (spent.raw, self.limit.raw), texts, "too much gas", remedy=remedy)


@dataclass(frozen=True, slots=True)
class CoolDown:
    """The least time between two calls, {seconds}, from the block of the last one, reverted or not."""

    limit: int
    key: ClassVar[str] = "cool_down"

    def check(self, draft: Draft, view: VaultView) -> Verdict:  # noqa: ARG002  every guard is given both
        least = f"at least {text.duration(self.limit)}"
        if not view.history.calls:
            return Allow(self.key, "no call yet", least)
        passed = max(view.block.timestamp - view.history.calls[-1].at, 0)
        measured, used = f"{text.duration(passed)} since the last call", Fraction(self.limit, max(passed, 1))
        if passed >= self.limit:
            return Allow(self.key, measured, least, used)
        reason = f"the last call was {text.duration(passed)} ago, {least} required"
        remedy = f"It clears itself in {text.duration(self.limit - passed)}."
        return Deny(self.key, reason, measured, least, used, remedy=remedy)


@dataclass(frozen=True, slots=True)
class MaxCalls:
    """How many calls a rolling window of `seconds` may hold, this one included."""

    limit: int
    seconds: int = 86_400
    key: ClassVar[str] = "max_calls"

    def check(self, draft: Draft, view: VaultView) -> Verdict:  # noqa: ARG002  every guard is given both
        cutoff = view.block.timestamp - self.seconds
        count = sum(call.at > cutoff for call in view.history.calls) + 1
        texts = f"{count} with this one", f"{self.limit} per {text.duration(self.seconds)}"
        remedy = "It clears itself as earlier calls leave the window."
        return at_most(self.key, (count, self.limit), texts, "too many calls", remedy=remedy)


@dataclass(frozen=True, slots=True)
class MinProfit:
    """What the simulated call brings the account of each token, at least; of native coin, less the expected gas."""

    limits: tuple[TokenAmount, ...]
    key: ClassVar[str] = "min_profit"

    def check(self, draft: Draft, view: VaultView) -> Verdict:  # noqa: ARG002  every guard is given both
        gains = [self._gain(limit, draft) for limit in self.limits]
        measured = ", ".join(map(text.amount, gains))
        least = f"at least {', '.join(map(text.amount, self.limits))}"
        if all(gain >= limit for gain, limit in zip(gains, self.limits, strict=True)):
            return Allow(self.key, measured, least)
        remedy = "It clears itself when the call brings more."
        return Deny(self.key, f"the call brings {measured}, {least} required", measured, least, remedy=remedy)

    def _gain(self, limit: TokenAmount, draft: Draft) -> TokenAmount:
        gain = TokenAmount(limit.token, draft.simulation.deltas.get(limit.token, 0))
        return gain - draft.gas_cost if limit.token == draft.gas_cost.token else gain


@dataclass(frozen=True, slots=True)
class AllowList:
    """Every call by its bytes: one of the targets with its function, as the configuration names them, and no coin."""

    targets: frozenset[tuple[Address, bytes]]
    key: ClassVar[str] = "allow_list"

    def check(self, draft: Draft, view: VaultView) -> Verdict:  # noqa: ARG002  every guard is given both
        calls, limit = draft.calls.steps, "its targets and functions, no coin"
        faults = [fault for call in calls if (fault := self._fault(call))]
        measured = f"{len(calls)} {'call' if len(calls) == 1 else 'calls'}"
        if not faults:
            return Allow(self.key, measured, limit)
        remedy = "Nothing clears this by itself: the contract asks for a call that its configuration does not name."
        return Deny(self.key, faults[0], f"{len(faults)} of {measured} not allowed", limit, None, tuple(faults), remedy)

    def _fault(self, call: Call) -> str:
        if call.purpose is not Purpose.UPKEEP:
            return f"purpose: {call.purpose} is not for an upkeep to plan"
        if call.value:
            return f"value: expected 0, was {call.value} wei"
        if (call.to, call.selector) in self.targets:
            return ""
        known = _listed(self.targets)
        return f"call: expected {known}, was 0x{call.selector.hex()} of {call.to}"


def _listed(targets: frozenset[tuple[Address, bytes]]) -> str:
    return " or ".join(f"0x{function.hex()} of {to}" for to, function in sorted(targets))


def _cost(draft: Draft, limit: TokenAmount) -> TokenAmount | None:
    """Expected, in the limit's token; None where the native coin has no usable price."""
    return draft.gas_value if limit.token == USD else draft.gas_cost


def _amount(amount: TokenAmount) -> str:
    return text.usd(amount) if amount.token == USD else text.amount(amount)


def _no_price(guard: str, limit: TokenAmount, view: VaultView) -> Deny:
    why = view.native_price.reason if isinstance(view.native_price, Unusable) else "none was given"
    return Deny(guard, f"gas cannot be valued: {why}", "no price of the native coin", _amount(limit))
