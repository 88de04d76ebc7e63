"""What time it is: of this machine, or of a local chain whose time somebody else moves."""

from __future__ import annotations

import time

from keeper.chain.nodes.headers import quantity
from keeper.chain.nodes.rpc import Rpc


class SystemClock:
    """This machine's wall clock, in Unix seconds."""

    def now(self) -> int:
        return int(time.time())


class ChainClock:
    """The latest block's time. For local chains only: on a real one a stuck node would stop time with it."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def now(self) -> int:
        """One request. Raises Unreachable and TransientError."""
        return quantity(self._rpc.call("eth_getBlockByNumber", ["latest", False])["timestamp"], "timestamp")
