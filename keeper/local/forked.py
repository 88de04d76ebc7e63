"""A fork: an Anvil that begins where another chain stands, and goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from keeper.chain.nodes.rpc import Rpc
from keeper.chain.nodes.transport import Endpoint
from keeper.local.anvil import Anvil, run_anvil
from keeper.local.origin import serve_origin
from keeper.local.unlocked import UnlockedWire

PATIENCE = 180.0
"""{s} For one answer of the fork: behind it are as many reads of the origin as it touches slots for the first time."""


@contextmanager
def run_fork(origin: Rpc, chain_id: int, block: int, *, port: int | None = None) -> Iterator[Anvil]:
    """Yields a fork after `block` of the origin, whose every account may send. The origin is read, never written.

    Raises ConfigError where there is no Anvil, Unreachable where the origin does not answer.
    """
    options = [
        *("--fork-block-number", str(block), "--auto-impersonate", "--timeout", str(int(PATIENCE * 1000))),
        # What is cached on disk is told apart by chain and block alone, and two chains may share both.
        *("--no-storage-caching", "--no-rate-limit"),
    ]
    with (
        serve_origin(origin) as url,
        run_anvil(chain_id=chain_id, port=port, options=["--fork-url", url, *options], ready_within=PATIENCE) as node,
    ):
        yield node


def open_unlocked(name: str, node: Anvil) -> Rpc:
    """The fork's node as a keeper sees it; what an UnlockedSigner wrote, it takes."""
    return Rpc(name, [node.url], connect=lambda url: UnlockedWire(Endpoint(url, timeout=PATIENCE)))
