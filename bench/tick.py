"""A whole tick (observe, decode, plan, guards, journal, notes, log) against the requests that it cannot do without.

All vaults hold, dry. Nothing is left out of what the daemon does in a tick: it is its own loop that turns here.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from web3 import Web3

from bench.bare import BareSocket, RecordingRpc
from bench.frame import Contestant, Pace, Row, measure
from bench.local import CountingProvider, Local, local_market, requests, say_requests
from bench.vaults import fund, holding_vaults
from keeper.app.chains import Chain
from keeper.app.deployment import Deployment, journal_url
from keeper.chain.nodes.http import Connection
from keeper.config import Loaded
from keeper.core.chain import Block, History, Read
from keeper.core.units import WHOLE_BPS, Wei
from keeper.daemon import ChainLoop
from keeper.journal.sql import SqlJournal
from keeper.local.paths import START, Moment
from keeper.telemetry.logs import configure

SPACING = 12
"""{s} Between two ticks, as far as it concerns how many vaults each of them tells in full: no time passes here."""
AT_ONCE = 1_000
"""Calls of one of web3's batches."""

TITLE, UNIT = "A tick: vaults of three tokens that hold, dry, on Anvil", "vaults"


def rows(pace: Pace) -> list[Row]:
    sizes = pace.sizes(1, 10, 100, 1000)
    found: list[Row] = []
    with local_market() as local, BareSocket(local.url) as bare, TemporaryDirectory() as folder, ExitStack() as closing:
        fund(local, max(sizes))
        closing.callback(configure(stream=closing.enter_context((Path(folder) / "log").open("w"))))
        for size in sizes:
            place = Path(folder) / str(size)
            place.mkdir()
            contestants = _contestants(local, bare, size, place, closing)
            found += measure(f"{size:,} vault{'s' * (size > 1)}", contestants, pace, work=size)
    return found


def _contestants(local: Local, bare: BareSocket, size: int, folder: Path, closing: ExitStack) -> list[Contestant]:
    loaded = holding_vaults(local, size, folder)
    loop, journal = closing.enter_context(ticking(loaded))
    # A keeper of its own: after a tick that tells all of them every streak would begin anew in the next one.
    (telling := folder / "telling").mkdir()
    told, _ = closing.enter_context(ticking(holding_vaults(local, size, telling)))
    bodies, reads = _asked(loaded)
    framed = [bare.framed(body) for body in bodies]
    provider = CountingProvider(local.url)
    tick, script = _whole(loop), _web3(provider, reads)
    asked = requests(loop.rpc, tick)
    assert _wire(tick) == (0, 0), "a steady tick opens no connection and asks for no chain id"
    assert asked == say_requests(len(bodies)), f"the floor sends {len(bodies)}, a tick {asked}"
    return [
        Contestant("ours", "a whole tick, prices as before", tick, f"{asked}, {len(reads):,} reads"),
        Contestant("ours", "a whole tick, all prices new", tick, asked, _moving(local)),
        Contestant("ours", "its durable commit alone", _commit(journal, loop.names)),
        Contestant("ours", "every vault told in full", _unscreened(told)),
        Contestant("peer", "web3 batch, reads only", script, requests(provider, script)),
        Contestant("floor", "bare socket, our bytes", lambda: bare.send_all(framed), asked),
    ]


def _moving(local: Local) -> Callable[[], object]:
    """Feeds and pools go up and down by a basis point in turns, far from any band."""
    up = {coin: price * (1 + Fraction(1, WHOLE_BPS)) for coin, price in START.items()}
    prices = itertools.cycle([{**up, "USDC": START["USDC"]}, START])

    def move() -> None:
        now = next(prices)
        local.market.move(Moment(0, "", now, now, now))

    return move


# --- the daemon's own loop -------------------------------------------------------------------------------------------


class Always:
    """Every look is due."""

    def is_due(self, last_at: int | None, last_block: int | None, now: int, block: int) -> bool:  # noqa: ARG002
        return True

    def next_at(self, now: int) -> int:
        return now + 12


