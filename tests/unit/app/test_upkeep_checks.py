from __future__ import annotations

from typing import Any

import pytest

from keeper.app.upkeep_checks import FORWARDERS, NOBODY, find_forwarder, tells_apart
from keeper.chain.nodes.rpc import RpcError
from keeper.core.abi import selector
from tests.builders import address
from tests.unit.chain.fake_node import words

TARGET, FORWARDER = address(0xC0FFEE), address(0xF0)
NAMED = words(0xF0)


class Node:
    """Answers the getters by name; every other one reverts."""

    def __init__(self, **answers: bytes) -> None:
        self.answers = {selector(f"{name}()"): data for name, data in answers.items()}

    def batch(self, requests: list[tuple[str, list[Any]]]) -> list[Any]:
        assert [params[0]["to"] for _, params in requests] == [TARGET] * len(FORWARDERS)
        found = [self.answers.get(bytes.fromhex(params[0]["data"][2:])) for _, params in requests]
        return [RpcError(3, "execution reverted") if each is None else "0x" + each.hex() for each in found]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, ("", NOBODY)),
        ({"s_forwarderAddress": NAMED}, ("s_forwarderAddress()", FORWARDER)),
        ({"dedicatedMsgSender": NAMED}, ("dedicatedMsgSender()", FORWARDER)),
        ({"s_forwarderAddress": words(0), "forwarder": NAMED}, ("forwarder()", FORWARDER)),
        ({"forwarder": b""}, ("", NOBODY)),
        ({"forwarder": NAMED + NAMED}, ("", NOBODY)),
        ({"forwarder": words(1 << 200)}, ("", NOBODY)),
    ],
)
def test_forwarder__as_far_as_the_contract_tells(answers: dict[str, bytes], expected: tuple[str, str]) -> None:
    assert find_forwarder(Node(**answers), TARGET) == expected  # type: ignore[arg-type]


class Door:
    """Answers each caller in its own way."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def batch(self, requests: list[tuple[str, list[Any]]]) -> list[Any]:
        assert [(params[0]["from"], params[0]["data"]) for _, params in requests] == [
            (TARGET, "0xdeadbeef"),
            (FORWARDER, "0xdeadbeef"),
        ]
        return self.answers


NOT_YOU, NOT_DUE = RpcError(3, "execution reverted", "0x11111111"), RpcError(3, "execution reverted", "0x22222222")


@pytest.mark.parametrize(
    ("ours", "theirs", "apart"),
    [
        ("0x", "0x", False),
        (NOT_DUE, NOT_DUE, False),
        (NOT_YOU, NOT_DUE, True),
        (NOT_YOU, "0x", True),
        ("0x01", "0x02", True),
    ],
)
def test_tells_apart__where_the_same_call_ends_otherwise(ours: Any, theirs: Any, apart: bool) -> None:
    node = Door(ours, theirs)
    assert tells_apart(node, TARGET, b"\xde\xad\xbe\xef", (TARGET, FORWARDER)) == apart  # type: ignore[arg-type]
