"""What to do next about an intent. Pure: the journal's record, what the node says and the time go in, a step comes out.

Time is the head's own (Unix seconds), so that the result does not depend on this machine's clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from keeper.chain.sending.fees import FeePolicy, highest
from keeper.chain.sending.wishes import CANCEL, SPEED_UP
from keeper.core.calls import Purpose
from keeper.core.plan import Fees
from keeper.core.sending import Attempt, Intent, Mined, State
from keeper.core.units import Wei


@dataclass(frozen=True, slots=True)
class Rules:
    """How patient to be. `confirmations` is how deep a mined block must lie (1: it is the head); `patience` is in
    seconds from one attempt to its replacement."""

    policy: FeePolicy
    confirmations: int
    patience: int = 60
    waits: frozenset[str] = frozenset()
    """Vaults whose transactions are not outbid when it becomes expensive: they wait, and are cancelled at their
    deadline. All others escalate: each replacement offers more, up to the caps and the day's gas budget."""
    private_for: int = 0
    """{s} How long a transaction is shown to the private relay only; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the node says that concerns one intent, all at one head."""

    head: int
    now: int
    """Unix seconds of the head."""
    nonce: int
    """The sender's next nonce at the head."""
    finalized: int = -1
    """Number of the newest block that cannot change any more; -1 where that is not known."""
    final_nonce: int | None = None
    """The sender's next nonce at `finalized`, where it was asked for."""
    mined: Mined | None = None
    """The receipt of whichever of our attempts was mined, in a block that is canonical now."""
    block_stands: bool = False
    """The block in which the journal saw it mined is still canonical, as far as the node tells."""
    pooled: bool = False
    """The node holds our latest attempt."""
    outbid: bool = False
    """A node refused our latest attempt because it offers too little, be it against our own earlier one."""
    affordable: Wei | None = None
    """{wei / gas} The fee cap that the vault's gas budget still pays for; None where it has no budget."""
    base_fee: Wei | None = None
    """Of the next block, as far as it can be known."""
    tip: Wei | None = None
    stopped: str = ""
    """Why nothing new of this vault may be broadcast (paused, halted), or an empty string."""
    asked: str = ""
    """What a person asks of it now: speed-up, cancel, or nothing."""


# --- steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wait:
    reason: str


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign the intent's own call at these fees, the first time or as a replacement, and broadcast it."""

    fees: Fees


@dataclass(frozen=True, slots=True)
class Cancel:
    """Sign a transfer of nothing to ourselves with the same nonce, and broadcast it."""

    fees: Fees


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The same bytes again."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class MarkSent:
    """The node holds what we did not know it had taken."""


@dataclass(frozen=True, slots=True)
class MarkMined:
    mined: Mined


@dataclass(frozen=True, slots=True)
class Unmine:
    """A reorg took it back."""

    reason: str


@dataclass(frozen=True, slots=True)
class Confirm:
    mined: Mined


@dataclass(frozen=True, slots=True)
class Final:
    state: State


@dataclass(frozen=True, slots=True)
class Abandon:
    """Nothing was ever signed for this nonce, and its time is over."""


@dataclass(frozen=True, slots=True)
class Halt:
    """The nonce is used and none of our attempts explains it: somebody else uses the key."""

    reason: str


Step = Wait | Sign | Cancel | Broadcast | MarkSent | MarkMined | Unmine | Confirm | Final | Abandon | Halt


def next_step(intent: Intent, seen: Seen, rules: Rules) -> Step:
    """The one thing to do now. Never a new nonce, never a guess that something was not sent."""
    if seen.mined is not None:
        return _follow(intent, seen.mined, seen, rules)
    if is_mined(intent):
        if seen.block_stands:
            return Wait("its block stands, but the node does not give its receipt")
        number = intent.mined.block_number if intent.mined else 0
        if seen.head < number:
            return Wait(f"the node is at {seen.head}, behind block {number} that it was mined in")
        return Unmine(f"reorg: block {number} was replaced")
    if seen.nonce > intent.nonce:
        return _used(intent, seen)
    if not intent.attempts:
        return _start(intent, seen, rules)
    # After a cancel the trade is never offered again: somebody wanted it gone.
    if seen.now >= intent.deadline or seen.asked == CANCEL or intent.attempts[-1].purpose is Purpose.CANCEL:
        return _cancel(intent, seen, rules)
    if seen.asked == SPEED_UP and intent.state is not State.SIGNED and not seen.stopped:
        return _speed_up(intent, seen, rules)
    return _push(intent, seen, rules)


def is_mined(intent: Intent) -> bool:
    """The journal saw it in a block; whether the block still stands is another question."""
    return intent.state in (State.MINED, State.CONFIRMED)


def ending(intent: Intent, mined: Mined) -> State:
    """What was mined, not what was wanted: a trade that wins over its own cancel is a trade."""
    purpose = next((attempt.purpose for attempt in intent.attempts if attempt.hash == mined.hash), None)
    if purpose is Purpose.CANCEL:
        return State.FINAL_CANCELLED
    return State.FINAL_OK if mined.status == 1 else State.FINAL_REVERTED


