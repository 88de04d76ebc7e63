"""The same journal in memory: for unit tests and for one look without `--live`. Nothing of it survives the process."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from keeper.core.chain import Block, History
from keeper.core.drain import drain_scope
from keeper.core.errors import Halted, JournalError
from keeper.core.latches import BREAKER, Latch, Step, Trip, step
from keeper.core.pegs import Trace
from keeper.core.records import CycleRecord, NewIntent, PauseState, Request, Sample
from keeper.core.sending import LIVE, UNFINAL, Attempt, Intent, Mined, Outcome, State
from keeper.journal import past, rules
from keeper.journal.latches import endings_of

HOUR = 3_600


@dataclass(slots=True)
class Streak:
    """A cycle and how often it repeated."""

    first: CycleRecord
    latest: CycleRecord
    count: int = 1


@dataclass(slots=True)
class MemoryJournal:
    """Keeps the rules of the journal, but nothing else: no epoch, no lock, no durability.

    Its lists are open to tests; numbers count from 1.
    """

    name: str = "memory"
    sample_every: int = HOUR
    cycles: list[Streak] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    asked: list[NewIntent] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    halts: list[tuple[str, str, int]] = field(default_factory=list)
    latches: dict[str, list[Latch]] = field(default_factory=dict)
    cleared: dict[str, dict[str, int]] = field(default_factory=dict)
    pauses: dict[str, PauseState] = field(default_factory=dict)
    inbox: list[Request] = field(default_factory=list)
    answers: dict[int, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    beats: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    traces: dict[str, Trace] = field(default_factory=dict)
    _mutex: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def together(self) -> Iterator[None]:
        """As one thread sees it. What was written before an error stays."""
        with self._mutex:
            yield

    # --- cycles and intents ------------------------------------------------------------------------------------------

    def record_cycle(self, record: CycleRecord) -> int:
        with self._mutex:
            if record.trace is not None:
                self.traces[record.vault] = record.trace
            for number in range(len(self.cycles), 0, -1):
                streak = self.cycles[number - 1]
                if streak.latest.vault != record.vault:
                    continue
                key = rules.streak_key(record)
                if key is None or key != rules.streak_key(streak.latest):
                    break
                widest = max(record.max_drift_bps, streak.latest.max_drift_bps)
                streak.latest, streak.count = replace(record, max_drift_bps=widest), streak.count + 1
                return number
            self.cycles.append(Streak(record, record))
            return len(self.cycles)

    def record_cycles(self, records: Sequence[CycleRecord]) -> Sequence[int]:
        return [self.record_cycle(record) for record in records]

    def go_on(self, drifts: Mapping[str, int], block: Block) -> None:
        with self._mutex:
            for vault, drift in drifts.items():
                streak = next(streak for streak in reversed(self.cycles) if streak.latest.vault == vault)
                widest = max(drift, streak.latest.max_drift_bps)
                latest = replace(streak.latest, block_number=block.number, block_hash=block.hash, at=block.timestamp)
                streak.latest = replace(latest, max_drift_bps=widest)
                streak.count += 1

    def intend(self, new: NewIntent, chain_nonce: int) -> Intent:
        with self._mutex:
            rules.check_open(new, self.halted, self.paused(new.vault))
            if new.cycle and any(intent.cycle == new.cycle for intent in self.intents):
                raise JournalError(f"cycle {new.cycle}: expected one transaction, found a second one")
            used = [
                intent.nonce
                for intent in self.intents
                if (intent.chain_id, intent.sender) == (new.chain_id, new.sender) and not rules.is_abandoned(intent)
            ]
            following = max(used) + 1 if used else None
            try:
                nonce = rules.reserve(new, chain_nonce, following, self.live(new.chain_id))
            except Halted as doubt:
                self.halt(new.sender, str(doubt), new.at)
                raise
            intent = rules.reserved(new, len(self.intents) + 1, nonce)
            self.intents.append(intent)
            self.asked.append(new)
            return intent

    def attempt(self, intent: int, attempt: Attempt, leaves: bool = False) -> Intent:
        with self._mutex:
            if any(known.hash == attempt.hash for one in self.intents for known in one.attempts):
                raise JournalError(f"attempt {attempt.hash}: expected a new hash, found it in the journal")
            after = rules.signed(self._intent(intent), attempt)
            return self._store(rules.offered(after) if leaves else after)

    def advance(self, intent: int, to: State, mined: Mined | None = None, note: str = "") -> Intent:
        with self._mutex:
            return self._store(rules.moved(self._intent(intent), to, mined, note))

    def finish(self, outcome: Outcome) -> None:
        with self._mutex:
            rules.concludable(self._intent(outcome.intent), outcome)
            self.outcomes[outcome.intent] = outcome

    def live(self, chain_id: int) -> Sequence[Intent]:
        with self._mutex:
            return tuple(i for i in self.intents if i.chain_id == chain_id and i.state in LIVE | UNFINAL)

    def expectation(self, intent: int) -> NewIntent:
        self._intent(intent)
        return self.asked[intent - 1]

    def _intent(self, number: int) -> Intent:
        if not 1 <= number <= len(self.intents):
            raise rules.not_found("intent", number)
        return self.intents[number - 1]

    def _store(self, intent: Intent) -> Intent:
        self.intents[intent.id - 1] = intent
        return intent

    # --- the past ----------------------------------------------------------------------------------------------------

    def history(self, vault: str, now: int, lookback: int = 0, seen: object = None) -> History:  # noqa: ARG002  no samples
        with self._mutex:
            entries = [
                past.Entry(intent, new.expect, self.outcomes.get(intent.id))
                for intent, new in zip(self.intents, self.asked, strict=True)
                if intent.vault == vault
            ]
            counts = [streak.count for streak in self.cycles if streak.latest.vault == vault]
            return History(
                trades=past.past_trades(entries, now),
                paused=past.pause_text(self.paused(vault)),
                cycles_in_streak=counts[-1] if counts else 0,
                seed=past.seed_of(self.name, vault),
                gas=past.past_gas(entries, now),
                calls=past.past_calls(entries, now),
                reverts=past.past_reverts(entries),
                latches=tuple(self.latches.get(vault, ())),
                cleared=tuple(sorted(self.cleared.get(vault, {}).items())),
                trace=self.traces.get(vault),
            )

    def marks(self, vaults: Iterable[str]) -> Mapping[str, object]:
        with self._mutex:
            asked = tuple(self.requests())
            switched = tuple(self.halts), tuple(self.pauses.values()), asked
            return {vault: (*switched, *self._own(vault)) for vault in vaults}

    def _own(self, vault: str) -> tuple[object, ...]:
        """All else that its history is made of."""
        sent = tuple((i, self.outcomes.get(i.id)) for i in self.intents if i.vault == vault)
        cleared = tuple(self.cleared.get(vault, {}).items())
        return sent, tuple(self.latches.get(vault, ())), cleared, self.traces.get(vault)

    def sample(self, sample: Sample) -> None:
        slot = sample.at // self.sample_every
        if not any((kept.vault, kept.at // self.sample_every) == (sample.vault, slot) for kept in self.samples):
            self.samples.append(sample)

    def beat(self, chain_id: int, now: int, block: int, text: str) -> None:
        self.beats[chain_id] = (now, block, text)

    # --- what people switch, and what the keeper latches -------------------------------------------------------------

    def halt(self, scope: str, reason: str, now: int) -> None:
        if not any((kept_scope, kept) == (scope, reason) for kept_scope, kept, _ in self.halts):
            self.halts.append((scope, reason, now))

    def latch(self, vault: str, trips: Sequence[Trip], now: int) -> None:
        tripped = {trip.breaker: trip for trip in trips}
        endings = endings_of(intent for intent in self.intents if intent.vault == vault)
        kept: list[Latch] = []
        for latch in self.latches.get(vault, []):
            trip = tripped.pop(latch.breaker, None)
            match step(latch, tripping=trip is not None, endings=endings, now=now):
                case Step.KEEP:
                    kept.append(latch)
                case Step.TRY:
                    kept.append(replace(latch, trying_at=now))
                case Step.CLEAR:
                    self.cleared.setdefault(vault, {})[latch.breaker] = now
                case Step.AGAIN:
                    self.cleared.setdefault(vault, {})[latch.breaker] = now
                    kept.append(Latch(latch.breaker, now, latch.rearm))
        self.latches[vault] = kept + [Latch(name, now, trip.rearm) for name, trip in tripped.items()]

    def halted(self, scope: str) -> str:
        standing = next((latch for latch in self.latches.get(scope, []) if latch.trying_at is None), None)
        if standing is not None:
            return f"{BREAKER} {standing.breaker}"
        return next((reason for kept, reason, _ in self.halts if kept == scope), "")

    def clear(self, scope: str, by: str, reason: str) -> int:
        """Ends every halt of `scope`. Who and why are kept by the real journal only."""
        del by, reason
        for latch in self.latches.pop(scope, []):
            self.cleared.setdefault(scope, {})[latch.breaker] = latch.at
        standing = [halt for halt in self.halts if halt[0] != scope]
        ended = len(self.halts) - len(standing)
        self.halts = standing
        return ended

    def paused(self, vault: str) -> PauseState | None:
        held = [pause for name, pause in self.pauses.items() if rules.in_scope(vault, name)]
        asked = [
            PauseState(request.vault, request.reason, request.by, request.at)
            for request in self.requests()
            if request.action == "pause" and rules.in_scope(vault, request.vault)
        ]
        return next(iter(sorted(held, key=lambda pause: pause.at) + asked), None)

    def requests(self) -> Sequence[Request]:
        return tuple(request for request in self.inbox if request.id not in self.answers)

    def answer(self, request: int, text: str) -> None:
        if not 1 <= request <= len(self.inbox):
            raise rules.not_found("request", request)
        self.answers.setdefault(request, text)

    def ask(self, action: str, vault: str, reason: str, by: str, at: int) -> int:
        """What a command would leave for the daemon."""
        self.inbox.append(Request(len(self.inbox) + 1, action, vault, reason, by, at))
        return len(self.inbox)

    def apply(self, request: Request) -> str:
        match request.action:
            case "pause":
                self.pauses[request.vault] = PauseState(request.vault, request.reason, request.by, request.at)
                return f"paused {rules.named(request.vault)}"
            case "resume":
                return self._resume(request)
            case "halt":
                self.halt(request.vault, request.reason or f"asked for by {request.by}", request.at)
                return f"halted {request.vault}"
            case "drain":
                self.halt(drain_scope(request.vault), request.reason or f"asked for by {request.by}", request.at)
                return f"draining {request.vault}: it starts nothing new, and finishes what it began"
            case "clear":
                count = self.clear(request.vault, request.by, request.reason)
                return f"cleared {count} of {request.vault}" if count else f"{request.vault} was not halted"
        raise rules.not_applicable(request)

    def _resume(self, request: Request) -> str:
        vault, every = request.vault, request.vault == rules.EVERY_VAULT
        for waiting in self.requests():
            earlier = not request.id or waiting.id < request.id
            if waiting.action == "pause" and earlier and (every or waiting.vault == vault):
                self.answers[waiting.id] = rules.OVERTAKEN
        ended = [name for name in self.pauses if every or name == vault]
        self.pauses = {name: pause for name, pause in self.pauses.items() if name not in ended}
        if rules.EVERY_VAULT in self.pauses:
            return rules.stays_paused(vault)
        return f"resumed {rules.named(vault)}" if ended else f"{rules.named(vault)} was not paused"
