"""The treasury's trade as the guards see it: 15 WETH for USDC through the v2 router, with its real calldata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from keeper.core.abi import calldata
from keeper.core.calls import Call, Purpose
from keeper.core.plan import Draft, Order, Rebalance, Simulation
from keeper.core.units import Address, Token, TokenAmount
from keeper.strategies.bands import Band, Bands
from keeper.strategies.weights import Weights
from tests.builders import (
    ACCOUNT,
    NOW,
    USDC,
    V2_ROUTER,
    WETH,
    fake_pool,
    make_draft,
    make_order,
    make_view,
    simulated,
    units,
    usd,
)

POOL = fake_pool(units(WETH, 100_000), units(USDC, 312_000_000), Fraction(5, 10_000))
MID = Fraction(3120 * 10**6, 10**18)
PLAN = Weights({WETH: 6000, USDC: 4000}, Bands(Band(400), Band(200))).plan(make_view())
assert isinstance(PLAN, Rebalance)
SELL = PLAN.trades[0].sell
NOTIONAL = PLAN.trades[0].notional
_QUOTE = POOL.out_for(SELL, USDC)
assert isinstance(_QUOTE, TokenAmount)
QUOTE = _QUOTE


def order(slippage: int = 30, **changes: object) -> Order:
    made = make_order(SELL, QUOTE, MID, POOL.pool, slippage)
    leg = replace(made.legs[0], leg=replace(made.legs[0].leg, **changes))  # type: ignore[arg-type]
    return replace(made, legs=(leg,))


def v2_data(
    sell: int = SELL.raw,
    min_out: int | None = None,
    path: tuple[Token, ...] = (WETH, USDC),
    to: Address = ACCOUNT,
    deadline: int = NOW + 600,
) -> bytes:
    floor = order().legs[0].min_out.raw if min_out is None else min_out
    signature = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    return calldata(signature, sell, floor, [token.address for token in path], to, deadline)


def swap(**changes: object) -> Call:
    return replace(Call(V2_ROUTER.address, v2_data(), 0, Purpose.SWAP, "swap 15.07 WETH", SELL), **changes)  # type: ignore[arg-type]


def approval(spender: Address = V2_ROUTER.address, raw: int = SELL.raw, token: Token = WETH) -> Call:
    data = calldata("approve(address,uint256)", spender, raw)
    return Call(token.address, data, 0, Purpose.APPROVE if raw else Purpose.REVOKE, f"approve {raw}")


def filled(received: TokenAmount = QUOTE, **more: int) -> Simulation:
    deltas: Mapping[Token, int] = {WETH: -SELL.raw, received.token: received.raw}
    return simulated(deltas, **more)  # type: ignore[arg-type]


def trade(**changes: object) -> Draft:
    """A draft that every guard allows, with changes."""
    made = make_draft(PLAN, order(), (approval(), swap()), filled(), NOTIONAL)
    return replace(made, **changes)  # type: ignore[arg-type]


def revoke() -> Draft:
    """A draft that trades nothing."""
    return make_draft(calls=(approval(raw=0),))


__all__ = [
    "NOTIONAL",
    "PLAN",
    "QUOTE",
    "SELL",
    "approval",
    "filled",
    "order",
    "revoke",
    "swap",
    "trade",
    "usd",
    "v2_data",
]
