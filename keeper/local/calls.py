"""What the embedded chain runs without keeping it: eth_call, eth_simulateV1, eth_estimateGas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from keeper.chain.sending.reverts import decode_revert
from keeper.local.evm import Ask, Evm, Ran, Refused, Sealed, State, override, run, run_all
from keeper.local.node_error import REVERTED, SERVER_ERROR, NodeError
from keeper.local.parsing import (
    argument,
    block_at,
    parse_ask,
    parse_list,
    parse_object,
    parse_overrides,
    parse_quantity,
)
from keeper.local.rendering import as_hex, render_address, render_log

STIPEND = 2_300
"""Gas that a transfer of coins hands to its receiver on top; an estimate must leave room for it."""
CLOSE_ENOUGH = 64
"""An estimate ends once it is within 1/64 of the least that works."""


class Calls:
    """Runs calls on a chain. The head's state is kept between calls, as most of them ask for the head."""

    def __init__(self, evm: Evm) -> None:
        self._evm = evm
        self._warm: tuple[bytes, State] | None = None

    def eth_call(self, params: list[Any]) -> str:
        ran = self._one(parse_ask(argument(params, 0)), argument(params, 1, "latest"), argument(params, 2))
        if ran.error:
            raise failure(ran)
        return as_hex(ran.output)

    def _one(self, ask: Ask, tag: Any, changes: Any) -> Ran:
        state = self.state(block_at(self._evm, tag))
        before = state.snapshot()
        try:
            override(state, parse_overrides(changes))
            return run(state, ask)
        except Refused as refusal:
            raise NodeError(SERVER_ERROR, str(refusal)) from None
        finally:
            state.revert(before)

    def state(self, block: Sealed) -> State:
        """The state of a block, to be left as it was found."""
        if self._warm is None or self._warm[0] != block.hash:
            self._warm = block.hash, self._evm.state_at(block)
        return self._warm[1]

    # --- eth_estimateGas ---------------------------------------------------------------------------------------------

    def eth_estimate_gas(self, params: list[Any]) -> str:
        """The least gas that works, or a little above: bisection between what was used and what surely suffices."""
        ask, tag, changes = parse_ask(argument(params, 0)), argument(params, 1, "latest"), argument(params, 2)
        ran = self._one(ask, tag, changes)
        if ran.error:
            raise failure(ran)
        low, high = ran.gas_used - 1, ask.gas
        likely = (ran.peak + STIPEND) * 64 // 63
        if likely < high and not self._one(replace(ask, gas=likely), tag, changes).error:
            high = likely
        while (high - low) * CLOSE_ENOUGH > high:
            middle = (low + high) // 2
            enough = middle >= ask.intrinsic and not self._one(replace(ask, gas=middle), tag, changes).error
            low, high = (low, middle) if enough else (middle, high)
        return hex(high)

    # --- eth_simulateV1 ----------------------------------------------------------------------------------------------

    def eth_simulate(self, params: list[Any]) -> list[dict[str, Any]]:
        """Blocks of calls on top of a block, each call seeing what the ones before it did. Charges no gas."""
        script = parse_object(argument(params, 0), "a script with blockStateCalls")
        if script.get("validation"):
            raise NodeError(SERVER_ERROR, "validation is not supported: expected false")
        parts = parse_list(script.get("blockStateCalls"), "blockStateCalls")
        if len(parts) > 1:
            raise NodeError(SERVER_ERROR, f"expected one block of calls, found {len(parts)}")
        base = block_at(self._evm, argument(params, 1, "latest"))
        return [self._simulated(base, parse_object(part, "a block of calls")) for part in parts]

    def _simulated(self, base: Sealed, part: dict[str, Any]) -> dict[str, Any]:
        surroundings = parse_object(part.get("blockOverrides") or {}, "block overrides")
        when = self._evm.time_after(base)
        if "time" in surroundings:
            when = parse_quantity(surroundings["time"], 64)
            if when <= base.timestamp:
                raise NodeError(-38021, f"block timestamps must be in order: {when} <= {base.timestamp}")
        state = self._evm.state_after(base, when)
        override(state, parse_overrides(part.get("stateOverrides")))
        asks = [parse_ask(call) for call in parse_list(part.get("calls") or [], "calls")]
        try:
            done = run_all(state, asks)
        except Refused as refusal:
            raise NodeError(-38014, str(refusal)) from None
        header = base.header
        return {
            "number": hex(base.number + 1),
            "parentHash": as_hex(base.hash),
            # Nobody will ever see this block again, so its hash only has to differ from real ones.
            "hash": as_hex(bytes(reversed(base.hash))),
            "timestamp": hex(when),
            "gasLimit": hex(header.gas_limit),
            "gasUsed": hex(sum(ran.gas_used for ran in done)),
            "baseFeePerGas": "0x0",
            "miner": render_address(header.coinbase),
            "calls": [_ended(ran) for ran in done],
        }


def _ended(ran: Ran) -> dict[str, Any]:
    end: dict[str, Any] = {
        "status": "0x0" if ran.error else "0x1",
        "returnData": as_hex(ran.output),
        "gasUsed": hex(ran.gas_used),
        "maxUsedGas": hex(ran.peak),
        "logs": [render_log(log) for log in ran.logs],
    }
    if ran.error:
        error = failure(ran)
        end["error"] = {"code": error.code, "message": error.message}
        if error.data is not None:
            end["error"]["data"] = error.data
    return end


def failure(ran: Ran) -> NodeError:
    """How a node tells that a contract failed: code 3 with the data of a revert, else words alone."""
    if not ran.reverted:
        return NodeError(SERVER_ERROR, ran.error)
    words = f"{ran.error}: {decode_revert(ran.output)}" if ran.output else ran.error
    return NodeError(REVERTED, words, as_hex(ran.output))
