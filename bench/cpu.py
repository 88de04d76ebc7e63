"""The reads again, by what they cost this thread: its own work, without waiting for the node."""

from __future__ import annotations

import time
from dataclasses import replace

from bench.bare import BareSocket
from bench.frame import Contestant, Pace, Row, measure
from bench.local import CountingProvider, local_market
from bench.reading import floor, fund, ours, work
from bench.web3_reads import aggregated, batched

TITLE, UNIT = "Own processor time of reads, on Anvil", "reads"


def rows(pace: Pace) -> list[Row]:
    found: list[Row] = []
    with local_market() as local, BareSocket(local.url) as bare:
        sizes = pace.sizes(1, 10, 100, 1_000)
        fund(local, max(sizes))
        for items in sizes:
            asked, provider = work(local, items), CountingProvider(local.url)
            contestants = [
                Contestant("ours", "packed reader", ours(asked, local.rpc)),
                Contestant("ours", "aggregate3, sliced", ours(asked, local.rpc, b"")),
                Contestant("peer", "w3.eth.call and eth_abi", aggregated(asked, provider)),
                Contestant("peer", "web3, batch_requests", batched(asked, provider)),
                Contestant("floor", "bare socket, our bytes", floor(asked, bare)[0]),
            ]
            what = f"{items:,} item{'s' * (items > 1)}, {len(asked.reads):,} reads"
            found += measure(what, contestants, pace, work=len(asked.reads), clock=time.thread_time)
    return [replace(row, note=f"{row.median / row.work * 1e6:,.2f} µs a read") for row in found]
