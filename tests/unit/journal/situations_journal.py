"""Small records that the journal's tests share."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from keeper.core.calls import Call, Purpose
from keeper.core.plan import Fees
from keeper.core.records import CycleRecord, NewIntent, Sample
from keeper.core.sending import Attempt, Expectation, Fill, Mined, Outcome, State
from keeper.core.units import USD, Address, Price, Wei
from tests.builders import ACCOUNT, CHAIN, ETH, NOW, USDC, WETH, address, expected_swap, units, usd

POOL = address(0xB001)
DAY = 86_400


def cycle(
    vault: str = "treasury", at: int = NOW, kind: str = "hold", code: str = "in_band", **more: Any
) -> CycleRecord:
    fields: dict[str, Any] = {
        "chain_id": CHAIN,
        "block_number": at // 12,
        "block_hash": f"0x{at:064x}",
        "reason": f"{kind} at {at}",
        "config_hash": "c0",
        "armed": False,
        "decision": {"plan": {"code": code}, "at": at},
        "inputs": b"inputs %d" % at,
    }
    return CycleRecord(vault=vault, at=at, kind=kind, code=code, **(fields | more))


def expectation() -> Expectation:
    values = (31_200, "15.6", "3.9")
    return Expectation(
        swaps=(expected_swap(units(WETH, 10), units(USDC, "31180.5"), units(USDC, 31_000), values),),
        native_price=Price(ETH, USD, Fraction(3120)),
    )


def swap(purpose: Purpose = Purpose.SWAP, value: int = 0) -> Call:
    spends = units(WETH, 10) if purpose is Purpose.SWAP else None
    return Call(address(0x2007), b"\x01\x02swap", value, purpose, "swap 10 WETH", spends)


def wish(
    vault: str = "treasury",
    sender: Address = ACCOUNT,
    at: int = NOW,
    cycle: int = 0,
    pools: tuple[Address, ...] = (),
    expect: Expectation | None = None,
    call: Call | None = None,
) -> NewIntent:
    return NewIntent(
        vault=vault,
        cycle=cycle,
        chain_id=CHAIN,
        sender=sender,
        account=sender,
        call=call or swap(),
        gas_limit=200_000,
        deadline=at + 600,
        pools=pools,
        at=at,
        expect=expect or expectation(),
    )


def attempt(number: int = 1, purpose: Purpose = Purpose.SWAP, at: int = NOW) -> Attempt:
    fees = Fees(Wei((1 << 80) + number), Wei(10**9))
    return Attempt(f"0x{number:064x}", b"raw %d" % number, fees, purpose, at)


def receipt(number: int = 1, at: int = NOW + 12, status: int = 1) -> Mined:
    return Mined(f"0x{number:064x}", at // 12, f"0x{at:064x}", at, status, 120_000, Wei(10**15))


def outcome(intent: int, mined: Mined | None = None, filled: bool = True) -> Outcome:
    return Outcome(
        intent=intent,
        state=State.CONFIRMED,
        mined=mined or receipt(),
        fill=Fill((units(WETH, 10),), (units(USDC, 31_175),)) if filled else None,
        gas_value=usd("3.12"),
        fee_value=usd("15.6"),
        impact_value=usd("3.9"),
        others_value=usd("5.5"),
        deltas={WETH: -units(WETH, 10).raw, USDC: units(USDC, 31_175).raw},
    )


def sample(at: int = NOW, vault: str = "treasury") -> Sample:
    return Sample(
        vault=vault,
        at=at,
        block_number=at // 12,
        balances={WETH: units(WETH, 400), USDC: units(USDC, 1000)},
        prices={WETH: "3120", USDC: "1"},
        value=usd(1_249_000),
        weights={WETH: 9991, USDC: 8},
    )


def run(journal: Any, new: NewIntent, nonce: int, number: int, at: int, to: State = State.FINAL_OK) -> int:
    """One intent from RESERVED to `to`, as the submitter would lead it. `number` names its hash."""
    status = 0 if to is State.FINAL_REVERTED else 1
    intent = journal.intend(new, nonce)
    journal.attempt(intent.id, attempt(number))
    journal.advance(intent.id, State.MAYBE_SENT)
    journal.advance(intent.id, State.SENT)
    mined = receipt(number, at, status)
    journal.advance(intent.id, State.MINED, mined)
    journal.finish(outcome(intent.id, mined, filled=status == 1))
    for step in (State.CONFIRMED, to):
        if journal.live(CHAIN)[-1].state is not to:
            journal.advance(intent.id, step)
    return int(intent.id)
