"""Round trips and connections: the head and all reads of it, from a node that is as far away as told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from bench.bare import BareSocket, RecordingRpc
from bench.distance import Far, far
from bench.frame import QUICK, Contestant, Pace, Row, measure
from bench.local import CountingProvider, local_market, say_requests
from bench.reading import Run, Work, figures, fund, work
from bench.web3_reads import aggregated, gathered, one_by_one
from contracts_abi import runtime
from keeper.chain.nodes.batch import BatchReader
from keeper.chain.nodes.headers import parse_block
from keeper.chain.nodes.messages import Request
from keeper.chain.nodes.rpc import Rpc

TITLE, UNIT = "Round trips: the head and three balances an item", "reads"
DELAYS = (0.0, 0.020, 0.100)
"""{s} Of a whole round trip."""
FEW, MANY = 10, (1_000, 5_000)
"""{items} 5,000 are 15,000 reads: more than a thousand vaults make."""
HEADER: Request = ("eth_getBlockByNumber", ["latest", False])


def rows(pace: Pace) -> list[Row]:
    found: list[Row] = []
    sizes = pace.sizes(FEW, *MANY)
    with local_market() as local:
        fund(local, max(sizes))
        for delay in DELAYS[: 2 if pace is QUICK else None]:
            for items in sizes:
                with ExitStack() as group:
                    node = group.enter_context(far(local.url, delay))
                    asked = work(local, items, node.url)
                    contestants = _Trip(asked, node, group).contestants(slow=items == FEW)
                    what = f"{len(asked.reads):,} reads, {delay * 1_000:.0f} ms away"
                    found += measure(what, contestants, pace, work=len(asked.reads))
    return found


@dataclass(frozen=True, slots=True)
class _Trip:
    asked: Work
    node: Far
    group: ExitStack

    def contestants(self, *, slow: bool) -> list[Contestant]:
        rpc = self.group.enter_context(closing(Rpc("far", [self.node.url])))
        provider = CountingProvider(self.node.url)
        found = [
            self._counted("ours", "a tick's reads", tick(self.asked, rpc)),
            self._counted("peer", "w3.eth.call and eth_abi", self._after_head(provider, aggregated)),
        ]
        if slow:
            runner = self.group.enter_context(asyncio.Runner())
            all_at_once = gathered(replace(self.asked, url=self.node.url), runner, self.group)
            found += [
                self._counted("peer", "web3, one by one", self._after_head(provider, one_by_one)),
                self._counted("peer", "web3, all at once", all_at_once),
            ]
        return [*found, self._counted("floor", "bare socket, our bytes", self._floor())]

    def _after_head(self, provider: CountingProvider, way: Callable[[Work, CountingProvider], Run]) -> Run:
        run = way(self.asked, provider)

        def both() -> list[int]:
            provider.make_request("eth_getBlockByNumber", ["latest", False])  # type: ignore[arg-type]
            return run()

        return both

    def _floor(self) -> Callable[[], object]:
        """The bytes of a tick, over one socket."""
        with closing(RecordingRpc("recording", [self.asked.local.url])) as rpc:
            run = tick(self.asked, rpc)
            run()
            rpc.bodies.clear()
            run()
            bare = self.group.enter_context(BareSocket(self.node.url))
            framed = [bare.framed(body) for body in rpc.bodies]
        return lambda: bare.send_all(framed)

    def _counted(self, role: str, name: str, run: Callable[[], object]) -> Contestant:
        run()
        requests, connections = self.node.requests_made, self.node.connections_made
        run()
        made = self.node.requests_made - requests, self.node.connections_made - connections
        return Contestant(role, name, run, f"{say_requests(made[0])}, {made[1]} new connections")  # type: ignore[arg-type]


def tick(asked: Work, rpc: Rpc) -> Run:
    """As the observer does it: the head is not known before."""
    reader = BatchReader(rpc, asked.local.chain_id, runtime("reader"))

    def run() -> list[int]:
        sent = reader.ask([HEADER], asked.reads)
        return figures(reader.settle(sent, parse_block(sent.beside[0], asked.local.chain_id)))

    return run
