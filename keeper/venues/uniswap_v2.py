"""Uniswap v2 and its forks: constant product, a fee on the amount in, one read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from keeper.core.abi import WORD, calldata, word
from keeper.core.calls import Call
from keeper.core.chain import Answers, Needs, Read, Unusable
from keeper.core.plan import OrderLeg
from keeper.core.pools import NoLiquidity, NoQuote, Pool, PoolState, brings_nothing
from keeper.core.units import Address, Token, TokenAmount
from keeper.venues.facts import Facts, parse_address, parse_pair
from keeper.venues.swaps import encode_v2_swap
from keeper.venues.uniswap_v2_side import ConstantProduct

KIND = "uniswap_v2"
MAX_RESERVE = (1 << 112) - 1
"""The pair keeps its reserves in uint112 and refuses to hold more."""

_TOKEN0, _TOKEN1 = calldata("token0()"), calldata("token1()")
_FACTORY, _RESERVES = calldata("factory()"), calldata("getReserves()")
_STABLE = calldata("stable()")
"""Pairs of Solidly, Velodrome and Aerodrome answer it. Stable ones are no constant product, and the others take their
fee, which may change, out of the amount first: they round differently."""

PPM = 10**6
_SALE, _DEEP = 10**12, 10**30
_PROBE = calldata("getAmountOut(uint256,uint256,uint256)", _SALE, _DEEP, _DEEP)


@dataclass(frozen=True, slots=True)
class UniswapV2State:
    """A pair at one block: reserves of `pool.tokens`, in raw units.

    Quotes are what Router02 answers for the same reserves; forks differ by `pool.fee` alone, and a common factor of
    their 997 and 1000 cancels in every quotient. Does not know of tokens that take a fee on transfer.
    """

    pool: Pool
    reserves: tuple[int, int]
    _sides: dict[bool, ConstantProduct] = field(default_factory=dict, init=False, repr=False, compare=False)
    """As far as they were asked for, by whether the first token is sold."""

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        """getAmountOut: `a·997·Ro // (Ri·1000 + a·997)`; 0 where the amount is too small to bring anything."""
        side = self.side(sell.token, buy)
        found = side.out(sell.raw) if isinstance(side, ConstantProduct) else side
        return TokenAmount(buy, found) if isinstance(found, int) else found

    def in_for(self, buy: TokenAmount, sell: Token) -> TokenAmount | NoQuote:
        """getAmountIn: `Ri·o·1000 // ((Ro−o)·997) + 1`; one more than the least where that division is exact."""
        side = self.side(sell, buy.token)
        found = side.into(buy.raw) if isinstance(side, ConstantProduct) else side
        return TokenAmount(sell, found) if isinstance(found, int) else found

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        """{buy raw / sell raw} Ro/Ri, less the fee."""
        if refusal := self._refusal(sell, buy):
            return refusal
        held, other = self._reserves(sell)
        return Fraction(other, held) * (1 - self.pool.fee)

    def side(self, sell: Token, buy: Token) -> ConstantProduct | NoQuote:
        if refusal := self._refusal(sell, buy):
            return refusal
        is_first = sell == self.pool.tokens[0]
        return self._sides.get(is_first) or self._sides.setdefault(is_first, self._product(sell))

    def after(self, sell: TokenAmount, buy: Token) -> UniswapV2State | NoQuote:
        """The fee stays in the reserves; a pair pays its protocol when liquidity changes, never in a swap."""
        bought = self.out_for(sell, buy)
        if not isinstance(bought, TokenAmount):
            return bought
        if not bought.raw:
            return brings_nothing(sell)
        held, other = self._reserves(sell.token)
        moved = held + sell.raw, other - bought.raw
        return UniswapV2State(self.pool, moved if sell.token == self.pool.tokens[0] else moved[::-1])

    def _product(self, sell: Token) -> ConstantProduct:
        held, other = self._reserves(sell)
        kept = 1 - self.pool.fee
        return ConstantProduct.of((held, other), (kept.numerator, kept.denominator), MAX_RESERVE - held)

    def _reserves(self, sell: Token) -> tuple[int, int]:
        """Reserves of what is sold and of what is bought."""
        zero, one = self.reserves
        return (zero, one) if sell == self.pool.tokens[0] else (one, zero)

    def _refusal(self, sell: Token, buy: Token) -> NoQuote | None:
        if not self.pool.trades(sell, buy):
            return NoLiquidity(f"does not trade {sell.symbol} for {buy.symbol}")
        if not all(self.reserves):
            return NoLiquidity("the pool is empty on one side")
        return None


class UniswapV2:
    """Venue of constant-product pairs, v2 and forks."""

    def reads(self, pool: Pool, last: PoolState | None) -> tuple[Read, ...]:  # noqa: ARG002  always the same
        return (Read(pool.address, _RESERVES),)

    def decode(self, pool: Pool, answers: Answers) -> UniswapV2State | Needs | Unusable:
        read = Read(pool.address, _RESERVES)
        if read not in answers:
            return Needs((read,))
        answer = answers[read]
        if answer is None or len(answer) < 3 * WORD:
            return Unusable("getReserves() does not answer")
        reserves = word(answer, 0), word(answer, 1)
        if max(reserves) > MAX_RESERVE:
            return Unusable(f"reserves: expected at most 2**112 - 1, was {max(reserves)}")
        return UniswapV2State(pool, reserves)

    def encode(self, leg: OrderLeg, recipient: Address, deadline: int) -> Call:
        return encode_v2_swap(leg, recipient, deadline)


@dataclass(frozen=True, slots=True)
class UniswapV2Pin:
    """Recognises a pair. A pair cannot tell its fee, but its router can: `routers` gives Router02, or a fork's, by
    factory. The fee is what that router takes off, and unknown where it does not say."""

    routers: Mapping[Address, Address] = field(default_factory=dict)

    def reads(self, address: Address) -> tuple[Read, ...]:
        own = (Read(address, data) for data in (_TOKEN0, _TOKEN1, _FACTORY, _RESERVES, _STABLE))
        return *own, *(Read(router, _PROBE) for router in self.routers.values())

    def pin(self, address: Address, answers: Answers) -> Facts | None:
        token0, token1, factory, reserves, stable, *_ = (answers.get(read) for read in self.reads(address))
        pair, made_by = parse_pair(token0, token1), parse_address(factory)
        # Exactly three words, and no word on being stable: forks that answer the same names are no constant product.
        if pair is None or made_by is None or stable or reserves is None or len(reserves) != 3 * WORD:
            return None
        router = self.routers.get(made_by)
        return Facts(KIND, pair, None if router is None else _fee_ppm(answers.get(Read(router, _PROBE))), made_by)


def _fee_ppm(answer: bytes | None) -> int | None:
    """{ppm} By what a router says of a sale into reserves so deep that it moves no price."""
    if answer is None or len(answer) != WORD:
        return None
    out = word(answer, 0)
    kept = -(-out * PPM // _SALE)
    deep = ConstantProduct.of((_DEEP, _DEEP), (kept, PPM), _DEEP)
    return PPM - kept if 0 < kept <= PPM and deep.out(_SALE) == out else None
