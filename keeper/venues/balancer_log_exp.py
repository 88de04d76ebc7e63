"""Powers as Balancer's weighted pools compute them: exp(y · ln x) in 18 decimals, digit for digit.

Solidity truncates towards zero, so a negative logarithm is carried here as a sign and a magnitude: floor division of
magnitudes then cuts the same digits. Powers of e and their exponents are those of the contract, whose last digits are
not all right, and have to be the same ones.
"""

from __future__ import annotations

from keeper.venues.balancer_fixed import ONE, mul_up

_ONE_20, _ONE_36 = 10**20, 10**36

_WHOLE = (
    (128 * ONE, 38877084059945950922200000000000000000000000000000000000),
    (64 * ONE, 6235149080811616882910000000),
)
"""(x {18 decimals}, e**x {whole}), each the double of the next."""
_STEPS = (
    (32 * _ONE_20, 7896296018268069516100000000000000),
    (16 * _ONE_20, 888611052050787263676000000),
    (8 * _ONE_20, 298095798704172827474000),
    (4 * _ONE_20, 5459815003314423907810),
    (2 * _ONE_20, 738905609893065022723),
    (1 * _ONE_20, 271828182845904523536),
    (_ONE_20 // 2, 164872127070012814685),
    (_ONE_20 // 4, 128402541668774148407),
    (_ONE_20 // 8, 113314845306682631683),
    (_ONE_20 // 16, 106449445891785942956),
)
"""(x, e**x) in 20 decimals. The exponential stops two steps earlier than the logarithm."""
_EXP_STEPS = _STEPS[:8]
_EXP_TERMS = tuple(n * _ONE_20 for n in range(2, 13))
_LN_TERMS, _LN36_TERMS = (3, 5, 7, 9, 11), (3, 5, 7, 9, 11, 13, 15)

_MOST, _LEAST = 130 * ONE, 41 * ONE
"""Magnitudes of the largest and of the smallest exponent of e."""
_NEAR = ONE // 10
"""A base that is this near to 1 has a logarithm of 36 decimals."""
_MOST_Y = (1 << 254) // _ONE_20
_MARGIN = 10_000
"""How much of a power is added for its error: 10**-14."""
_TWO, _FOUR = 2 * ONE, 4 * ONE


def pow_up(x: int, y: int) -> int:
    """x**y rounded up, from the logarithm whatever the exponent: pools of before 2022."""
    raw = power(x, y)
    return raw + mul_up(raw, _MARGIN) + 1


def pow_up_short(x: int, y: int) -> int:
    """The same, but exponents 1, 2 and 4 by multiplication: pools since 2022."""
    if y == ONE:
        return x
    if y == _TWO:
        return mul_up(x, x)
    if y == _FOUR:
        square = mul_up(x, x)
        return mul_up(square, square)
    return pow_up(x, y)


def power(x: int, y: int) -> int:
    """x**y without a margin. Raises ArithmeticError outside of the function's domain."""
    if not y:
        return ONE
    if not x:
        return 0
    if x >> 255 or y >= _MOST_Y:
        raise ArithmeticError("a power is asked for beyond its domain")
    if -_NEAR < x - ONE < _NEAR:
        whole, rest = divmod(_ln_near_one(x), ONE)
        exponent = (whole * y + rest * y // ONE) // ONE
    else:
        exponent = (_ln(x) if x >= ONE else _ln(_ONE_36 // x)) * y // ONE
    if exponent > (_MOST if x >= ONE else _LEAST):
        raise ArithmeticError("a power leaves its range")
    return _exp(exponent) if x >= ONE or not exponent else _ONE_36 // _exp(exponent)


def _exp(x: int) -> int:
    """e**x of x >= 0."""
    first = 1
    for step, factor in _WHOLE:
        if x >= step:
            x -= step
            first = factor
            break
    x *= 100
    product = _ONE_20
    for step, factor in _EXP_STEPS:
        if x >= step:
            x -= step
            product = product * factor // _ONE_20
    term = x
    series = _ONE_20 + x
    for divisor in _EXP_TERMS:
        term = term * x // divisor
        series += term
    return product * series // _ONE_20 * first // 100


def _ln(a: int) -> int:
    """The logarithm of a >= 1, 18 decimals."""
    total = 0
    for step, factor in _WHOLE:
        if a >= factor * ONE:
            a //= factor
            total += step
    total *= 100
    a *= 100
    for step, factor in _STEPS:
        if a >= factor:
            a = a * _ONE_20 // factor
            total += step
    z = (a - _ONE_20) * _ONE_20 // (a + _ONE_20)
    return (total + _series(z, _ONE_20, _LN_TERMS)) // 100


def _ln_near_one(x: int) -> int:
    """Magnitude of the logarithm of 0.9 < x < 1.1, 36 decimals."""
    return _series(abs(x - ONE) * ONE * _ONE_36 // ((x + ONE) * ONE), _ONE_36, _LN36_TERMS)


def _series(z: int, one: int, terms: tuple[int, ...]) -> int:
    """2·artanh(z) = 2·(z + z³/3 + z⁵/5 + …)"""
    square = z * z // one
    total = part = z
    for n in terms:
        part = part * square // one
        total += part // n
    return 2 * total
