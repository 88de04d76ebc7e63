"""What the sections about reads read: three token balances of each of many accounts, through whichever contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.bare import BareSocket, RecordingRpc
from bench.local import Local, holder
from contracts_abi import runtime
from keeper.chain.nodes.batch import BatchReader
from keeper.chain.nodes.headers import parse_block
from keeper.chain.nodes.multicall import MULTICALL3
from keeper.chain.nodes.rpc import Rpc
from keeper.core.abi import calldata
from keeper.core.chain import Block, Read
from keeper.core.units import Address
from tests.chain.node import Node
from tests.chain.solidity import compile_solidity

TOKENS = ("WETH", "USDC", "BTC")
FUNDED = 7
"""Every so many-th account holds something, so that an answer in the wrong place is seen."""

Run = Callable[[], list[int]]


@dataclass(frozen=True, slots=True)
class Work:
    """The same reads for every contestant, at one block that does not move. `url` may be a way round."""

    local: Local
    url: str
    block: Block
    reads: tuple[Read, ...]

    @property
    def targets(self) -> list[tuple[Address, Address]]:
        """Token and account of each read."""
        return [(read.to, Address("0x" + read.data[-20:].hex())) for read in self.reads]


def fund(local: Local, items: int) -> None:
    """Balances to find, and Multicall3's interface at its address (as tests/contracts/Aggregator.sol has it)."""
    for number in range(0, min(items, 1_000), FUNDED):
        local.market.fund(holder(number), {"USDC": number + 1})
    node = Node(local.url)
    made = node.deploy(compile_solidity("Aggregator.sol")["Aggregator"])
    node.rpc("anvil_setCode", MULTICALL3, node.rpc("eth_getCode", made, "latest"))
    node.rpc("evm_mine")


def work(local: Local, items: int, url: str = "") -> Work:
    block = parse_block(local.rpc.call("eth_getBlockByNumber", ["latest", False]), local.chain_id)
    tokens = [local.market.tokens[symbol].address for symbol in TOKENS]
    reads = [Read(token, calldata("balanceOf(address)", holder(item))) for item in range(items) for token in tokens]
    return Work(local, url or local.url, block, tuple(reads))


def ours(work: Work, rpc: Rpc, code: bytes | None = None) -> Run:
    """By our own reader, or, where its code is none, by Multicall3."""
    reader = BatchReader(rpc, work.local.chain_id, runtime("reader") if code is None else code)

    def run() -> list[int]:
        return figures(reader.fetch_list(work.reads, work.block))

    return run


def figures(answers: Sequence[bytes | None]) -> list[int]:
    """Balances, none of which fails."""
    return list(map(int.from_bytes, answers))  # type: ignore[arg-type]


def floor(work: Work, bare: BareSocket, code: bytes | None = None) -> tuple[Callable[[], Any], int]:
    """The same bytes as `ours` sends, once it has probed the node; and how many requests they are."""
    rpc = RecordingRpc("recording", [work.local.url])
    run = ours(work, rpc, code)
    run()
    rpc.bodies.clear()
    run()
    rpc.close()
    framed = [bare.framed(body) for body in rpc.bodies]
    return lambda: bare.send_all(framed), len(framed)
