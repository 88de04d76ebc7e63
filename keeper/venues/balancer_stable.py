"""The stable invariant as Balancer V2's pools compute it, rounding for rounding.

Amounts are scaled to 18 decimals and by their token's rate. `amp` is A·n^(n−1) in thousandths. Every function raises
ArithmeticError where the contract would revert.
"""

from __future__ import annotations

from keeper.venues.balancer_fixed import MAX_UINT256, checked, minus

AMP_PRECISION = 1_000
_ROUNDS = 255

Balances = tuple[int, ...]


def invariant(amp: int, balances: Balances) -> int:
    """D of pools since June 2022: every division rounds down."""
    n, total = len(balances), sum(balances)
    if not total:
        return 0
    if not all(balances):
        raise ArithmeticError("the pool holds none of a token")
    ann = amp * n
    weighted, less = checked(ann * total) // AMP_PRECISION, ann - AMP_PRECISION
    found = total
    for _ in range(_ROUNDS):
        part = found
        for balance in balances:
            part = checked(part * found) // (balance * n)
        before = found
        found = checked((weighted + part * n) * found) // (checked(less * found) // AMP_PRECISION + (n + 1) * part)
        if -1 <= found - before <= 1:
            return found
    raise ArithmeticError("the invariant does not converge")


def invariant_up(amp: int, balances: Balances) -> int:
    """D of pools before June 2022: divisions round so that it comes out high."""
    n, total = len(balances), sum(balances)
    if not total:
        return 0
    ann = amp * n
    weighted, less = ann * total, ann - AMP_PRECISION
    found = total
    for _ in range(_ROUNDS):
        product = balances[0] * n
        for balance in balances[1:]:
            product = -(-checked(product * balance * n) // found)
        before = found
        above = checked(n * found * found) - (-checked(weighted * product) // AMP_PRECISION)
        below = (n + 1) * found + checked(less * product) // AMP_PRECISION
        found = -(-checked(above) // below)
        if -1 <= found - before <= 1:
            return found
    raise ArithmeticError("the invariant does not converge")


def balance_for(amp: int, balances: Balances, d: int, index: int) -> int:
    """What token `index` must hold so that the others and it make up D; rounds up."""
    n = len(balances)
    ann = amp * n
    product = balances[0] * n
    for balance in balances[1:]:
        product = checked(product * balance * n) // d
    if not product:
        raise ArithmeticError("the pool is too far out of balance")
    squared, mine = checked(d * d), balances[index]
    c = checked(-(-squared // checked(ann * product)) * AMP_PRECISION * mine)
    # b − D: positive only where all others together hold more than the invariant.
    slack = sum(balances) - mine + d // ann * AMP_PRECISION - d
    found = -(-checked(squared + c) // (slack + 2 * d))
    for _ in range(_ROUNDS):
        before = found
        above, below = found * found + c, 2 * found + slack
        if above > MAX_UINT256 or below <= 0:
            raise ArithmeticError("the pool's arithmetic leaves 256 bits")
        found = -(-above // below)
        if -1 <= found - before <= 1:
            return found
    raise ArithmeticError("the balance does not converge")


def out_given_in(amp: int, balances: Balances, d: int, sold: int, bought: int, amount: int) -> int:
    """What token `bought` gives for `amount` of token `sold`, both as indices."""
    after = (*balances[:sold], checked(balances[sold] + amount), *balances[sold + 1 :])
    return minus(minus(balances[bought], balance_for(amp, after, d, bought)), 1)


def in_given_out(amp: int, balances: Balances, d: int, sold: int, bought: int, amount: int) -> int:
    """What token `sold` must bring for `amount` of token `bought`."""
    after = (*balances[:bought], minus(balances[bought], amount), *balances[bought + 1 :])
    return minus(balance_for(amp, after, d, sold), balances[sold]) + 1
