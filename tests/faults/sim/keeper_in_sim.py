"""The real cycle, submitter, observer and journal over simulated nodes; and the points at which they may be killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keeper.chain.nodes.rpc import Timer
from keeper.chain.reading.observer import ChainObserver
from keeper.chain.sending.attempts import Rules
from keeper.chain.sending.simulate import Simulator
from keeper.chain.sending.submitter import LiveSubmitter
from keeper.core.calls import Purpose
from keeper.core.errors import KeeperError
from keeper.core.records import CycleRecord, NewIntent, Request
from keeper.core.sending import FINAL, Attempt, Intent, Mined, Outcome, State
from keeper.cycle import Cycle, Turn
from keeper.deciding import Vault
from tests.builders import CHAIN, NOW
from tests.faults.sim.endpoint import SimEndpoint, sim_rpc
from tests.faults.sim.ledger import decode_tx, open_ledger
from tests.faults.sim.network import Network
from tests.faults.sim.node import SimNode
from tests.faults.sim.treasury import PATIENCE, POLICY, VAULTS, SimSigner, SimVenue, parts, spec_of

Hit = Callable[[str], None]


class Killed(BaseException):
    """The process is no more. Nothing in it may notice."""


@dataclass(slots=True)
class World:
    """A network, its nodes as the keeper reaches them, and this machine's clock."""

    network: Network
    endpoints: list[SimEndpoint]
    clock: int = NOW
    """{s} This machine's wall clock, which may jump."""
    elapsed: float = 0.0
    """{s} Its monotonic clock."""

    @classmethod
    def open(cls, clients: Sequence[str] = ("geth",), finality: int = 8) -> World:
        accounts, pools = [a for a, _ in VAULTS.values()], sorted({p for _, p in VAULTS.values()})
        network = Network(open_ledger(accounts, pools), finality)
        nodes = [SimNode(network, network.add_view(client), client) for client in clients]
        return cls(network, [SimEndpoint(node, f"http://{node.name}{at}") for at, node in enumerate(nodes)])

    def now(self) -> int:
        return self.clock

    def mine(self, count: int = 1, **how: Any) -> None:
        for _ in range(count):
            before = self.network.head.timestamp
            self.network.mine(**how)
            passed = self.network.head.timestamp - before
            self.clock += passed
            self.elapsed += passed

    def timer(self) -> Timer:
        """What keeper waits by: it waits by moving on."""
        return Timer(lambda: self.elapsed, lambda: float(self.clock), self._sleep, lambda: 0.75)

    def _sleep(self, seconds: float) -> None:
        self.elapsed += seconds


@dataclass(slots=True)
class Ears:
    """Alerts: the latest text of each key."""

    heard: dict[str, str] = field(default_factory=dict)

    def alert(self, key: str, text: str) -> None:
        self.heard[key] = text


class SimKeeper:
    """One process: begins with a journal, ends when somebody stops using it."""

    def __init__(
        self,
        world: World,
        journal: Any,
        *,
        endpoints: Sequence[Any] | None = None,
        hit: Hit | None = None,
        confirmations: int = 1,
        finality: int | None = None,
        max_head_age: int | None = 3_600,
        quorum: int = 1,
        vaults: Sequence[str] = tuple(VAULTS),
        is_here: bool = True,
    ) -> None:
        """`hit` hears the name of every point that is passed; None costs nothing. `finality`: None for the tag. With a
        key that `is_here` cycle, nonce and signed bytes are one transaction; else the bytes are one of their own."""
        self.world, self.vaults, self.ears = world, tuple(vaults), Ears()
        self.journal = journal if hit is None else TappedJournal(journal, hit)
        self.endpoints = list(world.endpoints if endpoints is None else endpoints)
        rpc = sim_rpc(self.endpoints, world.timer(), quorum)
        signers = {VAULTS[name][0]: SimSigner(VAULTS[name][0], is_here=is_here) for name in self.vaults}
        if hit is not None:
            points = Points(self.journal, hit)
            signers = {account: SimSigner(account, points.sign, is_here) for account in signers}
            for endpoint in self.endpoints:
                endpoint.hit = points.send
        submitter = LiveSubmitter(
            rpc,
            self.journal,
            Simulator(rpc, POLICY, b""),
            signers,
            CHAIN,
            Rules(POLICY, confirmations, PATIENCE),
            finality=finality,
            stop=lambda vault: "paused" if self.journal.paused(vault) else "",
            alert=self.ears,
        )
        venues = {"sim": SimVenue()}
        specs = [spec_of(name) for name in self.vaults]
        observer: Any = ChainObserver(
            rpc, CHAIN, specs, venues, self.journal.history, b"\xfe", world, max_head_age, max_ahead=max_head_age or 30
        )
        if hit is not None:
            observer = TappedObserver(observer, hit)
        shared: dict[str, Any] = parts()
        self.parts = {
            name: Vault(name=name, submitter=submitter, config_hash="c", armed=True, **shared) for name in self.vaults
        }
        self.observer, self.submitter = observer, submitter
        self.cycle = Cycle(
            observer,
            submitter,
            self.journal,
            self.parts,
            describe=lambda decision: {},
            pack=lambda snapshot, observed: b"",
            may_act=lambda vault, now: "",
        )
        self.trouble = ""

    def tick(self) -> list[Turn]:
        """One turn of every vault, as the daemon takes it: what goes wrong on the chain is told, not raised."""
        self.trouble = ""
        turns: list[Turn] = []
        try:
            for turn in self.cycle.turn(self.vaults):
                turns.append(turn)
                assert turn.record.code != "failed" or "expected" in turn.record.reason, turn.record.reason
        except KeeperError as error:
            self.trouble = f"{type(error).__name__}: {error}"
        return turns

    def settle(self) -> Mapping[str, str]:
        self.trouble = ""
        try:
            return self.cycle.settle()
        except KeeperError as error:
            self.trouble = f"{type(error).__name__}: {error}"
            return {}

    def pause(self, vault: str, on: bool) -> None:
        self.journal.apply(Request(0, "pause" if on else "resume", vault, "test", "test", self.world.clock))


