"""Curve pools in memory: what a contract holds in, the answers of its getters out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

from keeper.core.abi import calldata
from keeper.core.chain import Read
from keeper.core.pools import NoQuote, Pool, Router
from keeper.core.units import Address, Token, TokenAmount
from keeper.venues.curve_form import Form
from keeper.venues.curve_math import PRECISION, Product
from keeper.venues.curve_swap import StableSwap
from tests.builders import CHAIN, address, token

CASES = int(os.environ.get("KEEPER_CASES", "300"))
POOL, BASE, SHARE = address(0xC0), address(0xC1), address(0xC2)
DAI, USDC, USDT, GUSD = (
    token(name, decimals) for name, decimals in (("DAI", 18), ("USDC", 6), ("USDT", 6), ("GUSD", 2))
)
SHARES = Token(CHAIN, SHARE, "3CRV", 18)
FEE = 4 * 10**6
"""0.04 %, as many pools have it."""


def plain_form(tokens: Sequence[Token], **other: object) -> Form:
    known = {"product": Product.EACH, "scale": 1} | other
    return Form(tuple(t.address for t in tokens), tuple(t.decimals for t in tokens), **known)  # type: ignore[arg-type]


THREE = plain_form((DAI, USDC, USDT))
NG = plain_form((DAI, USDC), product=Product.WHOLE, scale=100, rates="stored", offpeg=True, listed=True)
OVER = plain_form((GUSD, SHARES), scale=100, rates="fresh", base=BASE, under=THREE)


def pool_of(form: Form, *tokens: Token, at: Address = POOL) -> Pool:
    router = Router("curve", at, form.all_coins)
    return Pool(CHAIN, form.kind, at, tokens, Fraction(FEE, 10**10), at, router, details=form.details())


def stable(
    balances: Sequence[int],
    amp: int = 100,
    *,
    decimals: Sequence[int] | None = None,
    product: Product = Product.EACH,
    fee: int = FEE,
    offpeg: int = 0,
) -> StableSwap:
    """A of so many whole, in the form that has it times 100."""
    rates = [10 ** (36 - d) for d in decimals or [18] * len(balances)]
    return StableSwap.of(balances, rates, amp * 100, 100, product, fee, offpeg)


def random_stable(random: Random, fee: int = FEE, offpeg: int = 0, spread: float = 1.5) -> StableSwap:
    """2 to 8 coins, A of 1 to 10^5, sizes over magnitudes, balances apart by as much as `spread` powers of ten."""
    n, size = random.randint(2, 8), 10 ** random.uniform(2, 10)
    decimals = [random.choice((6, 8, 18)) for _ in range(n)]
    balances = [int(size * 10 ** random.uniform(-spread / 2, spread / 2) * 10**d) + 1 for d in decimals]
    amp = int(10 ** random.uniform(0, 5))
    product = random.choice(list(Product))
    try:
        return stable(balances, amp, decimals=decimals, product=product, fee=fee, offpeg=offpeg)
    except ArithmeticError:  # one in some ten thousand, whose D goes to and fro by 2
        return random_stable(random, fee, offpeg, spread)


def sale(random: Random, swap: StableSwap) -> tuple[int, int, int]:
    """Two coins and an amount that is from a billionth to thirty times what the pool holds of the first."""
    i, j = random.sample(range(len(swap.xp)), 2)
    return i, j, max(1, int(swap.balances[i] * 10 ** random.uniform(-9, 1.5)))


def after(swap: StableSwap, i: int, j: int, sold: int, paid: int) -> StableSwap:
    """The pool once it took `sold` and paid `paid`; all of the fee stays in it."""
    moved = {i: sold, j: -paid}
    balances = [balance + moved.get(k, 0) for k, balance in enumerate(swap.balances)]
    amp = swap.ann // len(swap.xp)
    return StableSwap.of(balances, swap.rates, amp, swap.scale, swap.product, swap.fee, swap.offpeg)


def raw(found: TokenAmount | NoQuote) -> int:
    assert isinstance(found, TokenAmount), found
    return found.raw


# --- contracts -------------------------------------------------------------------------------------------------------


def words(*figures: int) -> bytes:
    return b"".join(figure.to_bytes(32, "big") for figure in figures)


def listed(*figures: int) -> bytes:
    """A list that tells its length, as newer contracts answer."""
    return words(32, len(figures), *figures)


@dataclass
class Contracts:
    """What each address answers to each call; everything else reverts."""

    answers: dict[tuple[Address, bytes], bytes] = field(default_factory=dict)

    def says(self, at: Address, call: str, answer: bytes, *arguments: object) -> None:
        self.answers[at, calldata(call, *arguments)] = answer

    def answer(self, reads: Iterable[Read]) -> dict[Read, bytes | None]:
        return {read: self.answers.get((read.to, read.data)) for read in reads}


def put(
    contracts: Contracts,
    at: Address,
    form: Form,
    swap: StableSwap,
    says: Mapping[str, bytes] | None = None,
) -> None:
    """A pool of this form that holds what `swap` holds, and quotes what it pays."""
    index = "int128" if form.old_index else "uint256"
    for k, (coin, decimals, balance) in enumerate(zip(form.coins, form.decimals, swap.balances, strict=True)):
        contracts.says(at, f"coins({index})", words(int(coin, 16)), k)
        contracts.says(at, f"balances({index})", words(balance), k)
        contracts.says(coin, "decimals()", words(decimals))
    amp = swap.ann // len(swap.xp)
    contracts.says(at, "A()", words(amp // swap.scale))
    contracts.says(at, "initial_A()", words(amp))
    if swap.scale > 1:
        contracts.says(at, "A_precise()", words(amp))
    contracts.says(at, "fee()", words(swap.fee))
    contracts.says(at, "get_virtual_price()", words(PRECISION * 101 // 100))
    if form.listed:
        contracts.says(at, "get_balances()", listed(*swap.balances))
    if form.rates == "stored":
        contracts.says(at, "stored_rates()", listed(*swap.rates))
    if form.offpeg:
        contracts.says(at, "offpeg_fee_multiplier()", words(swap.offpeg))
    for i in range(len(swap.xp)):
        for j in range(len(swap.xp)):
            sold = 10 ** form.decimals[i]
            if i != j:
                contracts.says(at, "get_dy(int128,int128,uint256)", words(swap.out(i, j, sold)), i, j, sold)
    for call, answer in (says or {}).items():
        contracts.says(at, call, answer)


def whole(of: Token, amount: int) -> int:
    return amount * 10**of.decimals
