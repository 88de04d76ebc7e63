"""Answers byte by byte, over a socket that is none."""

from __future__ import annotations

import gzip
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.nodes import http
from keeper.chain.nodes.http import LARGE, Broken, Connection, Late, Reply, TooLarge

MOST = 1_000
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Pieces:
    """A socket that gives these pieces, then the end; it takes a few bytes at a time."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces, self.sent, self.closed = [piece for piece in pieces if piece], b"", False

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def send(self, data: memoryview) -> int:
        taken = data[: 3 if len(data) < 100 else 10_000]
        self.sent += bytes(taken)
        return len(taken)

    def recv(self, most: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def recv_into(self, place: memoryview) -> int:
        piece = self.recv(len(place))
        if len(piece) > len(place):
            self._pieces.insert(0, piece[len(place) :])
        place[: len(piece)] = piece[: len(place)]
        return min(len(piece), len(place))

    def close(self) -> None:
        self.closed = True


def connect(*pieces: bytes) -> tuple[Connection, Pieces]:
    pretended = Pieces(pieces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "dial", lambda *place, tls: pretended)
        return Connection("h", 80, soon(), tls=False), pretended


def soon() -> float:
    return time.monotonic() + 5


def ask(*pieces: bytes, request: bytes = b"x") -> Reply:
    return connect(*pieces)[0].ask([request], soon(), MOST)


GOOD = [
    (OK + b"content-length: 5\r\n\r\nhello", b"hello", True),
    (OK + b"Content-Length:5\r\nContent-Length: 5\r\n\r\nhello", b"hello", True),
    (OK + b"content-length: 0\r\n\r\n", b"", True),
    (CHUNKED + b"3\r\nhel\r\n02;x=y\r\nlo\r\n0\r\n\r\n", b"hello", True),
    (CHUNKED + b"5\r\nhello\r\n0\r\ntrailer: x\r\n\r\n", b"hello", True),
    (OK + b"content-length: 5\r\nconnection: Close\r\n\r\nhello", b"hello", False),
    (b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", b"hello", False),
    (OK + b"\r\nhello", b"hello", False),
    (b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + OK + b"content-length: 5\r\n\r\nhello", b"hello", True),
    (OK + b"content-length: 5\r\n\r\nhello, and more", b"hello", False),
]


@pytest.mark.parametrize(("answer", "body", "stays"), GOOD)
def test_ask__answered_in_any_form__gives_the_body_whole(answer: bytes, body: bytes, stays: bool) -> None:
    for pieces in ([answer], [bytes([byte]) for byte in answer]):
        connection, pretended = connect(*pieces)
        assert connection.ask([b"a ", b"", b"request"], soon(), MOST) == Reply(200, "", body)
        assert pretended.sent == b"a request"
        # What follows an answer is seen only where it came with it.
        assert connection.may_stay is (stays or (len(pieces) > 1 and b"more" in answer))


def test_ask__twice__reads_each_answer() -> None:
    answers = [OK + b"content-length: 1\r\n\r\na", OK + b"retry-after: 7\r\ncontent-length: 1\r\n\r\nb"]
    connection, _ = connect(*answers)
    assert [connection.ask([b"x"], soon(), MOST) for _ in answers] == [Reply(200, "", b"a"), Reply(200, "7", b"b")]


def test_ask__answered_in_gzip__unpacks_it() -> None:
    packed = gzip.compress(b"hello" * 100)
    head = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
    assert ask(head % len(packed) + packed).body == b"hello" * 100
    for spoiled in (packed[:-9], b"x" + packed[1:]):
        with pytest.raises(Broken):
            ask(head % len(spoiled) + spoiled)


@pytest.mark.fault("R10")
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"nonsense\r\n\r\n",
        OK + b"content-length: 6\r\n\r\nhello",
        OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        OK + b"content-length: -5\r\n\r\nhello",
        OK + b"content-length: 5 5\r\n\r\nhello",
        OK + b"transfer-encoding: gzip\r\n\r\nhello",
        OK + b"content-encoding: br\r\ncontent-length: 5\r\n\r\nhello",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"x\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"4\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_ask__answered_by_nonsense__is_broken(answer: bytes) -> None:
    with pytest.raises(Broken):
        ask(answer)


@pytest.mark.fault("R32")
@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 1001\r\n\r\n",
        CHUNKED + b"3e9\r\n",
        CHUNKED + b"258\r\n" + b"x" * 600 + b"\r\n258\r\n",
        OK + b"\r\n" + b"x" * 1_001,
        OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 100_000),
    ],
)
def test_ask__answered_at_length__stops_at_the_cap(answer: bytes) -> None:
    with pytest.raises(TooLarge):
        ask(answer)


@pytest.mark.fault("R32")
def test_ask__answered_by_an_endless_head__is_broken() -> None:
    with pytest.raises(Broken):
        ask(OK, b"x: y\r\n" * 20_000)


def test_ask__a_large_request__arrives_whole_and_in_order() -> None:
    connection, pretended = connect(OK + b"content-length: 0\r\n\r\n")
    pieces = [b"head", b"x" * LARGE, b"between", b"y" * LARGE, b"z" * (LARGE + 1), b"end"]
    connection.ask(pieces, soon(), MOST)
    assert pretended.sent == b"".join(pieces)


@pytest.mark.fault("R1")
def test_ask__after_the_deadline__is_late() -> None:
    connection, _ = connect(OK)
    with pytest.raises(Late):
        connection.ask([b"x"], time.monotonic() - 1, MOST)


@given(st.data())
def test_ask__any_spoiled_byte__gives_a_reply_or_a_fault(data: st.DataObject) -> None:
    answer = bytearray(data.draw(st.sampled_from([answer for answer, _, _ in GOOD])))
    at = data.draw(st.integers(0, len(answer) - 1))
    answer[at] = data.draw(st.integers(0, 255))
    try:
        reply = ask(bytes(answer))
    except (Broken, TooLarge):
        return
    assert len(reply.body) <= MOST
