from __future__ import annotations

from typing import Any

from eth_abi.abi import decode

from keeper.core.abi import calldata
from keeper.core.units import NATIVE, Address
from keeper.local.evm import Override, Ran
from tests.unit.local.in_memory import OTHER, WHO, Box, runtime

RUN = "run((address,uint256,bytes)[],address[],address)"


def probe(box: Box, calls: list[tuple[str, int, bytes]], tokens: list[Address], account: Address = WHO) -> Ran:
    return box.call(WHO, calldata(RUN, calls, tokens, account), changes={WHO: Override(code=runtime("probe"))})


def answer(ran: Ran) -> tuple[Any, ...]:
    assert not ran.error, ran.output
    return decode(["bool", "uint256", "bytes", "uint256[]", "int256[]"], ran.output)


def test_run__when_all_succeed__then_tells_gas_and_deltas_as_the_sender_saw_them() -> None:
    box = Box()
    weth = box.deploy("demo_weth", ["address"], WHO)

    ok, failed, reason, gas, deltas = answer(
        probe(
            box,
            [
                (weth, 500, calldata("deposit()")),
                (weth, 0, calldata("transfer(address,uint256)", OTHER, 120)),
                (weth, 0, calldata("withdraw(uint256)", 80)),
            ],
            [weth, NATIVE],
        )
    )

    assert (ok, failed, reason) == (True, 3, b"")
    assert deltas == (300, -420)
    assert all(used > 20_000 for used in gas[:2])


def test_run__when_one_fails__then_stops_there_with_its_reason() -> None:
    box = Box()
    token = box.token("T", 6)
    box.send(token, "mint(address,uint256)", WHO, 10)
    pay = calldata("transfer(address,uint256)", OTHER, 4)

    ok, failed, reason, gas, deltas = answer(
        probe(
            box,
            [(token, 0, pay), (token, 0, calldata("transfer(address,uint256)", OTHER, 7)), (token, 0, pay)],
            [token],
        )
    )

    assert (ok, failed) == (False, 1)
    assert decode(["string"], reason[4:]) == ("demo token: balance too small",)
    assert gas[2] == 0
    assert deltas == (-4,)


def test_run__when_another_account_is_asked_for__then_its_balances_are_told() -> None:
    box = Box()
    token = box.token("T", 6)

    *_, deltas = answer(probe(box, [(token, 0, calldata("mint(address,uint256)", OTHER, 9))], [token, NATIVE], OTHER))

    assert deltas == (9, 0)


def test_run__when_a_token_has_no_balance__then_reverts_instead_of_guessing() -> None:
    ran = probe(Box(), [], [OTHER])

    assert ran.reverted
    assert ran.output == calldata("NoBalance(address)", OTHER)
