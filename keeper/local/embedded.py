"""A chain in this process, answering JSON-RPC on loopback like any node, so that nothing else knows it is embedded."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from keeper.core.units import Address, Wei
from keeper.local.evm import Evm
from keeper.local.methods import Methods
from keeper.local.parsing import parse_address
from keeper.local.rpc_server import RpcServer

CHAIN_ID = 31_337
GENESIS = 1_767_225_600
"""2026-01-01 00:00:00 UTC."""
BASE_FEE = Wei(10**9)
TIP = Wei(10**8)


class EmbeddedChain:
    """Runs until closed; `with EmbeddedChain(...) as chain` closes it.

    Every transaction gets a block of its own at once, 12 s after its parent unless another time is set. Blocks stay
    as they are, so the head is final. The base fee stays where it is put. Accounts given at the start send without a
    signature (`send`, eth_sendTransaction); everybody else signs.
    """

    def __init__(
        self,
        chain_id: int = CHAIN_ID,
        accounts: Mapping[Address, int] | None = None,
        *,
        timestamp: int = GENESIS,
        base_fee: Wei = BASE_FEE,
        tip: Wei = TIP,
        port: int = 0,
    ) -> None:
        """`accounts` hold that many wei at genesis; `timestamp` is genesis in Unix seconds; port 0 takes a free one.

        Raises OSError where the port is taken.
        """
        holders = {parse_address(address): wei for address, wei in (accounts or {}).items()}
        self._methods = Methods(Evm(chain_id, holders, timestamp=timestamp, base_fee=base_fee), holders.keys(), tip)
        self._server = RpcServer(self._methods.answer, port)
        self.chain_id = chain_id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._server.close()

    # --- what it is --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def now(self) -> int:
        """{Unix s} The head's time: a clock that follows the chain."""
        return self._methods.evm.head.timestamp

    @property
    def number(self) -> int:
        return self._methods.evm.head.number

    def ask(self, method: str, *params: Any) -> Any:
        """What a JSON-RPC client would get, without the socket. Raises NodeError."""
        return self._methods.answer(method, list(params))

    # --- moving it ---------------------------------------------------------------------------------------------------

    def mine(self, timestamp: int | None = None, blocks: int = 1) -> int:
        """Adds empty blocks, the first one at `timestamp`; returns the head's number. Raises NodeError where the time
        is not after the head's."""
        with self._methods.lock:
            if timestamp is not None:
                self._methods.set_time(timestamp)
            for _ in range(blocks):
                self._methods.evm.mine()
            return self.number

    def rewind(self, number: int) -> None:
        """Forgets every block after this one."""
        with self._methods.lock:
            self._methods.evm.rewind(number)

    def set_next_time(self, timestamp: int) -> None:
        """The time of the next block, whoever makes it, in Unix seconds. Raises NodeError as above."""
        with self._methods.lock:
            self._methods.set_time(timestamp)

    def set_base_fee(self, base_fee: Wei) -> None:
        """From the next block on."""
        with self._methods.lock:
            self._methods.evm.base_fee = base_fee

    def send(self, sender: Address, to: Address | None, data: bytes = b"", value: int = 0) -> dict[str, Any]:
        """Sends from an account of the start and returns the receipt. Raises NodeError where it is refused or fails."""
        fields = {"from": sender, "data": "0x" + data.hex(), "value": hex(value)}
        if to is not None:
            fields["to"] = to
        receipt: dict[str, Any] = self.ask("eth_getTransactionReceipt", self.ask("eth_sendTransaction", fields))
        return receipt
