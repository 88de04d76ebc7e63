"""Any order of events: the journal keeps its promises at every step, and both journals agree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from keeper.core.calls import Purpose
from keeper.core.errors import Halted, JournalError, TransientError
from keeper.core.sending import ARROWS, LIVE, Attempt, Intent, Mined, State
from keeper.core.units import Address
from keeper.journal.memory import MemoryJournal
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import CHAIN, NOW, address
from tests.unit.journal.situations_journal import attempt, receipt, wish

VAULTS = ("a", "b")
SENDERS = (address(0xA), address(0xB))


class Life(RuleBasedStateMachine):
    """Intents of two vaults and two senders, moved at random, with crashes and restarts in between."""

    begun: Path
    reached: ClassVar[set[State]]

    @initialize()
    def begin(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="journal"))
        self.url = self.begin_at()
        self.sql, self.memory = SqlJournal(self.url, now=lambda: NOW), MemoryJournal()
        self.reader = JournalReader(self.url)
        self.hashes = 0
        self.known: dict[str, bytes] = {}

    def begin_at(self) -> str:
        """The URL of a journal that has just been begun."""
        return f"sqlite:///{shutil.copy(self.begun, self.directory / 'keeper.db')}"

    def teardown(self) -> None:
        if hasattr(self, "sql"):
            self.reader.close()
            self.sql.close()
            shutil.rmtree(self.directory)

    def ask(self, method: str, *arguments: object) -> Intent | None:
        """The same question to both: the same answer, or the same kind of refusal."""
        results: list[object] = []
        for journal in (self.sql, self.memory):
            try:
                results.append(getattr(journal, method)(*arguments))
            except (Halted, TransientError, JournalError) as error:
                results.append(type(error))
        assert results[0] == results[1]
        if not isinstance(results[0], Intent):
            return None
        self.reached.add(results[0].state)
        return results[0]

    def some(self, data: st.DataObject) -> Intent | None:
        return data.draw(st.sampled_from(self.memory.intents)) if self.memory.intents else None

    @rule(which=st.integers(0, 3), off=st.sampled_from([0, 0, 0, 0, -1, 1]))
    def intend(self, which: int, off: int) -> None:
        """Mostly at the nonce that fits; sometimes the chain says another one."""
        vault, sender = VAULTS[which // 2], SENDERS[which % 2]
        used = [i.nonce for i in self.memory.intents if i.sender == sender and (i.attempts or i.state in LIVE)]
        self.ask("intend", wish(vault=vault, sender=sender), max(0, max(used, default=-1) + 1 + off))

    @rule(data=st.data(), purpose=st.sampled_from([Purpose.SWAP, Purpose.CANCEL]), leaves=st.booleans())
    def sign(self, data: st.DataObject, purpose: Purpose, leaves: bool) -> None:
        if intent := self.some(data):
            self.tried(intent, purpose, leaves)

    @rule(data=st.data(), to=st.sampled_from(State), status=st.integers(0, 1), own=st.booleans())
    def move(self, data: st.DataObject, to: State, status: int, own: bool) -> None:
        if intent := self.some(data):
            mined: Mined | None = None
            if to is State.MINED and own and intent.attempts:
                mined = receipt(int(intent.attempts[-1].hash, 16), status=status)
            elif to is State.MINED:
                mined = receipt(999_999)
            self.ask("advance", intent.id, to, mined)

    @rule(
        steps=st.sampled_from([7, 4, 2, 1]),
        status=st.sampled_from([1, 1, 0]),
        sent=st.booleans(),
        cancel=st.sampled_from([False, True]),
    )
    def go_on(self, steps: int, status: int, sent: bool, cancel: bool) -> None:
        """A good life for the newest one, so that ends are reached at all."""
        if not self.memory.live(CHAIN):
            self.clear(SENDERS[0])
            self.intend(0, 0)
        for _ in range(steps):
            live = self.memory.live(CHAIN)
            if live:
                self.step(live[-1], status, sent, Purpose.CANCEL if cancel else Purpose.SWAP)

    @rule()
    def lose(self) -> None:
        """Somebody else used the nonce of the newest one."""
        live = self.memory.live(CHAIN)
        if live:
            self.ask("advance", live[-1].id, State.EXTERNAL)

    def step(self, intent: Intent, status: int, sent: bool, purpose: Purpose) -> None:
        final = State.FINAL_OK if intent.mined and intent.mined.status == 1 else State.FINAL_REVERTED
        if intent.attempts and intent.attempts[0].purpose is Purpose.CANCEL:
            final = State.FINAL_CANCELLED
        ways = {
            State.SIGNED: State.MAYBE_SENT,
            State.MAYBE_SENT: State.SENT if sent else State.MINED,
            State.SENT: State.MINED,
            State.MINED: State.CONFIRMED,
            State.CONFIRMED: final,
        }
        if intent.state is State.RESERVED:
            self.tried(intent, purpose, leaves=sent)
            return
        to = ways[intent.state]
        mined = receipt(int(intent.attempts[0].hash, 16), status=status) if to is State.MINED else None
        self.ask("advance", intent.id, to, mined)

    def tried(self, intent: Intent, purpose: Purpose, leaves: bool) -> None:
        self.hashes += 1
        made: Attempt = attempt(self.hashes, purpose)
        if self.ask("attempt", intent.id, made, leaves):
            self.known[made.hash] = made.raw

    @rule(scope=st.sampled_from(SENDERS))
    def clear(self, scope: Address) -> None:
        self.sql.clear(scope, "ops", "looked")
        self.memory.clear(scope, "ops", "looked")

    @rule()
    def restart(self) -> None:
        self.sql.close()
        self.sql = SqlJournal(self.url, now=lambda: NOW)

    @invariant()
    def both_agree(self) -> None:
        if hasattr(self, "sql"):
            assert self.sql.live(CHAIN) == self.memory.live(CHAIN)
            for vault in VAULTS:
                ours, theirs = self.sql.history(vault, NOW + 60), self.memory.history(vault, NOW + 60)
                assert (ours.trades, ours.gas) == (theirs.trades, theirs.gas)

    @invariant()
    def promises_hold(self) -> None:
        if not hasattr(self, "sql"):
            return
        intents = [entry.intent for entry in self.reader.transactions()]
        steps = {intent.id: self.reader.transitions(intent.id) for intent in intents}
        # 1: one intent per nonce, but for those that were abandoned before anything was signed
        used = [(i.sender, i.nonce) for i in intents if i.state is not State.FINAL_CANCELLED or i.attempts]
        assert len(used) == len(set(used))
        # 2: every attempt is there, byte for byte
        assert {a.hash: a.raw for i in intents for a in i.attempts} == self.known
        # 7, 21: every logged step is a drawn arrow, and the log ends where the intent is
        for intent in intents:
            walked = [step.after for step in steps[intent.id]]
            assert walked[0] == State.RESERVED
            assert walked[-1] == intent.state
            assert all(s.after in ARROWS[State(s.before)] for s in steps[intent.id][1:])
        # at most one that was never sent, for each sender
        unsent = [i.sender for i in intents if i.state in (State.RESERVED, State.SIGNED)]
        assert len(unsent) == len(set(unsent))
        assert all(State(i.state) in LIVE for i in intents if i.state in (State.RESERVED, State.SIGNED))


@pytest.mark.fault("P35")
def test_life__any_order_of_events__keeps_the_promises(begun: Path) -> None:
    class Machine(Life):
        reached: ClassVar[set[State]] = set()

    Machine.begun = begun
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
        ),
    )
    assert Machine.reached == set(State), "some state was never reached: this says less than it seems to"
