"""A remote signer that answers `eth_signTransaction` over a real socket, truthfully or not."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from eth_account import Account

from tests.chain.fault_server import Reply, http, says
from tests.unit.chain.sending.test_signed import twin

Alter = Callable[[dict[str, Any]], dict[str, Any]]

_NUMBERS = ("nonce", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "chainId")


def asked(body: Any) -> dict[str, Any]:
    """The transaction of a request, as eth-account takes it."""
    (fields,) = body["params"]
    found = {name: int(text, 16) if name in _NUMBERS else text for name, text in fields.items() if name != "from"}
    return found | ({"type": 2} if "maxFeePerGas" in found else {})


def signs(
    key: str | bytes,
    alter: Alter = lambda transaction: transaction,
    garble: Callable[[bytes], bytes] = lambda raw: raw,
    shape: Callable[[str], Any] = lambda text: text,
) -> Reply:
    """Signs what `alter` makes of what was asked; `garble` changes the bytes, `shape` says how they are answered."""

    def answer(body: Any) -> Any:
        assert body["method"] == "eth_signTransaction"
        raw = garble(bytes(Account.sign_transaction(alter(asked(body)), key).raw_transaction))
        return {"jsonrpc": "2.0", "id": body["id"], "result": shape("0x" + raw.hex())}

    return says(answer)


def other(**changes: Any) -> Alter:
    return lambda transaction: transaction | changes


def answers(result: Any) -> Reply:
    return says(lambda body: {"jsonrpc": "2.0", "id": body["id"], "result": result})


def refuses(message: str) -> Reply:
    return says(lambda body: {"jsonrpc": "2.0", "id": body["id"], "error": {"code": -32000, "message": message}})


def fails(status: str, body: bytes = b"") -> Reply:
    def reply(connection: socket.socket, headers: Mapping[str, str], asked: Any) -> bool:
        connection.sendall(http(body, status))
        return True

    return reply


def floods(size: int) -> Reply:
    """A proper answer, but for its size."""

    def reply(connection: socket.socket, headers: Mapping[str, str], body: Any) -> bool:
        text = json.dumps({"jsonrpc": "2.0", "id": body["id"], "result": "0x" + "00" * size})
        connection.sendall(http(text.encode()))
        return True

    return reply


def loses(seconds: float = 0.0) -> Reply:
    """Takes the request, and hangs up after a while without a word."""

    def reply(connection: socket.socket, headers: Mapping[str, str], body: Any) -> bool:
        time.sleep(seconds)
        return False

    return reply


def lies(key: str | bytes, stranger: str) -> dict[str, tuple[Reply, str]]:
    """Each way to answer with something else than what was asked, and what is said of it."""
    elsewhere = "0x" + "11" * 20
    return {
        "nonce": (signs(key, other(nonce=8)), "nonce: expected"),
        "target": (signs(key, other(to=elsewhere)), "to: expected"),
        "value": (signs(key, other(value=1)), "value: expected"),
        "data": (signs(key, other(data="0x1234")), "data: expected"),
        "gas": (signs(key, other(gas=1_000_000)), "gas: expected"),
        "fee cap": (signs(key, other(maxFeePerGas=10**12)), "maxFeePerGas: expected"),
        "tip": (signs(key, other(maxPriorityFeePerGas=1)), "maxPriorityFeePerGas: expected"),
        "access list": (
            signs(key, other(accessList=[{"address": elsewhere, "storageKeys": []}])),
            "access list: expected none",
        ),
        "chain": (signs(key, other(chainId=1)), "chainId: expected"),
        "type": (signs(key, _as_legacy), "something else"),
        "sender": (signs(stranger), "signed by"),
        "malleated": (signs(key, garble=twin), "the smaller s"),
        "truncated": (signs(key, garble=lambda raw: raw[:-1]), "something else"),
        "longer": (signs(key, garble=lambda raw: raw + b"\0"), "something else"),
        "no hex": (answers("0xsigned"), "expected a raw transaction"),
        "no prefix": (answers("02f8"), "expected a raw transaction"),
        "empty": (answers("0x"), "0 bytes of something else"),
        "null": (answers(None), "expected a raw transaction"),
        "another shape": (answers({"tx": {}}), "expected a raw transaction"),
        "another id": (says(lambda body: {"jsonrpc": "2.0", "id": 99, "result": "0x"}), "answer to request"),
        "a list": (says(lambda body: [1]), "answer to request"),
        "refusal": (refuses("not in my policy"), "refused: not in my policy"),
        "too large": (floods(1 << 20), "larger than 1048576 bytes"),
        "HTTP 500": (fails("500 Internal Server Error"), "HTTP 500"),
        "HTTP 403": (fails("403 Forbidden"), "HTTP 403"),
        "redirect": (fails("302 Found"), "HTTP 302"),
    }


def _as_legacy(transaction: dict[str, Any]) -> dict[str, Any]:
    fees = {"type", "maxFeePerGas", "maxPriorityFeePerGas"}
    return {name: value for name, value in transaction.items() if name not in fees} | {"gasPrice": 10**9}
