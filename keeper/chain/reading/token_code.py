"""What code a token runs: its own, and behind a proxy the one that a slot of its storage names. Noted at start, so that
a change shows: an upgraded token may take fees, freeze balances or count them otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.core.abi import calldata
from keeper.core.units import Address

_DECIMALS = "0x" + calldata("decimals()").hex()
_IMPLEMENTATION = "0x" + calldata("implementation()").hex()


def _slot(name: str, less: int = 0) -> str:
    return hex(int.from_bytes(keccak(text=name), "big") - less)


BEACON = _slot("eip1967.proxy.beacon", 1)
SLOTS = (
    _slot("eip1967.proxy.implementation", 1),
    BEACON,
    _slot("org.zeppelinos.proxy.implementation"),  # older than EIP-1967: USDC
    _slot("PROXIABLE"),  # EIP-1822
)
"""Where proxies keep the address of what they run. One that keeps it elsewhere is seen only by what it does: guards
compare every simulated balance, and the receipt is checked again."""


@dataclass(frozen=True, slots=True)
class TokenCode:
    """`code` is the hash of its own code, empty where it has none; `behind` are implementations, `decimals` what it
    says of itself. None where the node does not tell, which is no change."""

    code: str
    behind: str | None
    decimals: str | None


def fetch_token_codes(rpc: Rpc, tokens: Sequence[Address]) -> Mapping[Address, TokenCode]:
    """At most two requests. Raises Unreachable, and RpcError where the node gives no code."""
    asked = [_requests(token) for token in tokens]
    answers = rpc.batch([request for requests in asked for request in requests])
    size = len(SLOTS) + 2
    rows = {token: answers[size * index : size * (index + 1)] for index, token in enumerate(tokens)}
    beacons = {token: beacon for token, row in rows.items() if (beacon := _address(row[2 + SLOTS.index(BEACON)]))}
    found = rpc.batch([("eth_call", [{"to": to, "data": _IMPLEMENTATION}, "latest"]) for to in beacons.values()])
    behind = dict(zip(beacons, found, strict=True))
    return {token: _read(row, behind.get(token)) for token, row in rows.items()}


def _requests(token: Address) -> list[tuple[str, list[Any]]]:
    slots = [("eth_getStorageAt", [token, slot, "latest"]) for slot in SLOTS]
    return [("eth_getCode", [token, "latest"]), ("eth_call", [{"to": token, "data": _DECIMALS}, "latest"]), *slots]


def _read(row: Sequence[Any], beacons: Any) -> TokenCode:
    code, decimals, *slots = row
    if isinstance(code, RpcError):
        raise code
    data = unhex(code, "code")
    words = [*slots, beacons] if beacons is not None else slots
    known = None if any(isinstance(word, RpcError) for word in words) else [_address(word) for word in words]
    return TokenCode(
        code="0x" + keccak(data).hex() if data else "",
        behind=None if known is None else " and ".join(filter(None, known)),
        decimals=None if isinstance(decimals, RpcError) else str(int(decimals, 16) if decimals != "0x" else "none"),
    )


def _address(word: Any) -> str:
    """The address in a word, empty where it is zero or none was told."""
    if not isinstance(word, str) or len(word) < 42 or not int(word, 16):
        return ""
    return to_checksum_address("0x" + word[-40:])


def what_changed(before: TokenCode, now: TokenCode) -> tuple[str, str, str] | None:
    """What of a token is another one, what was expected and what was found; None where nothing is."""
    pairs = (
        ("code", before.code, now.code or "none"),
        ("implementation", before.behind, now.behind),
        ("decimals", before.decimals, now.decimals),
    )
    told = ((what, then, found) for what, then, found in pairs if then is not None and found is not None)
    return next(((what, then or "none", found or "none") for what, then, found in told if then != found), None)
