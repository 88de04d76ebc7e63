"""How else somebody would read, with web3: one call after another, all at once, in a batch, or through Multicall3."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any

from eth_abi.abi import decode
from web3 import AsyncHTTPProvider, AsyncWeb3, Web3

from bench.local import CountingProvider
from bench.reading import Run, Work
from keeper.chain.nodes.multicall import MULTICALL3, SIGHT_FIELDS, encode_aggregate

AT_ONCE = 3_000
"""{reads} Of one call: 1.3 MB, where Anvil takes 2 MB."""
ABI = [
    {
        "type": "function",
        "name": "balanceOf",
        "stateMutability": "view",
        "inputs": [{"name": "owner", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    }
]


def one_by_one(work: Work, provider: CountingProvider) -> Run:
    w3 = Web3(provider)
    contracts = {token: w3.eth.contract(address=token, abi=ABI) for token in {token for token, _ in work.targets}}
    functions = [contracts[token].functions.balanceOf(_sum(account)) for token, account in work.targets]
    # By number: by hash web3 would ask for the block before every call.
    return lambda: [int(function.call(block_identifier=work.block.number)) for function in functions]


def batched(work: Work, provider: CountingProvider) -> Run:
    w3 = Web3(provider)
    contracts = {token: w3.eth.contract(address=token, abi=ABI) for token in {token for token, _ in work.targets}}
    functions = [contracts[token].functions.balanceOf(_sum(account)) for token, account in work.targets]

    def run() -> list[int]:
        with w3.batch_requests() as batch:
            for function in functions:
                batch.add(function)
            return [int(answer) for answer in batch.execute()]  # type: ignore[call-overload]

    return run


def gathered(work: Work, runner: asyncio.Runner, closing: ExitStack) -> Run:
    """AsyncWeb3, everything at once; `runner` keeps one loop, and with it web3's session."""
    w3 = AsyncWeb3(AsyncHTTPProvider(work.url, cache_allowed_requests=True))
    contracts = {token: w3.eth.contract(address=token, abi=ABI) for token in {token for token, _ in work.targets}}
    functions = [contracts[token].functions.balanceOf(_sum(account)) for token, account in work.targets]

    async def ask() -> list[int]:
        calls = (function.call(block_identifier=work.block.number) for function in functions)
        return [int(answer) for answer in await asyncio.gather(*calls)]

    closing.callback(lambda: runner.run(w3.provider.disconnect()))
    return lambda: runner.run(ask())


def aggregated(work: Work, provider: CountingProvider) -> Run:
    """Calldata made once, `w3.eth.call`, and eth_abi for the answer: what a careful script does."""
    w3 = Web3(provider)
    parts = [work.reads[at : at + AT_ONCE] for at in range(0, len(work.reads), AT_ONCE)]
    calls: list[Any] = [{"to": MULTICALL3, "data": "0x" + encode_aggregate(part).hex()} for part in parts]

    def run() -> list[int]:
        found: list[int] = []
        for call in calls:
            (results,) = decode(["(bool,bytes)[]"], w3.eth.call(call, block_identifier=work.block.number))
            found += [int.from_bytes(data, "big") for _, data in results[SIGHT_FIELDS:]]
        return found

    return run


def _sum(account: str) -> str:
    return str(Web3.to_checksum_address(account))
