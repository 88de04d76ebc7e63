"""JSON-RPC parameters of the embedded chain: text in, values out, or a node's refusal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_typing import Address as Account

from keeper.local.evm import GAS_LIMIT, Ask, Evm, Override, Sealed
from keeper.local.node_error import BAD_PARAMS
from keeper.local.node_error import SERVER_ERROR as SERVER_ERROR
from keeper.local.node_error import NodeError as NodeError

NEWEST = ("latest", "safe", "finalized", "pending")
"""Nothing is ever undone here, so the head is final at once."""


def bad(what: str, value: Any) -> NodeError:
    return NodeError(BAD_PARAMS, f"invalid argument: expected {what}, was {str(value)[:80]!r}")


def parse_bytes(value: Any, length: int | None = None) -> bytes:
    if isinstance(value, str) and value.startswith("0x"):
        try:
            found = bytes.fromhex(value[2:])
        except ValueError:
            found = None
        if found is not None and (length is None or len(found) == length):
            return found
    raise bad("hex bytes" if length is None else f"{length} hex bytes", value)


def parse_address(value: Any) -> Account:
    return Account(parse_bytes(value, 20))


def parse_quantity(value: Any, bits: int = 256) -> int:
    if isinstance(value, str) and value.startswith("0x"):
        try:
            found = int(value[2:], 16)
        except ValueError:
            found = -1
        if 0 <= found < 1 << bits:
            return found
    raise bad(f"a hex quantity of at most {bits} bits", value)


def parse_figure(value: Any) -> int:
    """A quantity, or a plain number where people write one: block counts and seconds."""
    return value if type(value) is int and value >= 0 else parse_quantity(value)


def parse_object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad(what, value)
    return value


def parse_list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise bad(what, value)
    return value


def argument(params: Sequence[Any], index: int, default: Any = None) -> Any:
    return params[index] if len(params) > index and params[index] is not None else default


# --- blocks --------------------------------------------------------------------------------------------------------


def look_up(evm: Evm, tag: Any) -> Sealed | None:
    """A block by tag, number, hash, or an EIP-1898 object; None where there is none."""
    if isinstance(tag, dict):
        if "blockHash" in tag:
            return evm.block_by_hash(parse_bytes(tag["blockHash"], 32))
        return look_up(evm, tag.get("blockNumber"))
    if tag in NEWEST:
        return evm.head
    if isinstance(tag, str) and len(tag) == 66:
        return evm.block_by_hash(parse_bytes(tag, 32))
    number = 0 if tag == "earliest" else parse_quantity(tag)
    return evm.blocks[number] if number < len(evm.blocks) else None


def block_at(evm: Evm, tag: Any) -> Sealed:
    """The same, for methods that cannot answer without one."""
    found = look_up(evm, tag)
    if found is None:
        raise NodeError(SERVER_ERROR, "header not found")
    return found


# --- calls ---------------------------------------------------------------------------------------------------------


def parse_ask(call: Any, gas: int = GAS_LIMIT) -> Ask:
    """A transaction object of `eth_call` and its like; `gas` where it names none."""
    call = parse_object(call, "a transaction object")
    data = call.get("input", call.get("data"))
    to = call.get("to")
    return Ask(
        sender=parse_address(call.get("from") or "0x" + "00" * 20),
        to=None if to is None else parse_address(to),
        data=b"" if data is None else parse_bytes(data),
        value=parse_quantity(call.get("value") or "0x0"),
        gas=min(parse_quantity(call["gas"]), GAS_LIMIT) if call.get("gas") is not None else gas,
        price=parse_quantity(call.get("gasPrice") or "0x0"),
    )


def parse_overrides(changes: Any) -> dict[Account, Override]:
    if changes is None:
        return {}
    wanted = parse_object(changes, "state overrides")
    return {parse_address(address): _override(change) for address, change in wanted.items()}


def _override(change: Any) -> Override:
    change = parse_object(change, "an override")
    unknown = set(change) - {"balance", "nonce", "code", "state", "stateDiff"}
    if unknown:
        raise bad("balance, nonce, code, state or stateDiff", ", ".join(sorted(unknown)))
    made = Override()
    if "balance" in change:
        made.balance = parse_quantity(change["balance"])
    if "nonce" in change:
        made.nonce = parse_quantity(change["nonce"], 64)
    if "code" in change:
        made.code = parse_bytes(change["code"])
    if "state" in change:
        made.state = _slots(change["state"])
    if "stateDiff" in change:
        made.diff = _slots(change["stateDiff"])
    return made


def _slots(slots: Any) -> dict[int, int]:
    found = parse_object(slots, "storage slots")
    return {parse_quantity(slot): parse_quantity(value) for slot, value in found.items()}
