"""Quotes of Curve pools: from the state in memory, against a solver that finds D anew for each, and bare integers.

No node answers here: the pools' bytecode comes from no package. The peer is what most tools do: one Newton for D and
one for the balance, in the contract's own integers.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from bench.frame import Contestant, Pace, Row, measure
from keeper.core.pools import Pool, Router
from keeper.core.units import Address, Token, TokenAmount
from keeper.venues.curve_form import Form
from keeper.venues.curve_math import FEE_UNIT, Product
from keeper.venues.curve_side import CurveSide
from keeper.venues.curve_state import CurveState
from keeper.venues.curve_swap import StableSwap

POOL, ROUTER = Address("0x" + "00" * 19 + "C0"), "curve"
FEE = 4 * 10**6
"""0.04 %"""
AMP = 200 * 100
SOLD = 25_000


def curve_rows(pace: Pace) -> list[Row]:
    found = measure("StableSwap, 2 coins", _contestants((60, 40), offpeg=0), pace)
    found += measure("StableSwap, 2 coins, dynamic fee", _contestants((60, 40), offpeg=2 * FEE_UNIT), pace)
    return found + measure("StableSwap, 3 coins", _contestants((60, 40, 80), offpeg=0), pace)


def _contestants(millions: tuple[int, ...], offpeg: int) -> list[Contestant]:
    """Coins of 18 decimals, so that bare integers need no rates."""
    tokens = tuple(Token(1, Address(f"0x{k:040x}"), f"C{k}", 18) for k in range(1, len(millions) + 1))
    form = Form(tuple(token.address for token in tokens), (18,) * len(tokens), Product.EACH)
    router = Router(ROUTER, POOL, form.coins)
    pool = Pool(1, form.kind, POOL, tokens, Fraction(FEE, FEE_UNIT), POOL, router, details=form.details())
    balances = tuple(whole * 10**24 for whole in millions)

    def known() -> StableSwap:
        return StableSwap.of(balances, [10**18] * len(balances), AMP, 100, Product.EACH, FEE, offpeg)

    swap = known()
    state, side = CurveState(pool, form.coins, swap), CurveSide.of(swap, 0, 1)
    sell, buy = TokenAmount.from_whole(tokens[0], SOLD), tokens[1]
    bare = _bare(swap, sell.raw, offpeg)
    quote = state.out_for(sell, buy)
    assert isinstance(quote, TokenAmount), quote
    assert quote.raw == swap.out(0, 1, sell.raw) == bare(), "the contestants disagree"
    return [
        Contestant("ours", "CurveState.out_for", lambda: state.out_for(sell, buy)),
        Contestant("ours", "StableSwap.out", lambda: swap.out(0, 1, sell.raw)),
        Contestant("ours", "CurveSide.out", lambda: side.out(sell.raw)),
        Contestant("peer", "D anew each time", lambda: known().out(0, 1, sell.raw)),
        Contestant("floor", "bare integers, D known", bare),
    ]


def _bare(swap: StableSwap, sold: int, offpeg: int) -> Callable[[], int]:
    """The same roundings with nothing around them."""
    d, n, ann, (here, there, *others) = swap.d, len(swap.xp), swap.ann, swap.xp

    def pay() -> int:
        x = here + sold
        c, total = d * d // (x * n), x
        for other in others:
            c, total = c * d // (other * n), total + other
        c, b = c * d * 100 // (ann * n), total + d * 100 // ann - d
        y, before = d, -2
        while not -1 <= y - before <= 1:
            y, before = (y * y + c) // (2 * y + b), y
        gross, fee = there - y - 1, FEE
        if offpeg:
            i, j = (here + x) // 2, (there + y) // 2
            fee = offpeg * FEE // ((offpeg - FEE_UNIT) * 4 * i * j // (i + j) ** 2 + FEE_UNIT)
        return gross - gross * fee // FEE_UNIT

    return pay
