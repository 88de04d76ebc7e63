from collections.abc import Callable
from decimal import Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_stable import balance_for, in_given_out, invariant, invariant_up, out_given_in

BALANCES = st.lists(st.integers(10**22, 10**24), min_size=2, max_size=5).map(tuple)
"""Out of balance a hundred times at most: beyond, and at amplifications near 1, the contract often circles."""
SALES = st.integers(10**12, 10**22)
LOST = 10**4
"""{18 decimals} c of the quadratic is a thousand balances times a quotient that is rounded up, and moves the result."""
AMPS = st.integers(10_000, 5_000_000)


def settled(amp: int, balances: tuple[int, ...], of: Callable[[int, tuple[int, ...]], int] = invariant) -> int:
    """D. Where its last steps circle around the solution, the contract reverts and no pool is to be had."""
    try:
        return of(amp, balances)
    except ArithmeticError:
        reject()


def true_invariant(amp: int, balances: tuple[int, ...]) -> Decimal:
    """D of `Ann·S + D = Ann·D + K` with `K = D^(n+1)/(n^n·Π)`, in 45 digits; the steps of Newton fall towards it."""
    with localcontext() as exact:
        exact.prec = 45
        n, total = len(balances), Decimal(sum(balances))
        ann = Decimal(amp * n) / 1_000
        d = total
        for _ in range(30):
            k = d
            for balance in balances:
                k *= d / (n * Decimal(balance))
            d = (ann * total + n * k) * d / ((ann - 1) * d + (n + 1) * k)
        return d


@given(AMPS, BALANCES)
def test_invariant__rounded_down__is_the_true_one_to_few_units(amp: int, balances: tuple[int, ...]) -> None:
    # Each of the n divisions of D_P cuts one unit of 18 decimals, and the last step may still be one short.
    assert abs(settled(amp, balances) - true_invariant(amp, balances)) <= 2 + len(balances)


@given(AMPS, BALANCES)
def test_invariant__rounded_up__is_not_below_the_true_one(amp: int, balances: tuple[int, ...]) -> None:
    found = settled(amp, balances, invariant_up)  # circles for one pool in fifty
    assert -1 <= found - true_invariant(amp, balances) <= LOST


@given(AMPS, BALANCES, st.integers(0, 4))
def test_balance_for__of_the_balances_own_invariant__comes_back_to_them(
    amp: int, balances: tuple[int, ...], pick: int
) -> None:
    index = pick % len(balances)
    found = balance_for(amp, balances, settled(amp, balances), index)
    # A unit of D is worth as many units of a balance as its price, at most 10**6 · n here.
    assert abs(found - balances[index]) <= max(10**9, balances[index] // 10**9)


@given(AMPS, BALANCES, SALES)
def test_out_given_in__then_back__never_gains(amp: int, balances: tuple[int, ...], amount: int) -> None:
    d = settled(amp, balances)
    got = out_given_in(amp, balances, d, 0, 1, amount)
    after = (balances[0] + amount, balances[1] - got, *balances[2:])
    back = out_given_in(amp, after, settled(amp, after), 1, 0, got) if got else 0
    assert back <= amount


@given(AMPS, BALANCES, SALES)
def test_in_given_out__of_what_a_sale_brings__is_about_the_sale(
    amp: int, balances: tuple[int, ...], amount: int
) -> None:
    d = settled(amp, balances)
    got = out_given_in(amp, balances, d, 0, 1, amount)
    if got < balances[1] * 9 // 10:
        needed = in_given_out(amp, balances, d, 0, 1, got)
        assert out_given_in(amp, balances, d, 0, 1, needed) >= got - LOST


@given(AMPS, BALANCES)
def test_out_given_in__of_growing_sales__grows_ever_slower(amp: int, balances: tuple[int, ...]) -> None:
    d = settled(amp, balances)
    step = balances[0] // 7
    outs = [0, *(out_given_in(amp, balances, d, 0, 1, step * n) for n in range(1, 6))]
    gains = [b - a for a, b in pairwise(outs)]
    assert all(later <= before + LOST for before, later in pairwise(gains))
    assert all(gain >= 0 for gain in gains)


def test_invariant__of_equal_balances__is_their_sum() -> None:
    balances = (10**24, 10**24, 10**24)
    for amp in (1_000, 200_000, 5_000_000):
        assert abs(invariant(amp, balances) - sum(balances)) <= 1
        assert abs(invariant_up(amp, balances) - sum(balances)) <= 1


def test_invariant__of_nothing__is_none() -> None:
    assert invariant(200_000, (0, 0)) == invariant_up(200_000, (0, 0)) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: invariant(200_000, (ONE, 0)),
        lambda: invariant(200_000, (1 << 150, 1 << 150)),
        lambda: invariant_up(200_000, (1 << 150, 1 << 150)),
        lambda: balance_for(200_000, (ONE, 0), ONE, 0),
        lambda: out_given_in(200_000, (ONE, ONE), 2 * ONE, 0, 1, 0),
        lambda: in_given_out(200_000, (ONE, ONE), 2 * ONE, 0, 1, 2 * ONE),
    ],
)
def test_arithmetic__where_the_contract_reverts__is_an_arithmetic_error(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ArithmeticError):
        call()
