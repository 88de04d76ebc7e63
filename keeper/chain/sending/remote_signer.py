"""A key that another machine holds: it is asked to sign over JSON-RPC (`eth_signTransaction`), and never believed.

Any signer that answers like Web3Signer, geth or Clef does. A cloud's key service that signs 32 bytes needs no server
in between: see `digest_signer.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from keeper.chain.nodes.transport import Endpoint, TransportFault
from keeper.chain.sending.signed import verify
from keeper.chain.sending.signers import refuse_public
from keeper.core.errors import SubmitError
from keeper.core.units import Address

TRIES = 3
"""How often the same fields are asked for before the intent waits for the next look: an answer that was lost can be had
again. A signer whose signatures are not deterministic may then have made as many, which are as many hashes of one
nonce; only the one that arrives is journaled and sent."""

MAX_ANSWER = 1 << 20
"""{bytes} A node takes transactions of 128 KiB; an answer holds it twice at most, as hex and as fields."""


class RemoteSigner:
    """One account of one remote signer.

    Guarantees that what comes out was signed by `address` and says exactly what was asked; that a fault, a refusal and
    a lie are all SubmitErrors, after which the nonce is still the intent's; and that no other key stands in for it.
    Does not guarantee that the signer shows nobody else what it signed.
    """

    is_here = False

    def __init__(
        self,
        url: str,
        address: Address,
        chain_ids: frozenset[int],
        *,
        timeout: float = 5.0,
        where: str = "signers",
    ) -> None:
        """`timeout` is in seconds, for each try. Raises ConfigError where the URL is unusable, or everybody has this
        account's key and one of `chain_ids` is not local."""
        refuse_public(address, chain_ids, "remote", where)
        self._endpoint = Endpoint(url, timeout=timeout, max_body=MAX_ANSWER)
        self._address, self._chain_ids = address, chain_ids
        self._asked = 0

    @property
    def address(self) -> Address:
        return self._address

    @property
    def label(self) -> str:
        """Masked."""
        return self._endpoint.label

    def close(self) -> None:
        self._endpoint.close()

    def __repr__(self) -> str:
        return f"RemoteSigner({self._address} at {self.label})"

    def sign(self, transaction: Mapping[str, object]) -> bytes:
        """The raw signed transaction. Raises SubmitError."""
        if transaction.get("chainId") not in self._chain_ids:
            raise SubmitError(f"signer {self._address}: chain {transaction.get('chainId')} is not one of its own")
        raw = self._read(self._ask("eth_signTransaction", [_fields(transaction, self._address)]))
        verify(raw, transaction, self._address)
        return raw

    def accounts(self) -> tuple[str, ...]:
        """What it says it can sign for, in small letters. Raises SubmitError."""
        found = self._ask("eth_accounts", [])
        if not isinstance(found, list):
            raise self._error(f"expected a list of accounts, found {_short(found)}")
        return tuple(each.lower() for each in found if isinstance(each, str))

    def _ask(self, method: str, params: list[Any]) -> Any:
        self._asked += 1
        body = {"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params}
        for left in reversed(range(TRIES)):
            try:
                return self._result(self._endpoint.exchange(body))
            except TransportFault as fault:
                is_refusal = fault.status is not None and 400 <= fault.status < 500
                if not left or is_refusal:
                    raise SubmitError(f"signer {self._address}: {fault.text}") from None
        raise AssertionError("the last try returns or raises")

    def _result(self, answer: Any) -> Any:
        if not isinstance(answer, dict) or answer.get("id") != self._asked:
            raise self._error(f"expected the answer to request {self._asked}, found {_short(answer)}")
        if (error := answer.get("error")) is not None:
            text = error.get("message") if isinstance(error, dict) else error
            raise self._error(f"refused: {text}")
        return answer.get("result")

    def _read(self, result: Any) -> bytes:
        """Bare, or beside the decoded fields as geth and Clef answer. The decoded fields are not even looked at."""
        text = result.get("raw") if isinstance(result, dict) else result
        if isinstance(text, str) and text.startswith("0x"):
            try:
                return bytes.fromhex(text[2:])
            except ValueError:
                pass
        raise self._error(f"expected a raw transaction, found {_short(result)}")

    def _error(self, text: str) -> SubmitError:
        return SubmitError(f"signer {self._address}: {self.label}: {self._endpoint.hide(text)}")


def _fields(transaction: Mapping[str, object], sender: Address) -> dict[str, str]:
    """As JSON-RPC writes them. Web3Signer takes the chain id from its own settings; others want it told."""
    fields = {"from": str(sender)}
    for name, value in transaction.items():
        if name == "type":
            continue  # which fees there are says it
        if isinstance(value, int):
            fields[name] = hex(value)
        else:
            fields[name] = f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
    return fields


def _short(found: Any) -> str:
    return json.dumps(found)[:80]
