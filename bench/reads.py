"""Reads: three balances of many accounts at one block, by our reader and through Multicall3, beside others' ways."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from bench import multicall_py
from bench.bare import BareSocket, body_of
from bench.frame import QUICK, Contestant, Pace, Row, measure
from bench.local import CountingProvider, Counts, local_market, say_requests
from bench.reading import Run, Work, floor, fund, ours, work
from bench.web3_reads import aggregated, batched, gathered, one_by_one
from keeper.chain.nodes.multicall import MULTICALL3

Rival = Callable[[Work, ExitStack], Contestant]

TITLE, UNIT = "Reads: three balances an item at one block, on Anvil", "reads"
MOST_SLOW = 1_000
"""{items} Beyond this the peers that need a request for each read would take minutes."""


def rows(pace: Pace) -> list[Row]:
    found: list[Row] = []
    with local_market() as local, BareSocket(local.url) as bare, ExitStack() as closing:
        sizes = pace.sizes(1, 10, 100, 1_000, 5_000)
        fund(local, max(sizes))
        runner = closing.enter_context(asyncio.Runner())
        rival = _rival(pace)
        for items in sizes:
            asked = work(local, items)
            with ExitStack() as group:
                what = f"{items:,} item{'s' * (items > 1)}, {len(asked.reads):,} reads"
                groups = {
                    what: _by_reader(asked, bare),
                    f"{what}, Multicall3": _by_multicall(asked, bare, rival, group),
                }
                if items <= MOST_SLOW:
                    # Apart: between two runs of seconds nothing quick finds its bytes where it left them.
                    groups[f"{what}, call by call"] = _call_by_call(asked, bare, runner, group)
                for name, contestants in groups.items():
                    # Two that are as quick as each other need more rounds to tell them apart.
                    rounds = pace.rounds * 4 if len(contestants) == 2 else pace.rounds
                    found += measure(name, contestants, replace(pace, rounds=rounds), work=len(asked.reads))
    return found


def _by_reader(asked: Work, bare: BareSocket) -> list[Contestant]:
    rpc = asked.local.rpc
    mine, (least, requests) = ours(asked, rpc), floor(asked, bare)
    return [
        _checked("ours", "packed reader", mine, mine(), rpc),
        Contestant("floor", "bare socket, our bytes", least, say_requests(requests)),
    ]


def _by_multicall(asked: Work, bare: BareSocket, rival: Rival | None, group: ExitStack) -> list[Contestant]:
    rpc, provider = asked.local.rpc, CountingProvider(asked.local.url)
    mine, (least, requests) = ours(asked, rpc, b""), floor(asked, bare, b"")
    expected = ours(asked, rpc)()
    return [
        _checked("ours", "aggregate3, sliced", mine, expected, rpc),
        _checked("ours", "packed reader", ours(asked, rpc), expected, rpc),
        _checked("peer", "w3.eth.call and eth_abi", aggregated(asked, provider), expected, provider),
        *([] if rival is None else [rival(asked, group)]),
        Contestant("floor", "bare socket, our bytes", least, say_requests(requests)),
    ]


def _call_by_call(asked: Work, bare: BareSocket, runner: asyncio.Runner, group: ExitStack) -> list[Contestant]:
    rpc, provider = asked.local.rpc, CountingProvider(asked.local.url)
    mine, (least, requests) = ours(asked, rpc), floor(asked, bare)
    expected = mine()
    return [
        _checked("ours", "packed reader", mine, expected, rpc),
        _checked("peer", "web3, one by one", one_by_one(asked, provider), expected, provider, slow=True),
        _checked("peer", "web3, all at once (AsyncWeb3)", gathered(asked, runner, group), expected, slow=True),
        _checked("peer", "web3, batch_requests", batched(asked, provider), expected, provider, slow=True),
        _unpacked(asked, bare),
        Contestant("floor", "bare socket, our bytes", least, say_requests(requests)),
    ]


def _unpacked(asked: Work, bare: BareSocket) -> Contestant:
    calls = [{"to": read.to, "data": "0x" + read.data.hex()} for read in asked.reads]
    plain = [bare.framed(body_of([("eth_call", [call, {"blockHash": asked.block.hash}]) for call in calls]))]
    assert bare.send_all(plain)[0].count(b'"result"') == len(calls), "the unpacked batch failed"
    return Contestant("peer", "bare socket, unpacked batch", lambda: bare.send_all(plain), say_requests(1))


def _checked(
    role: str, name: str, run: Run, expected: list[int], counter: Counts | None = None, *, slow: bool = False
) -> Contestant:
    """Says the same as the others, and how many requests it takes, once it has found its way."""
    if not slow:
        run()
    before = 0 if counter is None else counter.requests_made
    assert run() == expected, f"{name}: expected the same figures"
    note = "" if counter is None else say_requests(counter.requests_made - before)
    return Contestant(role, name, run, note)  # type: ignore[arg-type]


def _rival(pace: Pace) -> Rival | None:
    try:
        python = multicall_py.interpreter(may_install=pace is not QUICK)
    except multicall_py.CannotInstall as reason:
        print(f"multicall.py takes no part: {reason}", file=sys.stderr)
        return None

    def enter(asked: Work, group: ExitStack) -> Contestant:
        run, tell = group.enter_context(multicall_py.contestant(asked, MULTICALL3, python))
        assert tell() == ours(asked, asked.local.rpc)(), "multicall.py: expected the same figures"
        return Contestant("peer", "multicall.py 0.15.2", run, "its own process")

    return enter
