"""SqrtPriceMath of Uniswap v3, rounding for rounding. Prices are square roots as Q64.96.

Every function raises ArithmeticError where the contract would revert.
"""

from __future__ import annotations

Q96 = 96
MAX_UINT160 = (1 << 160) - 1
MAX_UINT256 = (1 << 256) - 1
PPM = 1_000_000


def ceil_div(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def amount0_delta(a: int, b: int, liquidity: int, up: bool) -> int:
    """{token0 raw} between two prices: `L·(√b − √a)/(√a·√b)`, in two roundings as the contract has them."""
    low, high = (a, b) if a <= b else (b, a)
    product = (liquidity << Q96) * (high - low)
    return ceil_div(ceil_div(product, high), low) if up else product // high // low


def amount1_delta(a: int, b: int, liquidity: int, up: bool) -> int:
    """{token1 raw} between two prices: `L·(√b − √a)`."""
    product = liquidity * abs(a - b)
    return ceil_div(product, 1 << Q96) if up else product >> Q96


def price_after_input(price: int, liquidity: int, amount: int, zero_for_one: bool) -> int:
    """The price after `amount` came in, rounded so that it does not pass what the amount pays for."""
    if not amount:
        return price
    if not zero_for_one:
        return _fits(price + (amount << Q96) // liquidity)
    weight, product = liquidity << Q96, amount * price
    # The contract multiplies in 256 bits, and where that overflows falls back to a coarser formula: so must we.
    if product <= MAX_UINT256 and weight + product <= MAX_UINT256:
        return ceil_div(weight * price, weight + product)
    return ceil_div(weight, weight // price + amount)


def price_after_output(price: int, liquidity: int, amount: int, zero_for_one: bool) -> int:
    """The price after `amount` went out, rounded so that it moves far enough."""
    if zero_for_one:
        moved = ceil_div(amount << Q96, liquidity)
        if price <= moved:
            raise ArithmeticError("the range holds less token1 than that")
        return price - moved
    weight, product = liquidity << Q96, amount * price
    if product > MAX_UINT256 or weight <= product:
        raise ArithmeticError("the range holds less token0 than that")
    return _fits(ceil_div(weight * price, weight - product))


def _fits(price: int) -> int:
    if price > MAX_UINT160:
        raise ArithmeticError("the price leaves 160 bits")
    return price
