"""Rpc over real sockets on loopback, against a server that does whatever a bad node or a bad network does."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from keeper.chain.nodes import transport
from keeper.chain.nodes.rpc import Rpc, RpcError, TransportFault
from keeper.core.errors import Unreachable
from tests.chain.fault_server import Reply, http, says, sends, serving

SECRET = "s3cr3tAp1Key0123456789"


def ok(body: Any) -> Any:
    """An honest node: each answer is the request's own parameters."""
    if isinstance(body, list):
        return [ok(item) for item in body]
    return {"jsonrpc": "2.0", "id": body["id"], "result": body["params"]}


def result(value: Any) -> Callable[[Any], Any]:
    return lambda body: {"jsonrpc": "2.0", "id": body["id"], "result": value}


def error(value: Any, **more: Any) -> Callable[[Any], Any]:
    return lambda body: {"jsonrpc": "2.0", "id": body["id"], "error": value} | more


@contextmanager
def rpc_to(*urls: str, timeout: float = 1.0) -> Iterator[Rpc]:
    rpc = Rpc("main", urls, timeout=timeout)
    try:
        yield rpc
    finally:
        rpc.close()


# --- answers ---------------------------------------------------------------------------------------------------------


def test_call__again_and_again__keeps_one_connection() -> None:
    with serving(says(ok)) as server, rpc_to(server.url) as rpc:
        assert [rpc.call("a", [i]) for i in range(5)] == [[0], [1], [2], [3], [4]]
        assert (server.connections, rpc.requests_made) == (1, 5)


def test_call__over_a_kept_connection__starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise AssertionError("a thread for an exchange")

    with serving(says(ok)) as server, rpc_to(server.url) as rpc:
        rpc.call("a", [0])
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            assert [rpc.call("a", [i]) for i in range(5)] == [[0], [1], [2], [3], [4]]


def test_batch__answered_in_another_order__is_matched_by_id() -> None:
    with serving(says(lambda body: list(reversed(ok(body))))) as server, rpc_to(server.url) as rpc:
        assert rpc.batch([("a", [1]), ("b", [2]), ("c", [3])]) == [[1], [2], [3]]
        assert (len(server.requests), rpc.requests_made) == (1, 1)
        assert rpc.batch([]) == []
        assert rpc.requests_made == 1


def test_call__with_credentials_in_the_url__sends_them_as_a_header() -> None:
    with serving(says(ok)) as server:
        with rpc_to(server.url.replace("//", "//user:p%40ss@") + "/path?key=1") as rpc:
            rpc.call("a", [])
        path, headers = server.heads[0]
        assert (path, headers["authorization"]) == ("/path?key=1", "Basic dXNlcjpwQHNz")


def test_call__answered_in_gzip__is_read() -> None:
    def reply(connection: socket.socket, headers: dict[str, str], body: Any) -> bool:
        connection.sendall(http(gzip.compress(json.dumps(ok(body)).encode()), "200 OK", "content-encoding: gzip"))
        return True

    with serving(reply) as server, rpc_to(server.url) as rpc:
        assert rpc.call("a", [7]) == [7]


@pytest.mark.fault("R13")
@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ({"code": -32000, "message": "header not found"}, -32000, "header not found"),
        ({"code": "SERVER_ERROR", "message": "no"}, "SERVER_ERROR", "no"),
        ({"message": "no code"}, None, "no code"),
        ({"code": 3, "message": "execution reverted", "data": "0x08c3"}, 3, "execution reverted"),
        ({}, None, "error without a message"),
        ({"code": None, "message": None}, None, "error without a message"),
        ("just text", None, "just text"),
    ],
)
def test_call__answered_with_an_error__keeps_what_it_says(value: Any, code: Any, message: str) -> None:
    with serving(says(error(value))) as server, rpc_to(server.url) as rpc:
        with pytest.raises(RpcError) as caught:
            rpc.call("a", [])
        assert (caught.value.code, caught.value.message) == (code, message)
        assert caught.value.data == (value.get("data") if isinstance(value, dict) else None)
        assert len(server.requests) == 1


