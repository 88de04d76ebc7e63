"""Asks the owners of Safes to sign what no key of the keeper's may do, and learns what became of it.

The journal holds a proposal before any file does, so that a restart finds it and asks for nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from keeper.app.proposal_files import ProposalFiles, safe_tx
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.sending.executions import Standing, fetch_execution, fetch_standing
from keeper.core.calls import Calls
from keeper.core.chain import VaultView
from keeper.core.errors import TransientError, Unreachable
from keeper.core.plan import Simulation
from keeper.core.ports import Alert, Send, Submitter
from keeper.core.proposals import Fate
from keeper.core.records import NewIntent, NewProposal, Proposal
from keeper.core.units import Address
from keeper.custody.proposing import SafeOwners
from keeper.journal.sql import SqlJournal

Queue = Callable[[Address, int, Collection[str]], str]
"""What else owners of a Safe have queued from this nonce on, in a clause, or nothing. The last are hashes of ours."""


@dataclass(slots=True)
class SafeProposer:
    """The proposals of one chain.

    Guarantees: one open proposal for each vault; none counts as a trade before a final block has executed it; a vault
    waits from the moment its Safe's nonce has moved until it is known what moved it. Does not guarantee that owners do
    not sign one that was superseded: of those with one nonce the Safe executes one at most.
    """

    rpc: Rpc
    journal: SqlJournal
    chain_id: int
    finality: int | None
    """Depth in blocks, or None for the node's `finalized` tag."""
    files: ProposalFiles
    alert: Alert
    queues: Mapping[Address, Queue] = field(default_factory=dict)
    """Of the Safes whose service is known."""
    _unwritten: set[int] = field(default_factory=set)
    """Proposals whose files could not be written, and are tried again."""
    _has_looked: bool = False

    # --- the port ----------------------------------------------------------------------------------------------------

    def propose(self, new: NewIntent, view: VaultView) -> None:
        nonce = SafeOwners(new.account).nonce(view)
        if nonce is None:
            self.alert.alert(f"proposal:{new.vault}", f"{new.vault}: the nonce of Safe {new.account} cannot be read")
            return
        before = [each for each in self.journal.waiting(self.chain_id) if each.vault == new.vault]
        hash_ = "0x" + safe_tx(new, nonce).hash.hex()
        wanted = NewProposal(new, nonce, hash_, view.block.number)
        proposal = self.journal.propose(wanted, f"replaced by {hash_[:10]}…")
        for each in before:
            self._mark(each, Fate.SUPERSEDED)
        self._write(proposal)
        queue = self.queues.get(new.account)
        queued = queue(new.account, nonce, {hash_, *(each.hash for each in before)}) if queue else ""
        also = f"; {queued}" if queued else ""
        place = self.files.places(proposal)[0]
        self.alert.alert(f"proposal:{hash_}", f"{new.vault}: {new.call.text}: sign {hash_} ({place}): {new.asks}{also}")

    def withdraw(self, vault: str, why: str) -> None:
        self.journal.withdraw(vault, why)
        for each in self.journal.waiting(self.chain_id):
            if each.vault == vault:
                self._mark(each, Fate.SUPERSEDED)
                self.alert.alert(f"withdrawn:{each.hash}", f"{vault}: do not sign {each.hash} any more: {why}")

    # --- following ---------------------------------------------------------------------------------------------------

    def settle(self) -> Mapping[str, str]:
        """Asks the node nothing where nothing waits. Whose Safe's nonce has moved is busy until that is final."""
        waiting = self.journal.waiting(self.chain_id)
        if not waiting:
            return {}
        self._write_missing(waiting)
        safes = list(dict.fromkeys(each.proposed.new.account for each in waiting))
        try:
            standing = fetch_standing(self.rpc, safes, self.finality)
        except (TransientError, Unreachable) as error:
            return {each.vault: f"what became of its proposal is not known: {error}" for each in waiting}
        busy: dict[str, str] = {}
        for (vault, _), group in _by_nonce(waiting).items():
            if told := self._follow(group, standing):
                busy[vault] = told
        return busy

    def _follow(self, group: Sequence[Proposal], standing: Standing) -> str:
        """What became of proposals of one Safe and nonce. Returns why their vault must wait, or an empty string."""
        safe, nonce, now = group[0].proposed.new.account, group[0].proposed.nonce, standing.head.timestamp
        if standing.final_nonces[safe] > nonce:
            try:
                self._conclude(group, standing)
            except (TransientError, Unreachable) as error:
                return f"what became of its proposal is not known: {error}"
            return ""
        if standing.nonces[safe] > nonce:
            return f"nonce {nonce} of Safe {safe} was used: what for is told once that is final"
        for proposal in group:
            if now > proposal.proposed.new.deadline:
                self._end(proposal, Fate.EXPIRED, now, "nobody executed it before its deadline")
        return ""

    def _conclude(self, group: Sequence[Proposal], standing: Standing) -> None:
        found, now = fetch_execution(self.rpc, group, standing.final), standing.head.timestamp
        if found is not None:
            proposal, execution = found
            self.journal.executed(proposal, execution.mined, execution.found.outcome)
            self._mark(proposal, Fate.EXECUTED)
            vault, hash_ = proposal.vault, execution.mined.hash
            self.alert.alert(f"executed:{proposal.hash}", f"{vault}: its owners executed {proposal.hash} in {hash_}")
            if wrong := execution.found.wrong:
                self.journal.halt(vault, wrong, now)
                self.alert.alert(f"halt:{vault}", f"{vault} is halted: {wrong}")
        for other in group:
            if found is None or other.id != found[0].id:
                self._end(other, Fate.OVERTAKEN, now, f"the Safe used nonce {other.proposed.nonce} for something else")

    def _end(self, proposal: Proposal, fate: Fate, now: int, why: str) -> None:
        self.journal.end_proposal(proposal.id, fate, now, why)
        self._mark(proposal, fate)
        if proposal.fate is Fate.OPEN:
            self.alert.alert(f"ended:{proposal.hash}", f"{proposal.vault}: proposal {proposal.hash} is {fate}: {why}")

    # --- files -------------------------------------------------------------------------------------------------------

    def _write_missing(self, waiting: Sequence[Proposal]) -> None:
        """After a restart, and where a disk was full."""
        for proposal in waiting:
            is_due = proposal.id in self._unwritten or not self._has_looked
            if proposal.fate is Fate.OPEN and is_due:
                self._write(proposal)
        self._has_looked = True

    def _write(self, proposal: Proposal) -> None:
        try:
            self.files.write(proposal)
            self._unwritten.discard(proposal.id)
        except OSError as error:
            self._unwritten.add(proposal.id)
            place = self.files.places(proposal)[0]
            self.alert.alert(
                f"files:{proposal.vault}", f"{proposal.vault}: {place} cannot be written, and is tried again: {error}"
            )

    def _mark(self, proposal: Proposal, fate: Fate) -> None:
        try:
            self.files.mark(proposal, fate)
        except OSError as error:
            place = self.files.places(proposal)[0]
            self.alert.alert(f"files:{proposal.vault}", f"{proposal.vault}: {place} cannot be marked {fate}: {error}")


def _by_nonce(waiting: Sequence[Proposal]) -> Mapping[tuple[str, int], list[Proposal]]:
    groups: dict[tuple[str, int], list[Proposal]] = {}
    for proposal in waiting:
        groups.setdefault((proposal.vault, proposal.proposed.nonce), []).append(proposal)
    return groups


@dataclass(frozen=True, slots=True)
class Settling:
    """A chain's transactions and its proposals, followed together."""

    submitter: Submitter
    proposer: SafeProposer

    def simulate(self, calls: Calls, view: VaultView) -> Simulation:
        return self.submitter.simulate(calls, view)

    def submit(self, new: NewIntent, view: VaultView, simulation: Simulation, chain_nonce: int) -> Send | None:
        return self.submitter.submit(new, view, simulation, chain_nonce)

    def settle(self) -> Mapping[str, str]:
        # Transactions first: one that is live again after a reorg must end before what owners executed is recorded.
        return {**self.submitter.settle(), **self.proposer.settle()}