# --- points ----------------------------------------------------------------------------------------------------------


class Points:
    """Which step of P1 to P12 a signature or a send belongs to."""

    def __init__(self, journal: TappedJournal, hit: Hit) -> None:
        self._journal, self._hit = journal, hit

    def sign(self, moment: str, transaction: Mapping[str, object]) -> None:
        if not transaction["data"]:
            self._hit(f"P11.cancel.sign.{moment}")
            return
        live = self._journal.live(CHAIN)
        tried = any(i.nonce == transaction["nonce"] and i.call.data == transaction["data"] and i.attempts for i in live)
        self._hit(f"P4.{'bump' if tried else 'first'}.sign.{moment}")

    def send(self, moment: str, raw: bytes) -> None:
        tx = decode_tx(raw)
        if not tx.data:
            self._hit(f"P12.cancel.send.{moment}")
            return
        intent = next((i for i in self._journal.live(CHAIN) if any(a.hash == tx.hash for a in i.attempts)), None)
        bumped = intent is not None and len(intent.attempts) > 1
        self._hit(f"P6.{'bump' if bumped else 'first'}.send.{moment}")


class TappedObserver:
    def __init__(self, observer: Any, hit: Hit) -> None:
        self._observer, self._hit = observer, hit

    def observe(self, due: Sequence[str]) -> Any:
        self._hit("P1.observe.before")
        found = self._observer.observe(due)
        self._hit("P1.observe.after")
        return found


class TappedJournal:
    """Passes everything on, and names the moment before and after each write."""

    def __init__(self, journal: Any, hit: Hit) -> None:
        self._journal, self._hit = journal, hit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def _around(self, point: str, write: Callable[[], Any]) -> Any:
        self._hit(f"{point}.before")
        if (tear := getattr(self._journal, "tear", None)) is not None:
            tear(lambda: self._hit(f"{point}.torn"))
        done = write()
        self._hit(f"{point}.after")
        return done

    def record_cycles(self, records: Sequence[CycleRecord]) -> Any:
        if not any(record.kind == "intended" for record in records):
            return self._journal.record_cycles(records)
        return self._around("P2.plan", lambda: self._journal.record_cycles(records))

    def intend(self, new: NewIntent, chain_nonce: int) -> Intent:
        return self._around("P3.reserve", lambda: self._journal.intend(new, chain_nonce))  # type: ignore[no-any-return]

    def attempt(self, intent: int, attempt: Attempt, leaves: bool = False) -> Intent:
        before = self._intent(intent)
        kind = "first" if not before.attempts else "bump"
        point = "P11.cancel.persist" if attempt.purpose is Purpose.CANCEL else f"P5.{kind}.persist"
        return self._around(point, lambda: self._journal.attempt(intent, attempt, leaves))  # type: ignore[no-any-return]

    def advance(self, intent: int, to: State, mined: Mined | None = None, note: str = "") -> Intent:
        before = self._intent(intent)
        point = {
            State.SIGNED: "P5.signed",
            State.MAYBE_SENT: "P5.maybe_sent" if before.mined is None else "P8.unmine",
            State.SENT: "P7.result",
            State.MINED: "P8.mined" if before.mined is None else "P8.moved",
            State.CONFIRMED: "P9.confirm",
        }.get(to, "P10.final" if to in FINAL else "P8.other")
        return self._around(point, lambda: self._journal.advance(intent, to, mined, note))  # type: ignore[no-any-return]

    def finish(self, outcome: Outcome) -> None:
        self._around("P9.outcome", lambda: self._journal.finish(outcome))

    def _intent(self, number: int) -> Intent:
        return next(intent for intent in self._journal.live(CHAIN) if intent.id == number)