@dataclass(frozen=True, slots=True)
class Loop:
    """A chain's loop, and the connection that it asks by."""

    turns: ChainLoop
    rpc: Any

    @property
    def names(self) -> Sequence[str]:
        return list(self.turns.schedules)


@contextmanager
def ticking(loaded: Loaded) -> Iterator[tuple[Loop, SqlJournal]]:
    """What `keeper run` would turn, with every vault due in every tick."""
    with SqlJournal(journal_url(loaded)) as journal:
        deployment = Deployment.open(loaded, journal, live=False)
        (loop,) = deployment.loops
        loop.schedules = dict.fromkeys(loop.schedules, Always())
        screens = loop.cycle._screens
        screens.told = max(screens.told, math.ceil(len(loop.schedules) * SPACING / screens.untold))
        rpc = loop.cycle._observer._rpc  # type: ignore[attr-defined]
        try:
            yield Loop(loop, rpc), journal
        finally:
            deployment.close()
            rpc.close()


def _whole(loop: Loop) -> Callable[[], object]:
    def run() -> None:
        turns = loop.turns.tick()
        assert len(turns) == len(loop.names), f"expected {len(loop.names)} turns, found {len(turns)}"
        assert all(turn.record.kind == "hold" for turn in turns), turns[0].record

    return run


def _wire(tick: Callable[[], None]) -> tuple[int, int]:
    """Connections that it opens, and requests in which it asks for the chain's id."""
    opened, asked = [], []
    begin, ask = Connection.__init__, Connection.ask

    def counting_begin(self: Connection, *args: Any, **named: Any) -> None:
        opened.append(self)
        begin(self, *args, **named)

    def counting_ask(self: Connection, request: Sequence[bytes], *args: Any) -> Any:
        asked.extend(part for part in request if b"eth_chainId" in part)
        return ask(self, request, *args)

    Connection.__init__, Connection.ask = counting_begin, counting_ask  # type: ignore[method-assign]
    try:
        tick()
    finally:
        Connection.__init__, Connection.ask = begin, ask  # type: ignore[method-assign]
    return len(opened), len(asked)


def _unscreened(loop: Loop) -> Callable[[], object]:
    screens = loop.turns.cycle._screens

    def run() -> None:
        told, screens.told = screens.told, 1_000_000
        loop.turns.tick()
        screens.told = told

    return run


def _commit(journal: SqlJournal, vaults: Sequence[str]) -> Callable[[], object]:
    block, drifts = Block(31_337, 1, "0x" + "ab" * 32, "", 1, Wei(1), 30_000_000), dict.fromkeys(vaults, 0)
    return lambda: journal.go_on(drifts, block)


# --- what it is compared with ----------------------------------------------------------------------------------------


def _asked(loaded: Loaded) -> tuple[list[bytes], list[Read]]:
    """The bodies that a steady tick sends, and the reads in them."""
    chain = Chain.open(loaded, "local")
    rpc = RecordingRpc(chain.name, chain.config.rpc[0].reveal().split())
    observer = replace(chain, rpc=rpc).observer(lambda _vault, _now: History(), senders=())
    observer.observe(chain.vaults)
    rpc.bodies.clear()
    snapshot = observer.observe(chain.vaults)
    rpc.close()
    chain.rpc.close()
    return rpc.bodies, list(dict.fromkeys(read for vault in snapshot.vaults.values() for read in vault.answers))


def _web3(provider: CountingProvider, reads: Sequence[Read]) -> Callable[[], Any]:
    """Somebody's script: the head and every read, in batches that Anvil takes. Native balances are left out."""
    w3 = Web3(provider)
    calls: list[Any] = [{"to": read.to, "data": "0x" + read.data.hex()} for read in reads if int(read.to, 16)]

    def run() -> list[Any]:
        found: list[Any] = [w3.eth.get_block("latest")]
        for first in range(0, len(calls), AT_ONCE):
            with w3.batch_requests() as batch:
                for call in calls[first : first + AT_ONCE]:
                    batch.add(w3.eth.call(call))
                found += batch.execute()
        return found

    return run
