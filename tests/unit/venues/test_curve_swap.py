from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from keeper.venues.curve_math import FEE_UNIT, PRECISION, Product, get_y
from keeper.venues.curve_swap import StableSwap
from tests.unit.venues.curve_pools import CASES, after, random_stable, sale, stable

E18 = 10**18
SADDLE_FEE = 10**7
"""0.1 %"""


def saddle(*balances: int, amp: int = 50) -> StableSwap:
    """The pool of Saddle's test-suite: two coins of 18 decimals, A of 50, fee of 0.1 %."""
    return stable(balances, amp, fee=SADDLE_FEE)


def random_fees(random: Random) -> tuple[int, int]:
    return random.choice((0, 10**6, 4 * 10**6, 10**8)), random.choice((0, 2 * FEE_UNIT, 5 * FEE_UNIT))


# --- what others published -------------------------------------------------------------------------------------------


def test_out__in_saddles_pool__is_what_its_test_suite_expects() -> None:
    """saddle-finance/saddle-contract, test/swap.ts, "swap": 0.1 into 1 and 1, and once more into what that left."""
    swap = saddle(E18, E18)
    paid = swap.out(0, 1, E18 // 10)
    assert paid == 99_702_611_562_565_289
    assert after(swap, 0, 1, E18 // 10, paid).out(0, 1, E18 // 10) == 99_286_252_365_528_551


@pytest.mark.parametrize(
    ("added", "minted"),
    [((E18, 3 * E18), 3_991_672_211_258_372_957), ((2 * E18, 10**16), 1_996_275_270_169_644_725)],
)
def test_mint__in_saddles_pool__is_what_its_test_suite_expects(added: tuple[int, int], minted: int) -> None:
    """The same file, "addLiquidity" and "removeLiquidity"."""
    assert saddle(E18, E18).mint(added, 2 * E18) == minted


def test_burn__in_saddles_pool__is_what_its_test_suite_expects() -> None:
    """The same file, "removeLiquidityOneToken"."""
    minted = 1_996_275_270_169_644_725
    assert saddle(3 * E18, E18 + 10**16).burn(0, minted, 2 * E18 + minted) == 2_008_990_034_631_583_696


@pytest.mark.parametrize(
    ("precise", "price"),
    [(5_000, 1_000_167_146_429_977_312), (5_413, 1_000_258_443_200_231_295), (5_003, 1_000_167_862_696_363_286)],
)
def test_d__while_a_ramps__gives_the_virtual_prices_that_saddle_expects(precise: int, price: int) -> None:
    """The same file, "rampA": 1 more of the first coin, then A as it stands after 0, 100,000 and 900 seconds."""
    supply = 2 * E18 + saddle(E18, E18).mint((E18, 0), 2 * E18)
    swap = StableSwap.of((2 * E18, E18), (E18, E18), precise, 100, saddle(1, 1).product, SADDLE_FEE)
    assert swap.d * E18 // supply == price


def test_price__at_sixty_to_forty__is_as_published() -> None:
    """MATH 7: A of 100, 60 and 40 million: .995718; 9,989,692.8 of the scarce coin restore balance; near balance,
    2,513,869 move the price by 10 bp where D is 100 million."""
    swap = stable((60 * 10**24, 40 * 10**24), 100, fee=0)
    assert round(float(swap.price(0, 1)), 6) == 0.995718
    needed = swap.d // 2 - swap.xp[1]
    assert needed // 10**17 == 99_896_928
    there = after(swap, 1, 0, needed, swap.out(1, 0, needed))
    assert abs(there.price(0, 1) - 1) < 1e-12
    even = stable((50 * 10**24, 50 * 10**24), 100, fee=0)
    sold = 2_513_869 * 10**18
    assert round(float(1 - after(even, 0, 1, sold, even.out(0, 1, sold)).price(0, 1)), 5) == 0.001


# --- what holds for every pool ---------------------------------------------------------------------------------------


def test_out__of_any_sale__never_lowers_d() -> None:
    random = Random(1)
    for _ in range(CASES):
        fee, offpeg = random_fees(random)
        swap = random_stable(random, fee, offpeg)
        i, j, sold = sale(random, swap)
        try:
            left = after(swap, i, j, sold, swap.out(i, j, sold))
        except ArithmeticError:
            continue
        # Rounding may take a few units of 10^-18 from D, where no fee covers them; the first pools keep none back.
        near = abs(left.d - swap.d) * 10**6 < swap.d
        assert left.d >= swap.d - 4 or (swap.product is Product.EACH_PLUS and near)


def test_out__there_and_back__never_profits() -> None:
    random, came_back = Random(2), 0
    for _ in range(CASES):
        fee, offpeg = random_fees(random)
        swap = random_stable(random, fee, offpeg)
        i, j, sold = sale(random, swap)
        try:
            paid = swap.out(i, j, sold)
            back = after(swap, i, j, sold, paid).out(j, i, paid)
        except ArithmeticError:
            continue
        # A few units of 18 decimals, where no fee covers them; of the steep end of a first pool a few more.
        steep = sold // 10**15 if swap.product is Product.EACH_PLUS else 0
        assert back <= sold + (0 if fee else 4 * PRECISION // swap.rates[i] + 1 + steep)
        came_back += 1
    assert came_back > CASES // 2


def test_out__of_more__is_never_less_and_never_more_than_its_halves() -> None:
    random, seen = Random(4), 0
    for _ in range(CASES):
        fee, _ = random_fees(random)
        swap = random_stable(random, fee)
        i, j, sold = sale(random, swap)
        try:
            parts = swap.out(i, j, sold), swap.out(i, j, 2 * sold)
        except ArithmeticError:
            continue
        one, both = parts
        unit = 2 + 8 * PRECISION // swap.rates[j]
        assert one <= both <= 2 * one + unit
        assert both < swap.balances[j]
        seen += 1
    assert seen > CASES // 2


def test_mint_and_burn__of_one_coin__never_profits() -> None:
    random = Random(5)
    for _ in range(CASES):
        fee, offpeg = random_fees(random)
        swap = random_stable(random, fee, offpeg)
        i = random.randrange(len(swap.xp))
        added = max(1, int(random.uniform(1e-6, 2) * swap.balances[i]))
        supply = swap.d * random.randint(90, 100) // 100
        deposit = [added if k == i else 0 for k in range(len(swap.xp))]
        try:
            minted = swap.mint(deposit, supply)
            grown = StableSwap.of(
                [old + more for old, more in zip(swap.balances, deposit, strict=True)],
                swap.rates,
                swap.ann // len(swap.xp),
                swap.scale,
                swap.product,
                fee,
                offpeg,
            )
            back = grown.burn(i, minted, supply + minted)
        except ArithmeticError:
            continue
        assert back <= added


def test_sold_for__of_what_a_sale_brings__is_near_that_sale() -> None:
    random, seen = Random(6), 0
    for _ in range(CASES):
        swap = random_stable(random, 4 * 10**6)
        i, j, _ = sale(random, swap)
        sold = swap.balances[i] // random.randint(2, 1000) + 1
        paid = swap.out(i, j, sold)
        if paid < 10**4:
            continue
        assert abs(swap.sold_for(i, j, paid) / sold - 1) < 1e-2
        seen += 1
    assert seen > CASES // 2


ROUNDED_UP = stable(
    (2467_819363006712643585, 783_893942660000000000, 458_114030441183576065), 1, product=Product.EACH_PLUS, fee=0
)
"""Here the missing balance is rounded up by more than the smallest sale moves it."""


def test_out__of_too_little__is_an_error() -> None:
    kept_back = stable((8521_668942851193327776, 165_376829780358522194), 1, fee=0)
    with pytest.raises(ArithmeticError, match="less than nothing"):
        kept_back.out(0, 1, 1)
    assert replace(kept_back, product=Product.EACH_PLUS).out(0, 1, 1) == 0, "the first pools keep nothing back"
    assert stable((10**24, 10**12), 100, decimals=(18, 6)).out(0, 1, 10**9) == 0


def test_mint__of_nothing__is_an_error() -> None:
    with pytest.raises(ArithmeticError, match="adds nothing"):
        saddle(E18, E18).mint((0, 0), 2 * E18)


def test_burn__of_too_little__is_an_error() -> None:
    with pytest.raises(ArithmeticError, match="less than nothing"):
        ROUNDED_UP.burn(0, 1, ROUNDED_UP.d)


# --- afterwards ------------------------------------------------------------------------------------------------------


def test_after__of_a_swap_in_a_first_pool__counts_both_balances_anew_from_18_decimals() -> None:
    """As StableSwapSUSD.vy does: `balances[i] = x·10^18 / rates[i]`, `balances[j] = (y + fee - admin fee)·10^18 /
    rates[j]`, where y is what must stay."""
    random = Random(8)
    for _ in range(CASES):
        swap = replace(stable_first(random), admin=FEE_UNIT // 2)
        i, j, sold = sale(random, swap)
        try:
            after = swap.after(i, j, sold)
        except ArithmeticError:  # one in some thousand, whose D goes to and fro by 2
            continue
        x = swap.xp[i] + sold * swap.rates[i] // PRECISION
        y = get_y(swap.xp, i, j, x, swap.ann, swap.scale, swap.d)
        fee = (swap.xp[j] - y) * swap.fee // FEE_UNIT
        stays = y + fee - fee * (FEE_UNIT // 2) // FEE_UNIT
        assert after.balances[i] == x * PRECISION // swap.rates[i]
        assert after.balances[j] == stays * PRECISION // swap.rates[j]
        assert swap.out(i, j, sold) == (swap.xp[j] - y - fee) * PRECISION // swap.rates[j]


def stable_first(random: Random) -> StableSwap:
    balances = [random.randint(10**9, 10**14) * 10 ** (d - 6) for d in (18, 6, 6)]
    return stable(balances, random.randint(1, 2_000), decimals=(18, 6, 6), product=Product.EACH_PLUS)
