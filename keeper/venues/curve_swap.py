"""What one StableSwap pool does with an amount, in raw units: a swap, a deposit, a withdrawal in one coin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.venues.curve_math import FEE_UNIT, PRECISION, Product, dynamic_fee, get_d, get_y, get_y_d, last_term

MAX_BALANCE = 1 << 112
"""{18 decimals} Far above any pool, far below where the contracts' 256 bits end."""


@dataclass(frozen=True, slots=True)
class StableSwap:
    """A pool's numbers at one block. Every method raises ArithmeticError where the contract would revert.

    `rates` bring raw amounts to 18 decimals: 10^(36 - decimals), times what a share is worth where a coin is a share.
    `ann` is A·n times `scale`. `fee` and `offpeg` are parts of FEE_UNIT; `offpeg` 0 is a pool of one fee.
    """

    balances: tuple[int, ...]
    rates: tuple[int, ...]
    xp: tuple[int, ...]
    d: int
    ann: int
    scale: int
    product: Product
    fee: int
    offpeg: int = 0
    admin: int | None = None
    """The part of the fee that leaves the pool; None where it is not known."""

    @classmethod
    def of(
        cls,
        balances: Sequence[int],
        rates: Sequence[int],
        amp: int,
        scale: int,
        product: Product,
        fee: int,
        offpeg: int = 0,
        admin: int | None = None,
    ) -> StableSwap:
        """`balances` in raw units, `amp` as the contract holds it."""
        xp = _scaled(balances, rates)
        ann = amp * len(xp)
        d = get_d(xp, ann, scale, product)
        return cls(tuple(balances), tuple(rates), xp, d, ann, scale, product, fee, offpeg, admin)

    def out(self, i: int, j: int, sold: int) -> int:
        """What `exchange` pays in coin j for `sold` of coin i."""
        gross, fee = self._gross(i, j, sold)
        return (gross - fee) * PRECISION // self.rates[j]

    def after(self, i: int, j: int, sold: int) -> StableSwap:
        """The pool once `exchange` is done: what it does not pay stays, but for the part of the fee that is its
        owner's. Raises ValueError where that part is not known."""
        if self.admin is None:
            raise ValueError("which part of its fee leaves it, it does not tell")
        gross, fee = self._gross(i, j, sold)
        leaves = fee * self.admin // FEE_UNIT
        balances = list(self.balances)
        if self.product is Product.EACH_PLUS:
            # The first pools count both balances anew, from 18 decimals.
            balances[i] = (self.xp[i] + sold * self.rates[i] // PRECISION) * PRECISION // self.rates[i]
            balances[j] = (self.xp[j] - gross + fee - leaves) * PRECISION // self.rates[j]
        else:
            balances[i] += sold
            balances[j] -= (gross - fee) * PRECISION // self.rates[j] + leaves * PRECISION // self.rates[j]
        amp = self.ann // len(balances)
        return StableSwap.of(balances, self.rates, amp, self.scale, self.product, self.fee, self.offpeg, self.admin)

    def _gross(self, i: int, j: int, sold: int) -> tuple[int, int]:
        """{18 decimals} What comes out before the fee, and the fee. All but the first pools keep one unit back."""
        xp = self.xp
        x = xp[i] + sold * self.rates[i] // PRECISION
        y = get_y(xp, i, j, x, self.ann, self.scale, self.d)
        gross = xp[j] - y - (self.product is not Product.EACH_PLUS)
        if gross < 0:
            raise ArithmeticError("it brings less than nothing")
        fee = dynamic_fee((xp[i] + x) // 2, (xp[j] + y) // 2, self.fee, self.offpeg) if self.offpeg else self.fee
        return gross, gross * fee // FEE_UNIT

    def price(self, i: int, j: int) -> Fraction:
        """{j raw / i raw} What the next unit brings: `y·(Ann·x + K) / (x·(Ann·y + K))`, K the invariant's last term,
        less the fee."""
        x, y, k = self.xp[i], self.xp[j], self.scale * last_term(self.xp, self.d, self.product)
        whole = Fraction(y * (self.ann * x + k) * self.rates[i], x * (self.ann * y + k) * self.rates[j])
        return whole * (1 - Fraction(dynamic_fee(x, y, self.fee, self.offpeg), FEE_UNIT))

    def sold_for(self, i: int, j: int, bought: int) -> int:
        """About how much of coin i brings `bought` of coin j; more than there is where nothing does."""
        x, y = self.xp[i], self.xp[j]
        wanted = -(-bought * self.rates[j] // PRECISION)
        for _ in range(2):  # the second time with the fee of where the first one ends
            fee = dynamic_fee((self.xp[i] + x) // 2, (self.xp[j] + y) // 2, self.fee, self.offpeg)
            y = self.xp[j] - -(-wanted * FEE_UNIT // (FEE_UNIT - fee)) - 1
            if y <= 0:
                return MAX_BALANCE * PRECISION // self.rates[i]
            try:
                x = get_y(self.xp, j, i, y, self.ann, self.scale, self.d)
            except ArithmeticError:
                return MAX_BALANCE * PRECISION // self.rates[i]
        return max(1, -(-(x - self.xp[i]) * PRECISION // self.rates[i]))

    # --- shares ------------------------------------------------------------------------------------------------------

    def mint(self, added: Sequence[int], supply: int) -> int:
        """Shares that `add_liquidity` gives for so much of each coin, where there are `supply` of them.

        Every coin pays a fee for how far the deposit moves it from its part of the pool.
        """
        n, before = len(self.xp), self.balances
        after = [old + more for old, more in zip(before, added, strict=True)]
        d1 = self._d(after)
        if d1 <= self.d or not supply:
            raise ArithmeticError("the deposit adds nothing")
        base = self.fee * n // (4 * (n - 1))
        left = []
        for k in range(n):
            ideal = d1 * before[k] // self.d
            fee = base
            if self.offpeg:
                middle = self.rates[k] * (before[k] + after[k]) // PRECISION
                fee = dynamic_fee(middle, (self.d + d1) // n, base, self.offpeg)
            left.append(after[k] - fee * abs(ideal - after[k]) // FEE_UNIT)
        return supply * (self._d(left) - self.d) // self.d

    def burn(self, j: int, shares: int, supply: int) -> int:
        """What `remove_liquidity_one_coin` pays in coin j for `shares` of the pool's `supply`."""
        n, xp = len(self.xp), self.xp
        d1 = self.d - shares * self.d // supply
        y = get_y_d(xp, j, self.ann, self.scale, d1)
        base = self.fee * n // (4 * (n - 1))
        left = []
        for k in range(n):
            ideal = xp[k] * d1 // self.d
            moved, middle = (ideal - y, (xp[k] + y) // 2) if k == j else (xp[k] - ideal, xp[k])
            fee = dynamic_fee(middle, (self.d + d1) // (2 * n), base, self.offpeg) if self.offpeg else base
            left.append(xp[k] - fee * moved // FEE_UNIT)
        paid = left[j] - get_y_d(left, j, self.ann, self.scale, d1) - 1
        if paid < 0:
            raise ArithmeticError("it brings less than nothing")
        return paid * PRECISION // self.rates[j]

    def _d(self, balances: Sequence[int]) -> int:
        return get_d(_scaled(balances, self.rates), self.ann, self.scale, self.product)


def _scaled(balances: Sequence[int], rates: Sequence[int]) -> tuple[int, ...]:
    """{18 decimals}"""
    return tuple(balance * rate // PRECISION for balance, rate in zip(balances, rates, strict=True))
