"""A whole tick: observe one block and decide for every vault, against the requests that it cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from web3 import Web3

from bench.bare import BareSocket, RecordingRpc
from bench.frame import Contestant, Pace, Row, measure
from bench.local import CountingProvider, Local, local_market, requests, say_requests
from bench.vaults import fund, holding_vaults
from keeper.app.chains import Chain
from keeper.app.deployment import journal_url
from keeper.core.chain import History, Read
from keeper.core.ports import Journal
from keeper.deciding import decide
from keeper.journal.sql import SqlJournal

TITLE, UNIT = "A tick: vaults that hold, dry, on Anvil", "vaults"


def rows(pace: Pace) -> list[Row]:
    sizes = pace.sizes(1, 10, 100, 1000)
    found: list[Row] = []
    with local_market() as local, BareSocket(local.url) as bare:
        fund(local, max(sizes))
        for size in sizes:
            with TemporaryDirectory() as folder, ExitStack() as closing:
                contestants = _contestants(local, bare, size, Path(folder), closing)
                found += measure(f"{size} vault{'s' * (size > 1)}", contestants, pace, work=size)
    return found


def _contestants(local: Local, bare: BareSocket, size: int, folder: Path, closing: ExitStack) -> list[Contestant]:
    loaded = holding_vaults(local, size, folder)
    journal = closing.enter_context(SqlJournal(journal_url(loaded)))
    chain = Chain.open(loaded, "local")
    closing.callback(chain.rpc.close)
    bodies, reads = _asked(chain, journal)
    framed = [bare.framed(body) for body in bodies]
    provider = CountingProvider(local.url)
    tick, pastless = _tick(chain, journal.history), _tick(chain, lambda _vault, _now: History())
    turn, script = _turn(chain, journal), _web3(provider, reads)
    asked = requests(chain.rpc, tick)
    assert asked == requests(chain.rpc, pastless) == requests(chain.rpc, turn) == say_requests(len(bodies)), (
        "the floor lacks a request"
    )
    return [
        Contestant("ours", "observe and decide", tick, f"{asked}, {len(reads)} reads"),
        Contestant("ours", "the same without a past", pastless, asked),
        Contestant("ours", "the same, and journaled", turn, f"{asked}, {len(reads)} reads"),
        Contestant("peer", "web3 batch, reads only", script, requests(provider, script)),
        Contestant("floor", "bare socket, our bytes", lambda: bare.send_all(framed), asked),
    ]


def _tick(chain: Chain, history: Callable[[str, int], History]) -> Callable[[], object]:
    """All vaults are due, and all must hold."""
    observer, submitter = chain.observer(history), chain.dry_submitter()
    vaults = {name: chain.vault(name, submitter, armed=False) for name in chain.vaults}

    def run() -> None:
        seen = observer.observe(chain.vaults).vaults
        for name, vault in vaults.items():
            decision = decide(vault, seen[name].view)
            assert not decision.wants_to_act and decision.draft is None, decision

    return run


def _turn(chain: Chain, journal: Journal) -> Callable[[], object]:
    cycle = chain.cycle(journal)

    def run() -> None:
        for turn in cycle.turn(chain.vaults):
            assert turn.record.kind == "hold", turn.record

    return run


def _asked(chain: Chain, journal: Journal) -> tuple[list[bytes], list[Read]]:
    """The bodies that a steady tick sends, and the reads in them."""
    rpc = RecordingRpc(chain.name, chain.loaded.config.chains[chain.name].rpc[0].reveal().split())
    observer = replace(chain, rpc=rpc).observer(journal.history)
    observer.observe(chain.vaults)
    rpc.bodies.clear()
    snapshot = observer.observe(chain.vaults)
    rpc.close()
    return rpc.bodies, list(dict.fromkeys(read for vault in snapshot.vaults.values() for read in vault.answers))


def _web3(provider: CountingProvider, reads: Sequence[Read]) -> Callable[[], Any]:
    """Somebody's script: the head and every read in one batch. Native balances are left out."""
    w3 = Web3(provider)
    calls: list[Any] = [{"to": read.to, "data": "0x" + read.data.hex()} for read in reads if int(read.to, 16)]

    def run() -> list[Any]:
        with w3.batch_requests() as batch:
            batch.add(w3.eth.get_block("latest"))
            for call in calls:
                batch.add(w3.eth.call(call))
            return list(batch.execute())

    return run
