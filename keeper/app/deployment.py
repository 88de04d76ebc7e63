"""All chains of a configuration, reached as far as they can be, dry or armed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keeper.app.alerting import make_alerts
from keeper.app.authority import grown, require_authority
from keeper.app.chains import Chain
from keeper.app.draining import require_drained
from keeper.app.heads import open_heads
from keeper.app.journals import journal_url as journal_url
from keeper.app.journals import proposals_beside
from keeper.app.loading import open_queues, open_signers
from keeper.app.proposal_files import ProposalFiles
from keeper.app.proposing import SafeProposer
from keeper.app.pruning import Pruning
from keeper.app.reconciling import reconcile
from keeper.app.requests import carry_out
from keeper.app.telling import Telling, keep_account
from keeper.app.upkeeps import introduce
from keeper.app.watching import Scene
from keeper.chain.reading.pinned import parse_pins, pins_text, upgrades_between
from keeper.config import Loaded
from keeper.core.errors import ConfigError, KeeperError, TransientError, Unreachable
from keeper.core.ports import Signer
from keeper.core.records import Request
from keeper.core.units import Address
from keeper.daemon import ChainLoop
from keeper.journal.lock import SenderLock
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from keeper.telemetry.alerts import Alerts
from keeper.telemetry.apprise_alerts import AppriseOutlet
from keeper.telemetry.heartbeat import Heartbeat


@dataclass(slots=True)
class Deployment:
    """What `run` and `once` turn. `down` are chains that did not answer at start: they are tried again."""

    loaded: Loaded
    journal: SqlJournal
    armed: tuple[str, ...]
    outlet: AppriseOutlet
    alerts: Alerts
    heartbeat: Heartbeat | None
    signers: Mapping[Address, Signer] = field(default_factory=dict)
    locks: Sequence[SenderLock] = ()
    """Held for as long as this lives: nobody else on this machine sends for the same addresses."""
    adopt: bool = False
    at_risk: dict[str, str] = field(default_factory=dict)
    """Vault -> what a thief of its key could take, as it was at the start."""
    loops: list[ChainLoop] = field(default_factory=list)
    down: dict[str, KeeperError] = field(default_factory=dict)
    pruning: Pruning = field(init=False)

    def __post_init__(self) -> None:
        self.pruning = Pruning(self.journal, self.loaded.config.journal.keep)

    @classmethod
    def open(
        cls, loaded: Loaded, journal: SqlJournal, *, live: bool, chain_ids: Sequence[int] = (), adopt: bool = False
    ) -> Deployment:
        """Reaches every chain that has a vault, and arms the live vaults where `live` says so. With `adopt`, nonces
        that their senders used and this journal does not know are a person's business.

        Raises ConfigError where the configuration and a chain disagree, or a live vault cannot be armed; Unreachable
        where no chain answers at all.
        """
        armed = tuple(name for name, vault in loaded.config.kept.items() if live and vault.is_live)
        if live:
            check_live(loaded, armed, chain_ids)
        outlet, alerts = make_alerts(loaded)
        beat = loaded.config.alerts.heartbeat
        heartbeat = Heartbeat(beat.reveal()) if beat else None
        signers, locks = open_signers(loaded, armed), hold_senders(loaded, armed)
        deployment = cls(loaded, journal, armed, outlet, alerts, heartbeat, signers, locks, adopt=adopt)
        for name in dict.fromkeys(kept.chain for kept in loaded.config.kept.values()):
            deployment._reach(name)
        if not deployment.loops:
            deployment.close()
            raise Unreachable("; ".join(str(error) for error in deployment.down.values()))
        return deployment

    def close(self) -> None:
        """Gives alerts and a beat that still wait a few seconds to go out."""
        self.outlet.close()
        if self.heartbeat is not None:
            self.heartbeat.close()

    def retry(self) -> list[ChainLoop]:
        """Tries what was down, and returns the loops that can turn now. A chain that proves wrong stays down. Forgets a
        portion of what the journal need not keep: this is where no tick waits for it."""
        self.pruning.step()
        return [loop for name in list(self.down) if (loop := self._reach(name)) is not None]

    def _reach(self, name: str) -> ChainLoop | None:
        try:
            loop = self._loop(Chain.open(self.loaded, name))
        except (Unreachable, TransientError) as error:
            self.down[name] = error
            self.alerts.alert(f"rpc:{name}", f"{name}: no RPC answers: {error}")
            return None
        except ConfigError as error:
            if not self.loops:
                raise
            self.down[name] = error
            self.alerts.alert(f"chain:{name}", f"{name} is not as configured: {error}")
            return None
        if self.down.pop(name, None):
            self.alerts.resolve(f"rpc:{name}", f"{name}: RPCs answer again")
            self.alerts.resolve(f"chain:{name}", f"{name} is as configured again")
        self.loops.append(loop)
        return loop

    def introduction(self) -> Iterator[str]:
        """Chains, addresses and limits, before anything happens."""
        config = self.loaded.config
        for loop in self.loops:
            for name in loop.schedules:
                kept = config.kept[name]
                what = "armed" if name in self.armed else "dry, nothing is signed"
                who = f"{name} on {loop.chain} ({loop.chain_id}), {kept.custody.kind} {config.account_of(name)}"
                lost = f"; with its key a thief takes {self.at_risk[name]}" if name in self.at_risk else ""
                yield f"{who}: {what}; {introduce(kept)}{lost}"

    def _loop(self, chain: Chain) -> ChainLoop:
        alert = self.alerts
        # Providers that are dead, unpaid or not believed, and when that is over.
        chain.rpc.listen(lambda key, text, is_good: (alert.resolve if is_good else alert.alert)(key, text))
        self._keep_pins(chain)
        scene = Scene(self.loaded, chain.name, chain.vaults, self.journal)
        scene.remember()
        mine = [vault for vault in chain.vaults if vault in self.armed]
        if not mine and (live := self.journal.live(chain.config.chain_id)):
            # A dry keeper sends nothing, not even the bytes of an earlier one: it can only say so.
            said = f"{chain.name}: {len(live)} transactions of an earlier run are not final, and nobody follows them"
            alert.alert(f"unfollowed:{chain.name}", f"{said}: start with --live")
        self.at_risk |= require_authority(chain, mine)
        require_drained(self.loaded, mine, self.journal.live(chain.config.chain_id))
        self._reconcile(chain, mine, chain.clock.now(), adopt=self.adopt)
        return ChainLoop(
            chain=chain.name,
            chain_id=chain.config.chain_id,
            cycle=chain.cycle(self.journal, mine, self.signers, alert, self._proposer(chain)),
            schedules=chain.schedules(),
            clock=chain.clock,
            journal=self.journal,
            teller=Telling(chain.name, alert, scene, clock=chain.clock, heartbeat=self.heartbeat),
            note=keep_account(self.journal, [n for n, v in self.loaded.config.vaults.items() if v.is_shadow]),
            block_time=float(chain.config.block_time),
            answer=self._carry_out,
            verify=lambda now: self._verify(chain, alert, now),
            heads=open_heads(chain.name, chain.config),
        )

    def _keep_pins(self, chain: Chain) -> None:
        """A token that was upgraded while nobody looked is as it is: whoever starts the keeper is told."""
        chain_id = chain.config.chain_id
        with JournalReader(journal_url(self.loaded)) as reader:
            before = reader.pins(self.loaded.hash, chain_id, int(time.time()))
        if before is not None:
            for token, said in upgrades_between(parse_pins(before, chain.pins.block), chain.pins).items():
                self.alerts.alert(f"upgraded:{token}", f"{chain.name}: changed since the last start: {said}")
        self.journal.keep_pins(self.loaded.hash, chain_id, pins_text(chain.pins))

    def _proposer(self, chain: Chain) -> SafeProposer:
        finality, files = chain.config.finality.depth, ProposalFiles(proposals_beside(self.loaded))
        queues = open_queues(self.loaded, chain.vaults)
        return SafeProposer(chain.rpc, self.journal, chain.config.chain_id, finality, files, self.alerts, queues)

    def _reconcile(self, chain: Chain, armed: Sequence[str], now: int, *, adopt: bool = False) -> None:
        # Of a vault that only proposes nobody holds a key.
        known = (self.loaded.config.sender_of(vault) for vault in armed)
        senders = sorted({sender for sender in known if sender is not None})
        reconcile(chain.rpc, self.journal, chain.config.chain_id, senders, self.alerts, now, adopt=adopt)

    def _verify(self, chain: Chain, alert: Alerts, now: int) -> None:
        """A pool whose code is another one than at start may do anything: its vaults are halted."""
        for vault, reason in chain.changed().items():
            self.journal.halt(vault, reason, now)
            alert.alert(f"halt:{vault}", f"{vault} is halted: {reason}")
        mine = [vault for vault in chain.vaults if vault in self.armed]
        for vault, reason in grown(chain, mine).items():
            if reason:
                alert.alert(f"authority:{vault}", f"{vault}: a thief of its key could take too much: expected {reason}")
            else:
                alert.resolve(f"authority:{vault}", f"{vault}: what a thief of its key could take is within its limit")
        self._reconcile(chain, mine, now)

    def _carry_out(self, request: Request) -> str | None:
        return carry_out(self.journal, self.signers, [loop.chain_id for loop in self.loops], request)


def check_live(loaded: Loaded, armed: Sequence[str], chain_ids: Sequence[int]) -> None:
    """`--live` must have something to arm, and `--chain-id`, where given, must name exactly the chains it arms."""
    if not armed:
        raise ConfigError(str(loaded.path), "vaults.*.mode", "at least one live, as --live was given", "none")
    found = {loaded.config.chain_of(vault).chain_id for vault in armed}
    if chain_ids and set(chain_ids) != found:
        expected = " ".join(f"--chain-id {chain_id}" for chain_id in sorted(found))
        given = " ".join(f"--chain-id {chain_id}" for chain_id in chain_ids)
        raise ConfigError("command", "--chain-id", expected, given)


def hold_senders(loaded: Loaded, armed: Sequence[str]) -> tuple[SenderLock, ...]:
    """One lock for each chain and sender that is armed. Local chains have none: there are many of the same id.

    Raises Busy where another keeper of this user has one.
    """
    wanted = {
        (chain.chain_id, loaded.config.signing_for(vault))
        for vault in armed
        if not (chain := loaded.config.chain_of(vault)).is_local
    }
    return tuple(SenderLock(Path(tempfile.gettempdir()), *each) for each in sorted(wanted))
