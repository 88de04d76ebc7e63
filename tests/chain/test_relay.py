"""A relay over a real socket: what it is sent, how that is signed, and what becomes of its answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from keeper.chain.nodes.rpc import RpcError, TransportFault
from keeper.chain.sending.relay import Kind, Relay
from keeper.core.errors import ConfigError
from tests.chain.fault_server import says, sends, serving


def replying(result: Any) -> Callable[[Any], Any]:
    return lambda body: {"jsonrpc": "2.0", "id": body["id"], "result": result}


@pytest.mark.parametrize(
    ("kind", "method", "params"),
    [
        ("raw", "eth_sendRawTransaction", ["0xbeef"]),
        ("private", "eth_sendPrivateTransaction", [{"tx": "0xbeef", "maxBlockNumber": "0x7d"}]),
    ],
)
def test_offer__either_kind__signed_over_exactly_the_bytes_sent(kind: Kind, method: str, params: list[Any]) -> None:
    signed: list[bytes] = []

    def authorize(body: bytes) -> str:
        signed.append(body)
        return "0xme:0xsigned"

    with serving(says(replying("0xabc"))) as server:
        relay = Relay(server.url, kind, 25, authorize)
        assert relay.offer(b"\xbe\xef", 100).result == "0xabc"
        relay.close()
    (body,), (_, headers) = server.requests, server.heads[0]
    assert (body["method"], body["params"]) == (method, params)
    assert headers["x-flashbots-signature"] == "0xme:0xsigned"
    assert [json.loads(each) for each in signed] == [body]


def test_offer__no_auth_key__no_header() -> None:
    with serving(says(replying("0xabc"))) as server:
        relay = Relay(server.url, "raw", 5)
        relay.offer(b"\xbe\xef", 100)
        relay.close()
    assert "x-flashbots-signature" not in server.heads[0][1]


@pytest.mark.fault("T28")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (says(lambda body: {"jsonrpc": "2.0", "id": body["id"], "error": {"code": 1, "message": "FAILED"}}), RpcError),
        (says(lambda body: {"id": body["id"], "error": "no"}), RpcError),
        (says(replying(200)), TransportFault),
        (says(lambda body: {"id": 99, "result": "0xabc"}), TransportFault),
        (sends(b"HTTP/1.1 502 Bad Gateway\r\n\r\n"), TransportFault),
    ],
)
def test_offer__anything_but_a_hash__a_value_and_never_an_exception(answer: Any, expected: type) -> None:
    with serving(answer) as server:
        relay = Relay(server.url, "raw", 5)
        assert isinstance(relay.offer(b"\xbe\xef", 100).result, expected)
        relay.close()


@pytest.mark.fault("R33")
def test_relay__plain_http_to_a_remote_host__refused() -> None:
    with pytest.raises(ConfigError, match="https"):
        Relay("http://relay.example", "raw", 5)
