"""What a token runs, and how a change of it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from keeper.chain.nodes.rpc import RpcError
from keeper.chain.reading.token_code import BEACON, SLOTS, TokenCode, fetch_token_codes, what_changed
from keeper.core.units import Address
from tests.builders import USDC, address

TOKEN, LOGIC, OTHER = USDC.address, address(0x1061C), address(0x07E4)


@dataclass
class Shelf:
    """A node that knows one token: its code, its decimals, the slots of its storage, and a beacon's answer."""

    code: Any = "0x60"
    decimals: Any = "0x" + (6).to_bytes(32, "big").hex()
    slots: dict[str, Any] = field(default_factory=dict)
    beacon: Any = "0x"
    asked: int = 0

    def batch(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        self.asked += bool(requests)
        return [self._one(method, params) for method, params in requests]

    def _one(self, method: str, params: list[Any]) -> Any:
        if method == "eth_getCode":
            return self.code
        if method == "eth_getStorageAt":
            return self.slots.get(params[1], "0x" + "00" * 32)
        return self.decimals if params[0]["to"] == TOKEN else self.beacon


def stored(at: Address) -> str:
    return "0x" + "00" * 12 + at[2:].lower()


def seen(shelf: Shelf) -> TokenCode:
    return fetch_token_codes(shelf, [TOKEN])[TOKEN]  # type: ignore[arg-type]


def test_slots__are_those_of_the_standards() -> None:
    assert SLOTS == (
        "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc",
        "0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50",
        "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3",
        "0xc5f16f0fcc639fa48a6947836d9850f504798523bf8c9a3a87d5876cf622bcf7",
    )


def test_fetch__plain_token__has_nothing_behind_it_and_takes_one_request() -> None:
    shelf = Shelf()
    found = seen(shelf)
    assert (found.behind, found.decimals, len(found.code), shelf.asked) == ("", "6", 66, 1)


@pytest.mark.fault("K16")
@pytest.mark.parametrize("slot", [slot for slot in SLOTS if slot != BEACON])
def test_fetch__proxy__names_what_it_runs_and_a_change_shows(slot: str) -> None:
    before, now = seen(Shelf(slots={slot: stored(LOGIC)})), seen(Shelf(slots={slot: stored(OTHER)}))
    assert before.behind == LOGIC
    assert what_changed(before, now) == ("implementation", LOGIC, OTHER)


@pytest.mark.fault("K16")
def test_fetch__beacon_upgraded__shows_though_the_slot_is_the_same() -> None:
    before = seen(Shelf(slots={BEACON: stored(LOGIC)}, beacon=stored(OTHER)))
    now = seen(Shelf(slots={BEACON: stored(LOGIC)}, beacon=stored(TOKEN)))
    assert before.behind == f"{LOGIC} and {OTHER}"
    assert what_changed(before, now) == ("implementation", before.behind, f"{LOGIC} and {TOKEN}")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        pytest.param(Shelf(code="0x61"), ("code", "0x"), marks=pytest.mark.fault("K16")),
        pytest.param(Shelf(code="0x"), ("code", "none"), marks=pytest.mark.fault("K17")),
        pytest.param(
            Shelf(decimals="0x" + (18).to_bytes(32, "big").hex()), ("decimals", "18"), marks=pytest.mark.fault("K8")
        ),
    ],
)
def test_what_changed__code_or_decimals__are_named(now: Shelf, told: tuple[str, str]) -> None:
    found = what_changed(seen(Shelf()), seen(now))
    assert found is not None and found[0] == told[0] and found[2].startswith(told[1])


@pytest.mark.parametrize(
    "silent",
    [Shelf(decimals=RpcError(3, "reverted")), Shelf(slots={SLOTS[0]: RpcError(-32601, "no such method")})],
)
def test_what_changed__node_does_not_tell__is_no_change(silent: Shelf) -> None:
    assert what_changed(seen(Shelf()), seen(silent)) is None
    assert what_changed(seen(silent), seen(Shelf())) is None


def test_fetch__no_code_is_told__raises_rather_than_guesses() -> None:
    with pytest.raises(RpcError):
        seen(Shelf(code=RpcError(-32000, "busy")))
