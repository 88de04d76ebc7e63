from __future__ import annotations

from typing import Any

from keeper.chain.reading.transfers import NOBODY, Measured, parse_measured
from keeper.core.abi import calldata
from keeper.core.chain import Unusable
from keeper.core.transfers import Transfer
from keeper.core.units import Address
from keeper.local.evm import Override
from tests.unit.local.in_memory import OTHER, WHO, Box, runtime

POOR, RICH = OTHER, Address("0x3333333333333333333333333333333333333333")


def measure(box: Box, token: str, *holders: Address) -> Measured | Unusable:
    hand = Override(code=runtime("hand"))
    places: dict[str, Any] = {NOBODY: Override(code=runtime("transfers"))} | dict.fromkeys(holders, hand)
    ran = box.call(NOBODY, calldata("measure(address,address[])", token, list(holders)), changes=places)
    assert not ran.error, ran.output
    return parse_measured("0x" + ran.output.hex())


def made(sent: int, half: int) -> tuple[Transfer, ...]:
    back = f" to {RICH[:6]}…{RICH[-4:]}"
    return (
        Transfer(sent, sent, sent),
        Transfer(half, half, half, 0, " between accounts"),
        Transfer(half, half, half, 0, back),
    )


def test_measure__of_a_plain_token__moves_a_part_of_the_richest_and_keeps_nothing() -> None:
    box = Box()
    token = box.token("T", 18)
    box.send(token, "mint(address,uint256)", POOR, 10**9)
    box.send(token, "mint(address,uint256)", RICH, 64 * 10**18)
    assert measure(box, token, POOR, RICH) == Measured(made(10**18, 10**18 // 2))
    assert box.read(token, "balanceOf(address)", "uint256", RICH) == 64 * 10**18


def test_measure__of_little__sends_enough_to_see_a_fee_or_all_that_there_is() -> None:
    box = Box()
    token = box.token("T", 2)
    box.send(token, "mint(address,uint256)", RICH, 2_000_000)
    assert measure(box, token, POOR, RICH) == Measured(made(1_000_000, 500_000))
    assert measure(box, token, WHO) == Unusable("none of the accounts that were looked at holds any")
    box.send(token, "mint(address,uint256)", POOR, 1)
    assert measure(box, token, POOR) == Measured((Transfer(1, 1, 1),)), "nothing is never sent"


def test_measure__of_what_is_no_token__is_none() -> None:
    assert measure(Box(), OTHER, RICH) == Unusable("none of the accounts that were looked at holds any")
