"""What a WebSocket says of heads, and what is made of it; tests/chain/test_heads.py speaks over a real one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keeper.chain.nodes.heads import Heads, LostHeads, label, number_of, subscribed


def head(number: Any = "0x10", subscription: Any = "0xabc", **more: Any) -> str:
    params = {"subscription": subscription, "result": {"number": number, "hash": "0x" + "11" * 32}}
    return json.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": params} | more)


def test_number_of__a_head__its_number() -> None:
    assert number_of(head(), "0xabc") == 16
    assert number_of(head().encode(), "0xabc") == 16


@pytest.mark.fault("R34")
@pytest.mark.parametrize(
    "message",
    [
        head(subscription="0xother"),
        head(number=16),
        head(number="0x" + "f" * 65),
        head(number=None),
        head(params=[]),
        head(params={"subscription": "0xabc", "result": "0x10"}),
        "[]",
        "null",
        "",
        "{",
        "[" * 60_000,
        b"\xff\xfe",
    ],
)
def test_number_of__anything_else__lost(message: str | bytes) -> None:
    with pytest.raises(LostHeads, match="expected a head"):
        number_of(message, "0xabc")


@pytest.mark.parametrize(
    "message",
    [
        '{"id": 1, "error": {"code": -32601, "message": "notifications not supported"}}',
        '{"id": 2, "result": "0xabc"}',
        '{"id": 1, "result": ""}',
        '{"id": 1, "result": true}',
        "[]",
        head(),
    ],
)
def test_subscribed__no_subscription__lost(message: str) -> None:
    with pytest.raises(LostHeads, match="refused to subscribe"):
        subscribed(message)


def test_subscribed__its_name() -> None:
    assert subscribed('{"jsonrpc": "2.0", "id": 1, "result": "0xabc"}') == "0xabc"


@pytest.mark.fault("S3")
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://me:secret@host.example/v2/secret?key=secret", "wss://host.example"),
        ("ws://127.0.0.1:8546/secret", "ws://127.0.0.1:8546"),
        ("ws://[::1]:8546", "ws://[::1]:8546"),
    ],
)
def test_label__keys_stay_out(url: str, shown: str) -> None:
    assert label(url) == shown
    assert repr(Heads("base", [url], block_time=2, say=lambda text, good: None)) == f"Heads(base: {shown})"
