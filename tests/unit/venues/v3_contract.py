"""SwapMath and the swap loop of Uniswap v3 as the contract runs them: what the keeper's ladder must equal.

Raises ArithmeticError where the contract would revert.
"""

from __future__ import annotations

from keeper.core.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO, get_tick_at_sqrt_ratio
from keeper.venues.uniswap_v3_math import (
    PPM,
    amount0_delta,
    amount1_delta,
    ceil_div,
    price_after_input,
    price_after_output,
)
from keeper.venues.uniswap_v3_state import UniswapV3State
from keeper.venues.uniswap_v3_walk import Ticks, sqrt_ratio


class NotReadError(Exception):
    """The loop comes where the state knows nothing."""


def compute_swap_step(
    price: int, target: int, liquidity: int, remaining: int, fee_ppm: int, exact_in: bool
) -> tuple[int, int, int, int]:
    """Price after the step, amount in without fee, amount out, fee: one range of constant liquidity.

    `remaining` is positive: what is still to be sold, or still to be bought. Where the target is not reached, the
    fee is all of the remaining input that the move does not use.
    """
    down = price >= target
    if exact_in:
        usable = remaining * (PPM - fee_ppm) // PPM
        to_target = _amount_in(price, target, liquidity, down)
        reaches = usable >= to_target
        after = target if reaches else price_after_input(price, liquidity, usable, down)
    else:
        usable = remaining
        to_target = _amount_out(price, target, liquidity, down)
        reaches = usable >= to_target
        after = target if reaches else price_after_output(price, liquidity, usable, down)
    is_target = after == target
    amount_in = to_target if is_target and exact_in else _amount_in(price, after, liquidity, down)
    amount_out = to_target if is_target and not exact_in else _amount_out(price, after, liquidity, down)
    if not exact_in:
        amount_out = min(amount_out, remaining)
    fee = remaining - amount_in if exact_in and not is_target else ceil_div(amount_in * fee_ppm, PPM - fee_ppm)
    return after, amount_in, amount_out, fee


def _amount_in(price: int, other: int, liquidity: int, down: bool) -> int:
    return (amount0_delta if down else amount1_delta)(price, other, liquidity, True)


def _amount_out(price: int, other: int, liquidity: int, down: bool) -> int:
    return (amount1_delta if down else amount0_delta)(price, other, liquidity, False)


def swap(state: UniswapV3State, amount: int, down: bool, exact_in: bool) -> int:
    """The other amount. Raises NotReadError, also where the pool runs out before the amount does."""
    return run(state, amount, down, exact_in)[0]


def run(state: UniswapV3State, amount: int, down: bool, exact_in: bool) -> tuple[int, int, int, int | None]:
    """The other amount, and what slot0 and liquidity() say then: price, tick, and liquidity unless it was not read."""
    fee_ppm = int(state.pool.fee * PPM)
    ticks = Ticks(state.words, state.nets, state.pool.spacing)
    limit = MIN_SQRT_RATIO + 1 if down else MAX_SQRT_RATIO - 1
    price, tick, liquidity, remaining, other = state.sqrt_price, state.tick, state.liquidity, amount, 0
    while remaining:
        found = ticks.next_tick(tick, down)
        if found is None or price == limit:
            raise NotReadError
        next_tick, is_initialised = found
        at_next = sqrt_ratio(next_tick)
        target = max(at_next, limit) if down else min(at_next, limit)
        before = price
        price, paid, got, fee = compute_swap_step(price, target, liquidity, remaining, fee_ppm, exact_in)
        remaining -= paid + fee if exact_in else got
        other += got if exact_in else paid + fee
        if price != at_next:
            tick = tick if price == before else get_tick_at_sqrt_ratio(price)
            continue
        tick = next_tick - 1 if down else next_tick
        if is_initialised and next_tick not in state.nets:
            if remaining:
                raise NotReadError
            return other, price, tick, None
        if is_initialised:
            liquidity += -state.nets[next_tick] if down else state.nets[next_tick]
    return other, price, tick, liquidity
