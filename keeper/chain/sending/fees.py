"""What a transaction offers for gas: first, when it is stuck, and when it must be cancelled. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keeper.core.plan import Fees
from keeper.core.units import WHOLE_BPS, Price, TokenAmount, Wei

TX_GAS_CAP = 1 << 24
"""No transaction may ask for more gas (EIP-7825)."""
BUMP_BPS = 1_250
"""Nodes want at least 10 % more on both fees (geth's price bump); 12.5 % leaves room for their rounding."""

RISE = 8
"""The base fee moves by at most 1/8 from one block to the next (EIP-1559, BASE_FEE_MAX_CHANGE_DENOMINATOR)."""


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """All fees are wei per unit of gas. `max_fee` and `max_tip` are hard: nothing is ever signed above them.

    Trades stop one bump below the hard caps, so that a cancel can always outbid the trade that it replaces.
    With `legacy` a transaction has one gas price and no tip.
    """

    max_fee: Wei
    max_tip: Wei
    min_tip: Wei
    bump_bps: int = BUMP_BPS
    legacy: bool = False

    def __post_init__(self) -> None:
        if self.bump_bps < 1_000:
            raise ValueError(f"bump: expected at least 1000 bps, was {self.bump_bps}")
        if not 0 <= self.min_tip <= self.max_tip <= self.max_fee:
            raise ValueError("fees: expected 0 <= min_tip <= max_tip <= max_fee")

    def first(self, base_fee: Wei | None, tip: Wei | None) -> Fees:
        """What the market wants now, within the caps.

        The cap is 2 * base fee + tip: the base fee rises by at most 1/8 a block (EIP-1559), so it doubles in six full
        blocks at the earliest, and what is not used comes back. A legacy price is paid in full, hence one block's
        rise only; there `tip` is the price that the node suggests where the chain has no base fee.
        """
        fee_limit, tip_limit = self._below(self.max_fee), self._below(self.max_tip)
        wanted = max(tip or 0, self.min_tip)
        if self.legacy:
            price = -(-(base_fee or 0) * 9 // 8) + wanted
            return Fees(Wei(min(price, fee_limit)), None)
        wanted = min(wanted, tip_limit)
        cap = min(2 * (base_fee or 0) + wanted, fee_limit)
        return Fees(Wei(cap), Wei(min(wanted, cap)))

    def bump(self, highest: Fees, base_fee: Wei | None, tip: Wei | None) -> Fees | None:
        """Fees that replace the highest own attempt, or None where the caps forbid it."""
        return self._outbid(highest, base_fee, tip, self._below(self.max_fee), self._below(self.max_tip))

    def cancel(self, highest: Fees, base_fee: Wei | None, tip: Wei | None) -> Fees | None:
        """The same for a cancel, which may use the step that trades leave free."""
        return self._outbid(highest, base_fee, tip, self.max_fee, self.max_tip)

    def _outbid(
        self, highest: Fees, base_fee: Wei | None, tip: Wei | None, fee_limit: int, tip_limit: int
    ) -> Fees | None:
        market = self.first(base_fee, tip)
        cap = max(self._above(highest.cap), market.cap)
        if self.legacy or highest.tip is None:
            return Fees(Wei(cap), None) if cap <= fee_limit else None
        step = self._above(highest.tip)
        wanted = max(step, market.tip or 0)
        cap = max(cap, wanted)
        if cap > fee_limit or step > tip_limit:
            return None
        return Fees(Wei(cap), Wei(min(wanted, tip_limit)))

    def _above(self, fee: int) -> int:
        """One bump up, rounded up, and never the same: nodes refuse an equal fee even where it is zero."""
        return max(-(-fee * (WHOLE_BPS + self.bump_bps) // WHOLE_BPS), fee + 1)

    def _below(self, fee: int) -> int:
        """The most that can still be bumped to `fee`."""
        below = fee * WHOLE_BPS // (WHOLE_BPS + self.bump_bps)
        return below if self._above(below) <= fee else max(fee - 1, 0)


def highest(offers: Iterable[Fees]) -> Fees:
    """The most that any attempt offered, each fee by itself. Raises ValueError where there is none."""
    found = list(offers)
    tips = [fees.tip for fees in found if fees.tip is not None]
    return Fees(max(fees.cap for fees in found), max(tips) if tips else None)


def forecast(base_fee: Wei | None, told: int | None) -> Wei | None:
    """{wei / gas} The next block's base fee, from the head's own and from what the node's fee history says of the next.

    The node knows its chain's formula exactly, so it is believed within what EIP-1559 allows; without a figure, or with
    an absurd one, the most that one block can add is assumed. The L2s that changed the formula only made it slower.
    """
    if base_fee is None:
        return None
    # Rounding may add one unit either way; EIP-1559 itself adds at least one.
    low, high = base_fee - base_fee // RISE - 1, base_fee + max(base_fee // RISE, 1)
    return Wei(told) if told is not None and low <= told <= high else Wei(high)


def affordable(left: TokenAmount, native: Price, gas: int) -> Wei:
    """{wei / gas} The most per unit of `gas` that `left` of the numeraire still pays for; zero where nothing is left.

    `native` is the price of the native coin in the numeraire.
    """
    # {wei / gas} = {numeraire raw} / {numeraire raw / wei} / {gas}
    return Wei(max(0, int(left.raw / native.ratio)) // max(gas, 1))
