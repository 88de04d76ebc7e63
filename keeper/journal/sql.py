"""The journal on a database: each method is one durable transaction, or several of them together are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, and_, insert, select

from keeper.core.chain import Block, History
from keeper.core.proposals import Fate
from keeper.core.records import CycleRecord, NewProposal, Proposal, Sample
from keeper.core.sending import Mined, Outcome
from keeper.core.units import Price, Token, TokenAmount
from keeper.journal import commands, proposals, pruning, rows
from keeper.journal.flows import Flow
from keeper.journal.marks import Mark
from keeper.journal.observed import record_balances
from keeper.journal.recall import Past, read_past
from keeper.journal.sending import SendingJournal
from keeper.journal.streaks import Streaks
from keeper.journal.tables import configs, pins, samples


class SqlJournal(SendingJournal):
    """The journal of a running keeper, on SQLite or PostgreSQL.

    Guarantees: what a method wrote is durable when it returns, or `together` ends, and nothing of it where that raises;
    there is one writer; arrows that are not drawn and changes to attempts are refused by the database itself.
    """

    def _begin(self) -> None:
        super()._begin()
        self._streaks = Streaks()
        self._pasts: dict[str, tuple[Mark, Past]] = {}
        self._noted: dict[str, tuple[Mark, int, Mapping[Token, TokenAmount]]] = {}
        """Of each vault what `note` has nothing to add to: its mark, its sample's slot and its balances."""

    def _forget(self) -> None:
        super()._forget()
        self._streaks.forget()
        self._pasts.clear()
        self._noted.clear()

    # --- cycles ------------------------------------------------------------------------------------------------------

    def keep_config(self, config_hash: str, text: str) -> None:
        """Keeps the canonical text of a config once, so that every cycle's config can be shown. No secrets in it."""
        with self._store.writing() as connection:
            if not connection.execute(select(configs.c.hash).where(configs.c.hash == config_hash)).first():
                connection.execute(insert(configs).values(hash=config_hash, body=text, at=self._now()))

    def keep_pins(self, config_hash: str, chain_id: int, text: str) -> None:
        """Keeps what the chain said at start, where it is not what it said before."""
        with self._store.writing() as connection:
            if commands.read_pins(connection, config_hash, chain_id) != text:
                values = {"config_hash": config_hash, "chain_id": chain_id, "body": text, "at": self._now()}
                connection.execute(insert(pins).values(values))

    def record_cycle(self, record: CycleRecord) -> int:
        """Adds a cycle, or extends the streak of an unchanged one. Returns the cycle's number."""
        return self.record_cycles([record])[0]

    def record_cycles(self, records: Sequence[CycleRecord]) -> Sequence[int]:
        """The same for each of them, in one transaction: all or none. Returns their numbers, in this order."""
        if not records:
            return ()
        with self._writing() as connection:
            return [self._record(connection, record) for record in records]

    def _record(self, connection: Connection, record: CycleRecord) -> int:
        before = self._streaks.latest(connection, record.vault)
        if record.trace is not None or "denied" in (record.kind, before and before.key.kind):
            self._marks.touch(record.vault)
        return self._streaks.record(connection, record)

    def go_on(self, drifts: Mapping[str, int], block: Block) -> None:
        """One turn more of these vaults' latest cycles, each at its drift {bps}, with nothing else to say."""
        if drifts:
            with self._writing() as connection:
                self._streaks.go_on(connection, drifts, block)

    def prune(self, before: int, after: int = 0) -> tuple[int, int]:
        """Forgets a portion of the cycles that were over before that time (Unix seconds), from number `after` on; see
        pruning.py for what stays. Returns how many, and the number to go on from."""
        with self._store.writing() as connection:
            return pruning.prune(connection, before, after)

    # --- proposals ---------------------------------------------------------------------------------------------------

    def propose(self, wanted: NewProposal, why: str = "") -> Proposal:
        """Adds a transaction for a Safe's owners to sign, in place of the vault's open one; `why` says wherefore."""
        with self._store.writing() as connection:
            self._marks.touch(wanted.new.vault)
            return proposals.propose(connection, wanted, why)

    def withdraw(self, vault: str, why: str) -> None:
        """Nobody should sign the vault's open proposal any more."""
        with self._store.writing() as connection:
            self._marks.touch(vault)
            proposals.supersede(connection, vault, why)

    def waiting(self, chain_id: int) -> Sequence[Proposal]:
        """Proposals of a chain that may still be executed, oldest first."""
        with self._store.reading() as connection:
            return proposals.read_waiting(connection, chain_id)

    def end_proposal(self, number: int, fate: Fate, at: int, note: str = "") -> None:
        """Overtaken or expired (Unix seconds)."""
        with self._store.writing() as connection:
            self._marks.touch_all()
            proposals.end(connection, number, fate, at, note)

    def executed(self, proposal: Proposal, mined: Mined, outcome: Outcome) -> int:
        """Ends it, and makes it a final transaction of the vault: from now on it counts as a trade. Returns the
        intent's number."""
        with self._sending() as connection:
            self._marks.touch(proposal.vault)
            proposals.end(connection, proposal.id, Fate.EXECUTED, mined.timestamp, mined.hash)
            return proposals.record_execution(connection, proposal, mined, outcome, self._store.epoch)

    # --- the past ----------------------------------------------------------------------------------------------------

    def history(self, vault: str, now: int, lookback: int = 0, seen: object = None) -> History:
        """What the next decision may know of the past: 24 hours, the last trade however old, and the samples of the
        last `lookback` seconds. Reads only what has changed since it was last asked, and nothing at
        all where its mark is still as the caller has just `seen` it."""
        with self._mutex:
            mark, past = self._pasts.get(vault, (None, None))
            streak = self._streaks.known(vault)
            is_known = seen is not None and seen == mark == self._marks.of(vault)
            if is_known and past is not None and streak is not None and past.reaches(now, lookback):
                return past.at(now, streak.turns, lookback)
            with self._store.reading() as connection:
                self._marks.look(connection)
                if past is None or mark != self._marks.of(vault) or not past.reaches(now, lookback):
                    past = read_past(connection, vault, now, lookback)
                    self._pasts[vault] = self._marks.of(vault), past
                streak = self._streaks.latest(connection, vault)
                return past.at(now, streak.turns if streak else 0, lookback)

    def marks(self, vaults: Iterable[str]) -> Mapping[str, object]:
        """Of each vault a mark that stays equal as long as its history does: only time may have passed, and its streak
        have gone on. One look at the database for all."""
        with self._mutex:
            self._look()
            return {vault: self._marks.of(vault) for vault in vaults}

    def note(self, sample: Sample, prices: Mapping[Token, Price]) -> None:
        """What a look saw beside its decision: flows and sample, in one transaction, and in none where it saw them
        before. Its vault's mark tells whether anything of ours came between."""
        vault, slot = sample.vault, self._slot(sample)
        with self._mutex:
            if self._noted.get(vault) == (self._marks.of(vault), slot, sample.balances):
                return
            self._noted.pop(vault, None)
            with self._store.writing() as connection:
                found = self._observe(connection, vault, sample.at, sample.block_number, sample.balances, prices)
                self._sample(connection, sample)
            if found is not None:
                self._noted[vault] = self._marks.of(vault), slot, sample.balances

    def sample(self, sample: Sample) -> None:
        """Keeps the first sample of each hour (or of what `sample_every` says)."""
        with self._store.writing() as connection:
            self._sample(connection, sample)

    def _sample(self, connection: Connection, sample: Sample) -> None:
        slot = self._slot(sample)
        same = and_(samples.c.vault == sample.vault, samples.c.slot == slot)
        if not connection.execute(select(samples.c.id).where(same)).first():
            self._marks.touch(sample.vault)
            connection.execute(insert(samples).values(rows.sample_row(sample, slot)))

    def _slot(self, sample: Sample) -> int:
        return sample.at - sample.at % self._every

    def observe_balances(
        self,
        vault: str,
        at: int,
        block: int,
        balances: Mapping[Token, TokenAmount],
        prices: Mapping[Token, Price],
    ) -> tuple[Flow, ...]:
        """Compares with what was last seen, and records what changed and was not ours. `balances` include native.

        Does nothing while a transaction of the vault is live or its outcome unknown: the next look tells them apart.
        """
        with self._store.writing() as connection:
            return self._observe(connection, vault, at, block, balances, prices) or ()

    def _observe(
        self,
        connection: Connection,
        vault: str,
        at: int,
        block: int,
        balances: Mapping[Token, TokenAmount],
        prices: Mapping[Token, Price],
    ) -> tuple[Flow, ...] | None:
        found = record_balances(connection, vault, at, block, balances, prices)
        if found:
            self._marks.touch(vault)
        return found
