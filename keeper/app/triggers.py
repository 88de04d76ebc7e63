"""Whether a contract can be asked at all: log triggers are told by the functions that its code names."""

from __future__ import annotations

from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.reading.pins import Pins
from keeper.config.upkeeps import AnyUpkeep, ChainlinkUpkeepConfig
from keeper.core.abi import selector

CHECK_UPKEEP = selector("checkUpkeep(bytes)")
CHECK_LOG = selector("checkLog((uint256,uint256,bytes32,uint256,bytes32,address,bytes32[],bytes),bytes)")
"""Of Chainlink's ILogAutomation: what a log trigger asks, with the log."""


def look_for_trigger(rpc: Rpc, path: str, upkeep: AnyUpkeep, pins: Pins) -> None:
    """A dispatcher holds the selectors of its functions. A proxy holds neither, and is asked then."""
    if not isinstance(upkeep, ChainlinkUpkeepConfig):
        return
    code = unhex(rpc.call("eth_getCode", [upkeep.target, "latest"]), "code")
    is_log = CHECK_LOG in code and CHECK_UPKEEP not in code
    found = "a log trigger (checkLog), which only Chainlink's network follows" if is_log else "no log trigger"
    pins.note(f"{path}.target", "a condition to ask for (checkUpkeep)", found, not is_log)
