"""A vault of four at 40/30/20/10, with one deep pool for every pair: for bands of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

from keeper.core.chain import History, VaultView
from keeper.core.units import Token, TokenAmount, Wei
from tests.builders import DAI, NOW, USDC, WBTC, WETH, FakePool, fake_pool, make_block, make_view, market, units

FOUR: dict[Token, int] = {WETH: 4000, WBTC: 3000, DAI: 2000, USDC: 1000}
PRICES = {WETH: 2_500, WBTC: 100_000, DAI: 1, USDC: 1}
WORTH = 250_000
"""{USD}"""


def pools(depth: int = 5_000_000, fee: Fraction = Fraction(6, 10_000)) -> list[FakePool]:
    """`depth` USD on each side."""
    found = []
    for number, (one, other) in enumerate(combinations(FOUR, 2)):
        sides = [units(token, Fraction(depth, PRICES[token])) for token in (one, other)]
        found.append(fake_pool(sides[0], sides[1], fee, number=0xC000 + number))
    return found


def four(
    drifts: Sequence[int | Fraction] = (0, 0, 0, 0),
    *,
    gas: Fraction = Fraction(8),
    states: Sequence[FakePool] | None = None,
    history: History = History(),  # noqa: B008  frozen
    at: int = NOW,
) -> VaultView:
    """The vault with these drifts in bps; `gas` is what 230,000 units cost, in USD."""
    held = []
    for token, drift in zip(FOUR, drifts, strict=True):
        raw = Fraction(WORTH * (FOUR[token] + drift), 10_000 * PRICES[token]) * 10**token.decimals
        held.append(TokenAmount(token, int(raw)))
    prices = {token: market(token, price) for token, price in PRICES.items()}
    fee = int(gas * 10**18 / (230_000 * PRICES[WETH]))
    view = make_view(held, prices, pools() if states is None else states, history=history, block=make_block(at))
    block = replace(view.block, base_fee=Wei(fee))
    native = market(view.native.token, PRICES[WETH])
    return replace(view, block=block, native_price=native, tip=Wei(0))
