"""A private way to a block: the transaction is shown to a relay first, and to the public pool only later.

What a relay says is never proof of anything: a transaction that it calls failed or unknown may still be mined, and one
that it calls accepted may never be. So its status is not even asked for; the chain is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from keeper.chain.nodes.rpc import RpcError, SendAnswer
from keeper.chain.nodes.transport import Endpoint, TransportFault
from keeper.chain.sending.private_files import read_private
from keeper.chain.sending.signed import CURVE_ORDER
from keeper.core.errors import ConfigError

Kind = Literal["raw", "private"]
MAX_BLOCKS = 25
"""Flashbots keeps a private transaction for at most so many blocks."""

Authorize = Callable[[bytes], str]
"""A body -> the value of its `X-Flashbots-Signature`."""


class Relay:
    """One relay: `raw` takes eth_sendRawTransaction (Flashbots Protect, MEV Blocker), `private` takes
    eth_sendPrivateTransaction, which names the last block that it may be put into.

    Guarantees that a transaction is offered once for each call, and that nothing the relay says raises. Does not
    guarantee privacy: a relay, or a block that was thrown away, may leak it, and then min_out is what protects.
    """

    def __init__(
        self, url: str, kind: Kind, max_blocks: int, authorize: Authorize | None = None, *, timeout: float = 10.0
    ) -> None:
        """`max_blocks` is how many blocks it stays private for. Raises ConfigError where the URL is unusable."""
        self._endpoint = Endpoint(url, timeout=timeout)
        self._kind, self._max_blocks, self._authorize = kind, max_blocks, authorize
        self._sent = 0

    @property
    def label(self) -> str:
        """Masked."""
        return self._endpoint.label

    def close(self) -> None:
        self._endpoint.close()

    def offer(self, raw: bytes, head: int) -> SendAnswer:
        """`head` is the number of the newest block."""
        self._sent += 1
        body = {"jsonrpc": "2.0", "id": self._sent, **self._request(raw, head)}
        try:
            answer = self._endpoint.exchange(body, sign=self._header)
        except TransportFault as fault:
            return SendAnswer(self.label, fault)
        return SendAnswer(self.label, self._read(answer))

    def _request(self, raw: bytes, head: int) -> dict[str, object]:
        signed = "0x" + raw.hex()
        if self._kind == "raw":
            return {"method": "eth_sendRawTransaction", "params": [signed]}
        last = hex(head + self._max_blocks)
        return {"method": "eth_sendPrivateTransaction", "params": [{"tx": signed, "maxBlockNumber": last}]}

    def _header(self, body: bytes) -> dict[str, str]:
        return {} if self._authorize is None else {"x-flashbots-signature": self._authorize(body)}

    def _read(self, answer: object) -> str | RpcError | TransportFault:
        if isinstance(answer, dict) and (error := answer.get("error")) is not None:
            text = error.get("message") if isinstance(error, dict) else error
            return RpcError(None, self._endpoint.hide(str(text)))
        result = answer.get("result") if isinstance(answer, dict) and answer.get("id") == self._sent else None
        if not isinstance(result, str):
            return TransportFault(f"{self.label}: expected a hash, found {json.dumps(answer)[:80]}")
        return self._endpoint.hide(result)


def open_authority(path: Path, where: str) -> tuple[str, Authorize]:
    """A key that says who asks, and nothing else: the relay counts reputation by it. Returns its address and its pen.

    The key lives only inside the closure. Raises ConfigError, which never holds a part of the key.
    """
    from eth_account import Account
    from eth_account.messages import encode_defunct
    from eth_utils.crypto import keccak

    text = read_private(path, where).strip().removeprefix(b"0x")
    key = bytes.fromhex(text.decode()) if len(text) == 64 and not text.strip(b"0123456789abcdefABCDEF") else b""
    if not 0 < int.from_bytes(key, "big") < CURVE_ORDER:
        raise ConfigError(str(path), where, "64 hex digits, a private key", f"{len(text)} bytes of something else")
    account = Account.from_key(key)

    def authorize(body: bytes) -> str:
        # EIP-191 over the hex text of the body's hash, as Flashbots asks for.
        signed = account.sign_message(encode_defunct(text="0x" + keccak(body).hex()))
        return f"{account.address}:0x{bytes(signed.signature).hex()}"

    return account.address, authorize
