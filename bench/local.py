"""The market that several sections measure on: real Anvil, and the tokens, feeds and pairs of keeper/local."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from eth_utils.address import to_checksum_address
from web3 import HTTPProvider

from keeper.chain.nodes.rpc import Rpc
from keeper.core.units import Address
from keeper.local.anvil import run_anvil
from keeper.local.deployer import Deployer, UnlockedAccount
from keeper.local.market import Market


@dataclass(frozen=True, slots=True)
class Local:
    url: str
    chain_id: int
    rpc: Rpc
    market: Market


FEW_STATES = ("--prune-history", "100")
"""Of ten thousand blocks Anvil would write each to the disk."""


@contextmanager
def local_market() -> Iterator[Local]:
    """Mines only what it is sent, so that the head stands still while we measure."""
    with run_anvil(options=FEW_STATES) as anvil, closing(Rpc("local", [anvil.url])) as rpc:
        account = Address(rpc.call("eth_accounts", [])[0])
        yield Local(anvil.url, anvil.chain_id, rpc, Market.deploy(Deployer(rpc, UnlockedAccount(account))))


class CountingProvider(HTTPProvider):
    """web3's own provider, told to ask for the chain id once rather than around every call, as a careful user would."""

    def __init__(self, url: str) -> None:
        super().__init__(url, cache_allowed_requests=True)
        self.requests_made = 0

    def _make_request(self, method: Any, request_data: bytes) -> Any:
        # Below the cache: what comes here goes out.
        self.requests_made += 1
        return super()._make_request(method, request_data)

    def make_batch_request(self, batch_requests: Any) -> Any:
        self.requests_made += 1
        return super().make_batch_request(batch_requests)


class Counts(Protocol):
    requests_made: int


def requests(counter: Counts, run: Callable[[], object]) -> str:
    """How many HTTP requests one run makes, after a first one that may have to find its way."""
    run()
    before = counter.requests_made
    run()
    return say_requests(counter.requests_made - before)


def say_requests(count: int) -> str:
    return f"{count:,} request{'s' * (count > 1)}"


def holder(number: int) -> Address:
    """An account that nobody has a key of."""
    return Address(to_checksum_address((0xBE7C << 128 | number).to_bytes(20, "big")))
