"""The chain that a fork copies, as the fork's node may see it: through our own transport, and for reading only.

The provider's URL, with its key, never stands on a command line; Anvil is given a loopback URL instead. What would
change anything on the origin is refused here, whoever asks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.core.errors import TransientError, Unreachable
from keeper.local.node_error import NO_METHOD, SERVER_ERROR, NodeError
from keeper.local.rpc_server import RpcServer

READS = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_feeHistory",
        "eth_gasPrice",
        "eth_getAccountInfo",
        "eth_getBalance",
        "eth_getBlockByHash",
        "eth_getBlockByNumber",
        "eth_getBlockReceipts",
        "eth_getCode",
        "eth_getLogs",
        "eth_getProof",
        "eth_getStorageAt",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
        "net_version",
        "web3_clientVersion",
    }
)
PATIENCE, PAUSE = 60.0, 0.5
"""{s} How long one read of a slow or limited origin is tried, and how long between two tries."""


@contextmanager
def serve_origin(rpc: Rpc) -> Iterator[str]:
    """Yields the loopback URL where `rpc` can be read."""
    server = RpcServer(lambda method, params: read(rpc, method, params))
    try:
        yield server.url
    finally:
        server.close()


def read(rpc: Rpc, method: str, params: list[Any]) -> Any:
    """Raises NodeError, whose text never holds the origin's URL."""
    if method not in READS:
        raise NodeError(NO_METHOD, f"the method {method} is not for reading: nothing reaches the origin of a fork")
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            return rpc.call(method, params, nullable=True)
        except RpcError as error:
            code = error.code if isinstance(error.code, int) else SERVER_ERROR
            raise NodeError(code, error.message) from None
        except (Unreachable, TransientError) as error:
            # A node that limits us says so by failing: the fork waits rather than dies of it.
            if time.monotonic() >= ends:
                raise NodeError(SERVER_ERROR, str(error)) from None
        time.sleep(PAUSE)
