"""Reads: balances of many accounts at one block, packed by us, one by one and in a batch by web3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from web3 import Web3

from bench.bare import BareSocket, RecordingRpc, body_of
from bench.frame import Contestant, Pace, Row, measure
from bench.local import CountingProvider, Local, holder, local_market, requests, say_requests
from keeper.app.pinning import runtime
from keeper.chain.nodes.batch import BatchReader
from keeper.chain.nodes.headers import parse_block
from keeper.core.abi import calldata, word
from keeper.core.chain import Block, Read

TITLE, UNIT = "Reads: balanceOf at one block, on Anvil", "reads"
ABI = [
    {
        "type": "function",
        "name": "balanceOf",
        "stateMutability": "view",
        "inputs": [{"name": "owner", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    }
]
FUNDED = 7
"""Every so many-th account holds something, so that an answer in the wrong place is seen."""


def rows(pace: Pace) -> list[Row]:
    with local_market() as local, BareSocket(local.url) as bare:
        sizes = pace.sizes(1, 10, 100, 1000)
        for number in range(0, max(sizes), FUNDED):
            local.market.fund(holder(number), {"USDC": number + 1})
        block = parse_block(local.rpc.call("eth_getBlockByNumber", ["latest", False]), local.chain_id)
        found: list[Row] = []
        for size in sizes:
            contestants = _contestants(local, bare, block, size)
            found += measure(f"{size} read{'s' * (size > 1)}", contestants, pace, work=size)
        return found


def _contestants(local: Local, bare: BareSocket, block: Block, size: int) -> list[Contestant]:
    token = local.market.tokens["USDC"].address
    reads = [Read(token, calldata("balanceOf(address)", holder(number))) for number in range(size)]
    ours = _ours(local, reads, block)
    provider = CountingProvider(local.url)
    one_by_one, batched = _web3(provider, token, size, block)
    assert ours() == one_by_one() == batched(), "the contestants disagree"

    packed = [bare.framed(body) for body in _bodies(local, reads, block)]
    each = [{"to": read.to, "data": "0x" + read.data.hex()} for read in reads]
    plain = [bare.framed(body_of([("eth_call", [call, {"blockHash": block.hash}]) for call in each]))]
    assert bare.send_all(plain)[0].count(b'"result"') == size, "the unpacked batch failed"
    return [
        Contestant("ours", "packed reader", ours, requests(local.rpc, ours)),
        Contestant("peer", "web3, one by one", one_by_one, requests(provider, one_by_one)),
        Contestant("peer", "web3, batch_requests", batched, requests(provider, batched)),
        Contestant("peer", "bare socket, unpacked batch", lambda: bare.send_all(plain), say_requests(len(plain))),
        Contestant("floor", "bare socket, our bytes", lambda: bare.send_all(packed), say_requests(len(packed))),
    ]


def _ours(local: Local, reads: Sequence[Read], block: Block) -> Callable[[], list[int]]:
    reader = BatchReader(local.rpc, local.chain_id, runtime("reader"))

    def run() -> list[int]:
        found = reader.fetch(reads, block)
        return [word(found[read] or b"", 0) for read in reads]

    return run


def _bodies(local: Local, reads: Sequence[Read], block: Block) -> list[bytes]:
    """What the packed reader sends, once it has probed the node."""
    rpc = RecordingRpc("recording", [local.url])
    reader = BatchReader(rpc, local.chain_id, runtime("reader"))
    reader.fetch(reads, block)
    rpc.bodies.clear()
    reader.fetch(reads, block)
    rpc.close()
    return rpc.bodies


def _web3(
    provider: CountingProvider, token: str, size: int, block: Block
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    w3 = Web3(provider)
    contract = w3.eth.contract(address=Web3.to_checksum_address(token), abi=ABI)
    functions = [contract.functions.balanceOf(holder(number)) for number in range(size)]

    def one_by_one() -> list[int]:
        # By number: by hash web3 would ask for the block before every call.
        return [function.call(block_identifier=block.number) for function in functions]

    def batched() -> list[Any]:
        with w3.batch_requests() as batch:
            for function in functions:
                batch.add(function)
            return list(batch.execute())

    return one_by_one, batched