@pytest.mark.fault("R13")
def test_call__with_a_null_error_beside_the_result__has_the_result() -> None:
    with serving(says(lambda body: ok(body) | {"error": None})) as server, rpc_to(server.url) as rpc:
        assert rpc.call("a", [1]) == [1]


def test_call__error_with_status_400_or_a_null_id__is_the_nodes_answer() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}}).encode()
    reply, reason = sends(http(body, "400 Bad Request")), r"parse error \(code -32700\)"
    with serving(reply) as server, rpc_to(server.url) as rpc, pytest.raises(RpcError, match=reason):
        rpc.call("a", [])


@pytest.mark.fault("R12")
def test_call__answered_with_null__is_none_only_where_it_may_be() -> None:
    with serving(says(result(None))) as server, rpc_to(server.url) as rpc:
        assert rpc.call("eth_getTransactionReceipt", ["0x"], nullable=True) is None
        with pytest.raises(Unreachable, match="eth_getBalance: result was null"):
            rpc.call("eth_getBalance", [])


@pytest.mark.fault("R12")
def test_batch__with_a_null_or_failed_item__fails_that_item_alone() -> None:
    def mixed(body: Any) -> Any:
        return [result(None)(body[0]), error({"code": 3, "message": "reverted"})(body[1]), ok(body[2])]

    with serving(says(mixed)) as server, rpc_to(server.url) as rpc:
        null, failed, fine = rpc.batch([("a", [1]), ("b", [2]), ("c", [3])])
        assert isinstance(null, RpcError)
        assert null.message == "a: result was null"
        assert isinstance(failed, RpcError)
        assert fine == [3]
        assert rpc.batch([("a", [1]), ("b", [2]), ("c", [3])], nullable=True)[0] is None


def test_batch__refused_as_a_whole__refuses_every_item() -> None:
    refusal = {"jsonrpc": "2.0", "id": None, "error": {"code": -32005, "message": "batch too large"}}
    with serving(says(lambda body: refusal)) as server, rpc_to(server.url) as rpc:
        answers = rpc.batch([("a", []), ("b", [])])
        assert [answer.message for answer in answers] == ["batch too large"] * 2


# --- answers that are none -------------------------------------------------------------------------------------------


