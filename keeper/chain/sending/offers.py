"""Where signed bytes go: to every node, or to the relay alone while its window is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.sending.attempts import Rules, is_mined, is_private
from keeper.chain.sending.broadcasts import Heard, read_answers
from keeper.chain.sending.relay import Relay
from keeper.core.calls import Purpose
from keeper.core.sending import LIVE, Attempt, Intent


@dataclass(frozen=True, slots=True)
class Offers:
    """Guarantees that only journaled attempts are given to it by name, and that a transaction whose window is open is
    shown to nobody but the relay. The bytes are the same on every way, and so are nonce and min_out."""

    rpc: Rpc
    rules: Rules
    relay: Relay | None = None

    def offer(
        self, intent: Intent, attempt: Attempt, now: int, head: int, below: Callable[[], Sequence[Intent]]
    ) -> Heard:
        """`below` tells the unfinished intents of the same sender with lower nonces; asked only after a refusal."""
        if self.relay is not None and is_private(intent, now, self.rules):
            return self._privately(self.relay, attempt, head)
        if self.relay is not None and attempt.purpose is Purpose.CANCEL:
            # The relay must hear it too, or it goes on offering what is cancelled. Its answer changes nothing.
            self.relay.offer(attempt.raw, head)
        answers = self.rpc.send_raw(attempt.raw)
        refused = any(isinstance(answer.result, RpcError) for answer in answers)
        predecessor = refused and bool(below())
        return read_answers(answers, attempt.hash, attempts=len(intent.attempts), predecessor=predecessor)

    def _privately(self, relay: Relay, attempt: Attempt, head: int) -> Heard:
        heard = read_answers([relay.offer(attempt.raw, head)], attempt.hash, attempts=0, predecessor=True)
        # A relay judges by rules of its own: what it refuses may still be mined, and it halts nobody.
        return replace(heard, halt="", outbid=False, gap=False)

    def fill_gap(self, below: Sequence[Intent]) -> None:
        """Offers the bytes of lower nonces again, lowest first, to a node that misses them. Their nonces, never new
        ones; what the nodes answer is seen at the next look."""
        for intent in sorted(below, key=lambda other: other.nonce):
            if (attempt := _standing(intent)) is not None:
                self.rpc.send_raw(attempt.raw)


def below(intent: Intent, unfinished: Sequence[Intent]) -> tuple[Intent, ...]:
    """Unfinished intents of the same sender with lower nonces."""
    return tuple(other for other in unfinished if other.sender == intent.sender and other.nonce < intent.nonce)


def _standing(intent: Intent) -> Attempt | None:
    """The attempt that was mined, or else the latest one that was offered before."""
    if is_mined(intent) and intent.mined is not None:
        return next((attempt for attempt in intent.attempts if attempt.hash == intent.mined.hash), None)
    return intent.attempts[-1] if intent.attempts and intent.state in LIVE else None
