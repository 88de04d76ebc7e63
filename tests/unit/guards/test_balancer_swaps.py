from collections.abc import Sequence
from typing import Any

import pytest

from keeper.core.abi import calldata, selector
from keeper.core.pools import Router
from keeper.guards.balancer_swaps import BATCH, SWAP
from keeper.guards.swaps import Swap, decode_swaps
from tests.builders import ACCOUNT, DAI, NOW, USDC, WETH, address

VAULT = Router("balancer_vault", address(0xBA1))
STRANGER = address(0xBAD)
NATIVE = address(0)
FUNDS = (ACCOUNT, False, ACCOUNT, False)
SINGLE = (bytes(32), 0, WETH.address, USDC.address, 7, b"")
STEPS = [(bytes(32), 0, 1, 7, b""), (b"\1" * 32, 1, 2, 0, b"")]
ASSETS = [WETH.address, DAI.address, USDC.address]
LIMITS = [7, 0, -5]


def swap(single: Sequence[Any] = SINGLE, funds: Sequence[Any] = FUNDS, floor: int = 5) -> bytes:
    return calldata(SWAP, tuple(single), tuple(funds), floor, NOW)


def batch(
    kind: int = 0,
    steps: Sequence[Any] = STEPS,
    assets: Sequence[str] = ASSETS,
    funds: Sequence[Any] = FUNDS,
    limits: Sequence[int] = LIMITS,
) -> bytes:
    return calldata(BATCH, kind, list(steps), list(assets), tuple(funds), list(limits), NOW)


def test_selectors__of_the_vault__are_the_published_ones() -> None:
    assert (selector(SWAP).hex(), selector(BATCH).hex()) == ("52bbbe29", "945bcec9")


def test_decode__swap__is_what_it_sells_and_brings() -> None:
    ids = ("0x" + "00" * 32,)
    assert decode_swaps(VAULT, swap()) == (Swap((WETH.address, USDC.address), 7, 5, ACCOUNT, NOW, ids=ids),)


def test_decode__batch_swap__is_one_swap_along_its_tokens() -> None:
    ids = "0x" + "00" * 32, "0x" + "01" * 32
    assert decode_swaps(VAULT, batch()) == (Swap(tuple(ASSETS), 7, 5, ACCOUNT, NOW, ids=ids),)


def _with(values: Sequence[Any], index: int, value: Any) -> tuple[Any, ...]:
    return (*values[:index], value, *values[index + 1 :])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "selector: expected 0x52bbbe29"),
        (swap()[:-32], ""),
        (swap() + bytes(32), "not in canonical form"),
        (swap(_with(SINGLE, 1, 1)), "kind: expected 0, was 1"),
        (swap(_with(SINGLE, 5, b"x")), "data for the pool"),
        (swap(_with(SINGLE, 2, NATIVE)), "no native coin"),
        (swap(_with(SINGLE, 3, WETH.address)), "one twice"),
        (swap(funds=_with(FUNDS, 2, STRANGER)), "recipient: expected"),
        (swap(funds=_with(FUNDS, 0, STRANGER)), "recipient: expected"),
        (swap(funds=_with(FUNDS, 1, True)), "internal balances"),
        (swap(funds=_with(FUNDS, 3, True)), "internal balances"),
        (batch(kind=1), "kind: expected 0, was 1"),
        (batch(steps=STEPS[:1]), "steps: expected 2, was 1"),
        (batch(steps=[], assets=[WETH.address], limits=[7]), "steps: expected 1 or more"),
        (batch(steps=[STEPS[0], _with(STEPS[1], 1, 0)]), "step 1: expected (1, 2), was (0, 2)"),
        (batch(steps=[STEPS[0], _with(STEPS[1], 3, 1)]), "amount of step 1: expected 0, was 1"),
        (batch(steps=[_with(STEPS[0], 4, b"x"), STEPS[1]]), "data for pool 0"),
        (batch(limits=[8, 0, -5]), "limit of what is sold: expected 7, was 8"),
        (batch(limits=[7, 1, -5]), "limits between"),
        (batch(limits=[7, 0, 5]), "limit of what is bought"),
        (batch(limits=[7, -5]), "limits: expected 3, was 2"),
        (batch(assets=[WETH.address, DAI.address, NATIVE]), "no native coin"),
        (batch(funds=_with(FUNDS, 2, STRANGER)), "recipient: expected"),
    ],
)
def test_decode__anything_else__is_refused(data: bytes, why: str) -> None:
    found = decode_swaps(VAULT, data)
    assert isinstance(found, str)
    assert why in found