def huge(connection: socket.socket, headers: dict[str, str], body: Any) -> bool:
    """Never ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


BOMB = http(gzip.compress(b" " * 50_000_000), "200 OK", "content-encoding: gzip")
"""Made once: compressing takes longer than a test may wait for an answer."""


def drip(data: bytes) -> Reply:
    """One byte every 50 ms: no single read ever times out."""

    def reply(connection: socket.socket, headers: dict[str, str], body: Any) -> bool:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)
        return False

    return reply


def silent(connection: socket.socket, headers: dict[str, str], body: Any) -> bool:
    return bool(connection.recv(1))


HONEST = {"jsonrpc": "2.0", "result": 1}
BROKEN: list[Any] = [
    pytest.param(sends(http(b"<html>busy</html>")), "expected a JSON-RPC answer", marks=pytest.mark.fault("R9")),
    pytest.param(sends(http(b"")), "expected a JSON-RPC answer, found 0 bytes", marks=pytest.mark.fault("R9")),
    pytest.param(sends(http(b"[]")), "expected a JSON-RPC answer", marks=pytest.mark.fault("R9")),
    pytest.param(sends(http(b"1")), "expected a JSON-RPC answer", marks=pytest.mark.fault("R9")),
    pytest.param(sends(http(b'{"id": NaN}')), "expected a JSON-RPC answer", marks=pytest.mark.fault("R9")),
    pytest.param(sends(http(b"[" * 100_000)), "expected a JSON-RPC answer", marks=pytest.mark.fault("R9")),
    pytest.param(sends(http(b'{"jsonrpc":"2.0","id":1,"res')), "expected a JSON", marks=pytest.mark.fault("R10")),
    pytest.param(sends(http(b"x" * 99)[:-50]), "connection broke", marks=pytest.mark.fault("R10")),
    pytest.param(says(lambda body: HONEST | {"id": body["id"] + 1}), "answer id", marks=pytest.mark.fault("R11")),
    pytest.param(says(lambda body: HONEST | {"id": str(body["id"])}), "answer id", marks=pytest.mark.fault("R11")),
    pytest.param(says(lambda body: HONEST | {"id": True}), "answer id", marks=pytest.mark.fault("R11")),
    pytest.param(says(lambda body: HONEST), "answer id", marks=pytest.mark.fault("R11")),
    pytest.param(says(lambda body: [ok(body)]), "found a list", marks=pytest.mark.fault("R11")),
    pytest.param(says(lambda body: {"id": body["id"]}), "neither result nor error", marks=pytest.mark.fault("R9")),
    pytest.param(silent, "no answer in time|no complete answer within 0.5 s", marks=pytest.mark.fault("R1")),
    pytest.param(drip(http(b" " * 200)), "no complete answer within 0.5 s", marks=pytest.mark.fault("R32")),
    pytest.param(
        drip(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50),
        "no complete answer within 0.5 s",
        marks=pytest.mark.fault("R32"),
    ),
    pytest.param(huge, "answer is larger than", marks=pytest.mark.fault("R32")),
    pytest.param(sends(BOMB), "answer is larger than", marks=pytest.mark.fault("R32")),
    pytest.param(sends(b"nonsense\r\n\r\n"), "connection broke", marks=pytest.mark.fault("R10")),
    pytest.param(sends(http(b"slow down", "429 Too Many Requests")), "HTTP 429: slow", marks=pytest.mark.fault("R5")),
    pytest.param(sends(http(b"", "503 Service Unavailable")), "HTTP 503", marks=pytest.mark.fault("R7")),
    pytest.param(sends(http(b"{}", "401 Unauthorized")), "HTTP 401", marks=pytest.mark.fault("R8")),
]


@pytest.mark.parametrize(("reply", "reason"), BROKEN)
def test_call__broken_answer__is_a_fault_in_time_and_fails_over(
    reply: Reply, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_BODY", 1_000_000)
    # Only where time is the point is it short: a busy machine takes a while to unpack too much.
    timeout = 0.5 if "0.5 s" in reason else 3
    with serving(reply) as bad, serving(says(ok)) as good:
        began = time.monotonic()
        with rpc_to(bad.url + f"/{SECRET}", timeout=timeout) as rpc, pytest.raises(Unreachable, match=reason) as caught:
            rpc.call("a", [])
        assert time.monotonic() - began < 5
        assert SECRET not in str(caught.value)
        assert bad.url in str(caught.value)
        with rpc_to(bad.url, good.url, timeout=timeout) as rpc:
            assert rpc.call("a", [1]) == [1]


@pytest.mark.fault("R11")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda answers: answers[:-1],
        lambda answers: [answers[0], answers[0]],
        lambda answers: [*answers, answers[0]],
        lambda answers: [answers[0], answers[1] | {"id": 999}],
        lambda answers: [answers[0], answers[1] | {"id": None}],
        lambda answers: [answers[0], "text"],
        lambda answers: answers[0],
        lambda answers: {"id": None, "result": 1},
    ],
)
def test_batch__with_wrong_missing_or_double_ids__is_refused_whole(spoil: Callable[[Any], Any]) -> None:
    with serving(says(lambda body: spoil(ok(body)))) as server, rpc_to(server.url) as rpc:
        with pytest.raises(Unreachable, match="no node answers"):
            rpc.batch([("a", [1]), ("b", [2])])
        assert len(server.requests) == 1


# --- network ---------------------------------------------------------------------------------------------------------


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.fault("R1")
def test_call__nobody_listens__names_every_url_masked() -> None:
    urls = [f"http://127.0.0.1:{closed_port()}/{SECRET}", f"http://127.0.0.1:{closed_port()}/?k={SECRET}"]
    with rpc_to(*urls) as rpc:
        with pytest.raises(Unreachable) as caught:
            rpc.call("a", [])
        assert rpc.requests_made == 2
    text = str(caught.value)
    assert text.count("connection refused") == 2
    assert SECRET not in text


@pytest.mark.fault("S3")
def test_call__node_quotes_the_key__never_shows_it() -> None:
    reply = says(error({"code": 1, "message": f"key {SECRET} is over its quota\x1b[2J"}))
    with serving(reply) as server, rpc_to(f"{server.url}/v2/{SECRET}") as rpc, pytest.raises(RpcError) as caught:
        rpc.call("a", [])
    assert str(caught.value) == r"key … is over its quota\x1b[2J (code 1)"


def test_call__after_failing_over__stays_with_the_url_that_answers() -> None:
    with serving(sends(b"")) as bad, serving(says(ok)) as good, rpc_to(bad.url, good.url) as rpc:
        rpc.call("a", [])
        seen = len(bad.requests)
        rpc.call("a", [])
        assert (len(bad.requests), len(good.requests)) == (seen, 2)


@pytest.mark.fault("R4")
def test_call__kept_connection_was_closed__asks_once_more() -> None:
    def last(connection: socket.socket, headers: dict[str, str], body: Any) -> bool:
        return False

    with serving(says(ok), last, says(ok)) as server, rpc_to(server.url) as rpc:
        assert [rpc.call("a", [1]), rpc.call("a", [2])] == [[1], [2]]
        assert server.connections == 2


@pytest.mark.fault("R33")
def test_call__redirected__does_not_follow() -> None:
    with serving(says(ok)) as other:
        redirect = http(b"", "307 Temporary Redirect", f"location: {other.url}/")
        expected = pytest.raises(Unreachable, match="HTTP 307")
        with serving(sends(redirect)) as server, rpc_to(server.url) as rpc, expected:
            rpc.call("a", [])
        assert other.requests == []


@pytest.mark.fault("R33")
def test_call__where_tls_fails__is_a_fault() -> None:
    expected = pytest.raises(Unreachable, match="TLS failed")
    with serving(says(ok)) as server, rpc_to(server.url.replace("http:", "https:")) as rpc, expected:
        rpc.call("a", [])


def test_call__from_many_threads__mixes_no_answers() -> None:
    wrong: list[int] = []
    with serving(says(ok)) as server, rpc_to(server.url, timeout=5) as rpc:

        def ask(number: int) -> None:
            wrong.extend(i for i in range(20) if rpc.call("a", [number, i]) != [number, i])

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (wrong, rpc.requests_made) == ([], 120)


# --- sending ---------------------------------------------------------------------------------------------------------


def test_send__to_several_urls__asks_each_once_and_keeps_every_answer() -> None:
    refusal = error({"code": -32000, "message": "nonce too low"})
    with (
        serving(says(result("0xabc"))) as takes,
        serving(says(refusal)) as refuses,
        serving(says(result(None))) as null,
        rpc_to(takes.url, refuses.url, null.url, f"http://127.0.0.1:{closed_port()}") as rpc,
    ):
        taken, refused, nothing, dead = rpc.send_raw(b"\x02\xf8")
        assert (taken.url, taken.result) == (takes.url, "0xabc")
        assert isinstance(refused.result, RpcError)
        assert refused.result.message == "nonce too low"
        assert isinstance(nothing.result, TransportFault)
        assert isinstance(dead.result, TransportFault)
        assert takes.requests[0]["method"] == "eth_sendRawTransaction"
        assert takes.requests[0]["params"] == ["0x02f8"]
        assert [len(server.requests) for server in (takes, refuses, null)] == [1, 1, 1]


@pytest.mark.fault("R2")
@pytest.mark.fault("R4")
@pytest.mark.parametrize(
    "reply", [silent, sends(b""), sends(http(b"x" * 99)[:-50]), sends(http(b"", "502 Bad Gateway"))]
)
def test_send__answer_lost__is_never_sent_again(reply: Reply) -> None:
    with serving(says(ok), reply) as server, rpc_to(server.url, timeout=0.3) as rpc:
        rpc.call("a", [])  # so that the send travels on a kept connection, as it would
        (answer,) = rpc.send_raw(b"\x02")
        assert isinstance(answer.result, TransportFault)
        time.sleep(0.05)
        assert len(server.requests) == 2


@pytest.mark.fault("R5")
def test_send__rate_limited__tells_status_and_retry_after() -> None:
    reply = sends(http(b"", "429 Too Many Requests", "retry-after: 7"))
    with serving(reply) as server, rpc_to(server.url) as rpc:
        (answer,) = rpc.send_raw(b"\x02")
    assert isinstance(answer.result, TransportFault)
    assert (answer.result.status, answer.result.retry_after) == (429, "7")
