"""A contract that reverts with "ask this URL" (EIP-3668): who follows it lets strangers choose where it connects."""

from __future__ import annotations

import pytest

from keeper.core.abi import calldata
from keeper.core.calls import Call, Calls, Purpose
from tests.builders import address
from tests.chain.fault_server import says, serving
from tests.chain.test_submitter import World, both_ways, world

__all__ = ["world"]

LURE = address(0x10E)


def reverting(data: bytes) -> str:
    """Code that reverts with `data`: PUSH2 size, PUSH2 offset, PUSH0, CODECOPY, PUSH2 size, PUSH0, REVERT, then it."""
    size = f"61{len(data):04x}"
    return f"0x{size}61000d5f39{size}5ffd{data.hex()}"


@pytest.mark.fault("S16")
def test_simulate__revert_asks_to_call_a_url__nobody_calls_it(world: World) -> None:
    with serving(says(lambda body: {"data": "0x"})) as stranger:
        url = f"{stranger.url}/{{sender}}/{{data}}"
        lookup = calldata("OffchainLookup(address,string[],bytes,bytes4,bytes)", LURE, [url], b"?", b"\1\2\3\4", b"")
        world.do("anvil_setCode", LURE, reverting(lookup))
        call = Call(LURE, b"\1\2\3\4", 0, Purpose.SWAP, "swap")
        for simulation in both_ways(world, Calls((call,)), world.view()):
            assert simulation.failure
        assert world.do("eth_chainId")
        assert (stranger.connections, stranger.requests) == (0, [])
