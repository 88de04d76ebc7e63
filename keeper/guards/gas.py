"""Guards of gas: what a unit costs, what the trade's gas costs against its benefit, and what must stay for later."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from keeper.core import text
from keeper.core.calls import Purpose
from keeper.core.chain import Unusable, VaultView
from keeper.core.plan import Draft
from keeper.core.units import WHOLE_BPS, TokenAmount, Wei
from keeper.core.verdicts import Deny, Verdict
from keeper.guards.verdicts import at_most, no_trade

_GWEI = 10**9
_CALMER = "It clears itself when gas is cheaper."


@dataclass(frozen=True, slots=True)
class MaxBaseFee:
    """The block's base fee, {wei per unit of gas}; the fee cap on a chain that has no base fee."""

    limit: Wei
    key: ClassVar[str] = "max_base_fee"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        base_fee = view.block.base_fee
        fee, what = (draft.simulation.fees.cap, "gas price") if base_fee is None else (base_fee, "base fee")
        texts = _gwei(fee), _gwei(self.limit)
        return at_most(self.key, (fee, self.limit), texts, f"the {what} is too high", remedy=_CALMER)


@dataclass(frozen=True, slots=True)
class MaxGasCost:
    """Gas of the whole sequence against the notional it trades, {bps}: a trade must be worth its gas."""

    limit: int
    key: ClassVar[str] = "max_gas_cost"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        allowed = text.bps(self.limit)
        if draft.notional is None:
            return no_trade(self.key, allowed)
        if draft.gas_value is None:
            return _no_price(self.key, allowed, view)
        share = draft.gas_value.over(draft.notional) * WHOLE_BPS if draft.notional else Fraction(WHOLE_BPS)
        what = f"gas of {text.usd(draft.gas_value)} for a trade of {text.usd(draft.notional)}"
        return at_most(self.key, (share, self.limit), (text.bps(share), allowed), what, remedy=_CALMER)


@dataclass(frozen=True, slots=True)
class MaxGasPerDay:
    """Gas of all transactions in a rolling window, failures and approvals included, and of this sequence; numeraire."""

    limit: TokenAmount
    seconds: int = 86_400
    key: ClassVar[str] = "max_gas_per_day"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        allowed = f"{text.usd(self.limit)} per {text.duration(self.seconds)}"
        if draft.gas_value is None:
            return _no_price(self.key, allowed, view)
        cutoff = view.block.timestamp - self.seconds
        spent = sum((value for at, value in view.history.gas if at > cutoff), draft.gas_value)
        texts = f"{text.usd(spent)} with this one", allowed
        remedy = "It clears itself as earlier gas leaves the window."
        return at_most(self.key, (spent.raw, self.limit.raw), texts, "too much gas", remedy=remedy)


@dataclass(frozen=True, slots=True)
class GasReserve:
    """What the sender must keep of the native coin after the next transaction at its worst: gas limit times fee cap.

    An unwrap is what fills the reserve again, so it is judged with what it brings; only its gas must be there.
    """

    limit: TokenAmount
    key: ClassVar[str] = "gas_reserve"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        call, coin = draft.calls.next, view.gas_balance.token
        left = view.gas_balance - draft.max_gas_cost - TokenAmount(coin, call.value)
        least = self.limit
        if call.purpose is Purpose.UNWRAP:
            least = TokenAmount.zero(coin)
        texts = f"{text.amount(left)} left", f"at least {text.amount(least)}"
        if left >= least:
            return at_most(self.key, (least.raw, max(left.raw, 1)), texts, "")
        return Deny(
            self.key,
            f"the sender would keep {text.amount(left)}, at least {text.amount(least)} required",
            *texts,
            remedy=f"Send {text.amount(least - left)} to {view.sender or view.account}.",
        )


def _gwei(fee: int) -> str:
    return f"{text.trimmed(Fraction(fee, _GWEI), 4)} gwei"


def _no_price(guard: str, allowed: str, view: VaultView) -> Deny:
    why = view.native_price.reason if isinstance(view.native_price, Unusable) else "none was given"
    return Deny(guard, f"gas cannot be valued: {why}", "no price of the native coin", allowed)
