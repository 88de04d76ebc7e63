"""Chainlink feeds, and the sequencer feed that says whether an L2's feeds can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from keeper.core.abi import calldata, signed_word, word
from keeper.core.chain import Answers, Read, Reading, Unusable
from keeper.core.text import trimmed
from keeper.core.units import Address, Price, Token

LATEST_ROUND = calldata("latestRoundData()")
DECIMALS = calldata("decimals()")
ROUND_WORDS = 5


@dataclass(frozen=True, slots=True)
class Round:
    """`latestRoundData()`. Times are Unix seconds."""

    id: int
    answer: int
    started_at: int
    updated_at: int
    answered_in: int


def parse_round(answer: bytes | None) -> Round | None:
    """None where the feed reverted, or answered with something else."""
    if answer is None or len(answer) < 32 * ROUND_WORDS:
        return None
    return Round(word(answer, 0), signed_word(answer, 1), word(answer, 2), word(answer, 3), word(answer, 4))


@dataclass(frozen=True, slots=True)
class Sequencer:
    """The L2 sequencer uptime feed: answer 0 means up, and `startedAt` says since when.

    Prices are trusted only `grace` seconds after the sequencer came back, when everyone else could act again too.
    """

    feed: Address
    grace: int = 3600

    def reads(self) -> tuple[Read, ...]:
        return (Read(self.feed, LATEST_ROUND),)

    def refusal(self, answers: Answers, now: int) -> str:
        """Why no price of this chain may be used; empty where all is well."""
        found = parse_round(answers.get(Read(self.feed, LATEST_ROUND)))
        if found is None:
            return "sequencer feed does not answer"
        if found.started_at == 0:
            return "sequencer feed is not set up: startedAt is 0"
        if found.answer != 0:
            return f"sequencer is down: answer was {found.answer}, 0 means up"
        up = now - found.started_at
        if up < self.grace:
            return f"sequencer is up for {up} s only, grace is {self.grace} s"
        return ""


@dataclass(frozen=True, slots=True)
class ChainlinkSource:
    """One aggregator: `base` in `quote`.

    `decimals` were pinned at start and are compared at every read, because the proxy may get another aggregator.
    `low` and `high` are this feed's sane range; an answer at its edge is a clamp and not a price.
    """

    name: str
    feed: Address
    base: Token
    quote: Token
    decimals: int
    heartbeat: int
    """Seconds between updates, as the feed promises; `grace` seconds on top are forgiven."""
    grace: int = 300
    low: Fraction | None = None
    high: Fraction | None = None
    sequencer: Sequencer | None = None

    @property
    def max_age(self) -> int:
        return self.heartbeat + self.grace

    def reads(self) -> tuple[Read, ...]:
        own = (Read(self.feed, LATEST_ROUND), Read(self.feed, DECIMALS))
        return own + (self.sequencer.reads() if self.sequencer else ())

    def price(self, answers: Answers, now: int) -> Reading | Unusable:
        """`now` is the block's time."""
        refusal = self.sequencer.refusal(answers, now) if self.sequencer else ""
        found = parse_round(answers.get(Read(self.feed, LATEST_ROUND)))
        if not refusal and found is None:
            refusal = "does not answer"
        if refusal or found is None:
            return Unusable(f"{self.name}: {refusal}")
        refusal = self._decimals_refusal(answers) or self._round_refusal(found, now)
        ratio = Fraction(found.answer, 10**self.decimals)
        refusal = refusal or self._range_refusal(ratio)
        if refusal:
            return Unusable(f"{self.name}: {refusal}")
        return Reading(self.name, Price(self.base, self.quote, ratio), now - found.updated_at, self.max_age)

    def _decimals_refusal(self, answers: Answers) -> str:
        answer = answers.get(Read(self.feed, DECIMALS))
        if answer is None or len(answer) < 32:
            return "decimals cannot be read"
        found = word(answer, 0)
        return "" if found == self.decimals else f"decimals: expected {self.decimals}, was {found}"

    def _round_refusal(self, found: Round, now: int) -> str:
        if found.updated_at == 0:
            return "round is not complete: updatedAt is 0"
        if found.answer <= 0:
            return f"answer: expected above 0, was {found.answer}"
        if found.answered_in < found.id:
            return f"answer is from round {found.answered_in}, the latest is {found.id}"
        if found.updated_at > now:
            return f"updated {found.updated_at - now} s after the block"
        if now - found.updated_at > self.max_age:
            return f"{now - found.updated_at} s old, allowed {self.max_age} s"
        return ""

    def _range_refusal(self, ratio: Fraction) -> str:
        if self.low is not None and ratio <= self.low:
            return f"{trimmed(ratio, 6)} is at or below its sane minimum of {trimmed(self.low, 6)}"
        if self.high is not None and ratio >= self.high:
            return f"{trimmed(ratio, 6)} is at or above its sane maximum of {trimmed(self.high, 6)}"
        return ""