def _follow(intent: Intent, mined: Mined, seen: Seen, rules: Rules) -> Step:
    known = intent.mined
    if not is_mined(intent) or known is None:
        return MarkMined(mined)
    if (known.hash, known.block_hash) != (mined.hash, mined.block_hash):
        return MarkMined(mined)
    depth = seen.head - mined.block_number + 1
    if intent.state is State.MINED:
        if depth >= rules.confirmations:
            return Confirm(mined)
        return Wait(f"mined in {mined.block_number}, {max(depth, 0)} of {rules.confirmations} confirmations")
    if seen.finalized >= mined.block_number:
        return Final(ending(intent, mined))
    return Wait("confirmed, not final yet")


def _used(intent: Intent, seen: Seen) -> Step:
    # One node may be ahead, behind, or slow to index receipts: only a finalized nonce is proof.
    if seen.final_nonce is not None and seen.final_nonce > intent.nonce:
        return Halt(f"nonce {intent.nonce} of {intent.sender} was used by a transaction that is not in the journal")
    return Wait(f"nonce {intent.nonce} is used; waiting for the receipt or for finality")


def _speed_up(intent: Intent, seen: Seen, rules: Rules) -> Step:
    """A replacement now, however long the latest attempt has waited. Cap and gas budget hold for people too."""
    fees = rules.policy.bump(_highest(intent), seen.base_fee, seen.tip)
    if fees is None:
        return Wait("the fee cap forbids a replacement")
    return Sign(fees) if _fits(fees, seen) else Wait("the gas budget of the day forbids a replacement")


def _start(intent: Intent, seen: Seen, rules: Rules) -> Step:
    if seen.now >= intent.deadline or seen.asked == CANCEL:
        return Abandon()
    if seen.stopped:
        return Wait(seen.stopped)
    return Sign(rules.policy.first(seen.base_fee, seen.tip))


def is_private(intent: Intent, now: int, rules: Rules) -> bool:
    """The relay's window is open: nobody but the relay may see the transaction yet. A cancel is shown to everybody."""
    if not rules.private_for or (intent.attempts and intent.attempts[-1].purpose is Purpose.CANCEL):
        return False
    return not intent.attempts or now < _public_from(intent, rules)


def _push(intent: Intent, seen: Seen, rules: Rules) -> Step:
    latest = intent.attempts[-1]
    if seen.stopped:
        return Wait(f"{seen.stopped}; it is cancelled at its deadline")
    if intent.state is not State.SIGNED and intent.vault not in rules.waits and _is_stuck(intent, seen, rules):
        fees = rules.policy.bump(_highest(intent), seen.base_fee, seen.tip)
        # A replacement that could not be mined either would only use up the room below the cap.
        if fees is not None and fees.cap >= (seen.base_fee or 0) and _fits(fees, seen):
            return Sign(fees)
    return _offer(intent, latest, seen, rules)


def _cancel(intent: Intent, seen: Seen, rules: Rules) -> Step:
    latest = intent.attempts[-1]
    is_cancel = latest.purpose is Purpose.CANCEL
    if not is_cancel or _is_stuck(intent, seen, rules):
        # Not held to the gas budget: a nonce that stays open costs more than a transfer of nothing.
        fees = rules.policy.cancel(_highest(intent), seen.base_fee, seen.tip)
        if fees is not None and not (is_cancel and fees.cap < (seen.base_fee or 0)):
            return Cancel(fees)
    if not is_cancel:
        # The caps were lowered since. The trade itself is not offered again after its deadline.
        why = "past its deadline" if seen.now >= intent.deadline else "its cancel is asked for"
        return Wait(f"{why}, but the fee cap forbids a cancel")
    return _offer(intent, latest, seen, rules)


def _offer(intent: Intent, latest: Attempt, seen: Seen, rules: Rules) -> Step:
    if intent.state is State.SENT and is_private(intent, seen.now, rules):
        return Wait("the relay has it, not mined yet")
    if not seen.pooled or intent.state is State.SIGNED:
        return Broadcast(latest)
    return MarkSent() if intent.state is State.MAYBE_SENT else Wait(_why_not_mined(intent, latest, seen))


def _why_not_mined(intent: Intent, latest: Attempt, seen: Seen) -> str:
    if seen.nonce < intent.nonce:
        # An own predecessor is followed by itself; a stranger's that a reorg took back can only be sent again.
        return f"waits behind nonce {seen.nonce}, which is not used yet"
    if seen.base_fee is None or latest.fees.cap >= seen.base_fee:
        return "sent, not mined yet"
    return f"too expensive: the base fee is {seen.base_fee:,} wei, it offers {latest.fees.cap:,} wei at most"


def _is_stuck(intent: Intent, seen: Seen, rules: Rules) -> bool:
    latest = intent.attempts[-1]
    too_low = seen.base_fee is not None and latest.fees.cap < seen.base_fee
    if (too_low or seen.outbid) and seen.now > latest.at:
        return True
    if is_private(intent, seen.now, rules):
        return False
    return seen.now - max(latest.at, _public_from(intent, rules)) >= rules.patience


def _public_from(intent: Intent, rules: Rules) -> int:
    """{Unix seconds} When everybody may see it."""
    return intent.attempts[0].at + rules.private_for


def _fits(fees: Fees, seen: Seen) -> bool:
    return seen.affordable is None or fees.cap <= seen.affordable


def _highest(intent: Intent) -> Fees:
    return highest(attempt.fees for attempt in intent.attempts)
