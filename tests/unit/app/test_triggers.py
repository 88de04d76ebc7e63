from __future__ import annotations

import pytest

from keeper.app.triggers import CHECK_LOG, CHECK_UPKEEP, look_for_trigger
from keeper.chain.reading.pins import Pins
from keeper.config.calls import FunctionCall
from keeper.config.upkeeps import CallUpkeepConfig, ChainlinkUpkeepConfig
from tests.builders import address, make_block

TARGET = address(0xC0FFEE)


class Node:
    def __init__(self, code: bytes) -> None:
        self.code = code

    def call(self, method: str, params: list[str]) -> str:
        assert (method, params) == ("eth_getCode", [TARGET, "latest"])
        return "0x" + self.code.hex()


def test_selectors__are_those_of_chainlinks_interfaces() -> None:
    assert (CHECK_UPKEEP.hex(), CHECK_LOG.hex()) == ("6e04ff0d", "40691db4")


@pytest.mark.parametrize(
    ("code", "ok"),
    [(b"\x63" + CHECK_UPKEEP, True), (b"\x63" + CHECK_LOG, False), (CHECK_LOG + CHECK_UPKEEP, True), (b"proxy", True)],
)
def test_look__a_log_trigger__is_wrong_and_named(code: bytes, ok: bool) -> None:
    pins = Pins(make_block())
    upkeep = ChainlinkUpkeepConfig(kind="chainlink", chain="local", target=TARGET)
    look_for_trigger(Node(code), "upkeeps.counter", upkeep, pins)  # type: ignore[arg-type]
    (finding,) = pins.findings
    assert (finding.ok, "log trigger (checkLog)" in finding.found) == (ok, not ok)


def test_look__another_kind__asks_nothing() -> None:
    pins = Pins(make_block())
    upkeep = CallUpkeepConfig(kind="call", chain="local", target=TARGET, call=FunctionCall(function="poke()"))
    look_for_trigger(Node(CHECK_LOG), "upkeeps.poke", upkeep, pins)  # type: ignore[arg-type]
    assert pins.findings == []
