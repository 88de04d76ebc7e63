"""Pools around a price history: constant product, exact integer quotes, refilled by arbitrage to the edge of their fee.

Each pair of tokens has a pool. Whoever moves a pool away from the market leaves a profit to others, down to the pool's
fee: so its price follows the market only to within that fee, and after a trade of ours it comes back only so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import isqrt

from eth_utils.address import to_checksum_address

from keeper.backtest.prices import exact
from keeper.core import text
from keeper.core.pools import Pool, Router
from keeper.core.units import WHOLE_BPS, Address, Token, TokenAmount
from keeper.venues.uniswap_v2 import KIND, UniswapV2State

_FINE = 10**18
_FIRST = 1 << 152
"""Addresses of pools that are nowhere."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What trading costs. `depth` is one side of each pool in USD, `gas` one trade with its approvals in USD."""

    depth: TokenAmount
    fee: Fraction
    gas: TokenAmount
    follows: bool = True
    """Pools follow the market to within their fee. False: they stand at the market whenever somebody looks."""

    def __str__(self) -> str:
        fee = text.bps(self.fee * WHOLE_BPS)
        return f"a pool for each pair, {text.usd(self.depth)} on each side, fee {fee}; gas {text.usd(self.gas)} a trade"


def make_pools(tokens: Sequence[Token], fee: Fraction) -> tuple[Pool, ...]:
    """One for each pair, in the order of `combinations`."""
    router = Router("v2_router", _address(0))
    return tuple(
        Pool(one.chain_id, KIND, _address(number), (one, other), fee, _address(0), router)
        for number, (one, other) in enumerate(combinations(tokens, 2), start=1)
    )


def _address(number: int) -> Address:
    return Address(to_checksum_address((_FIRST + number).to_bytes(20, "big")))


class Pools:
    """The pools of one vault. `mids` are pool prices without fee: the second token for one of the first, both whole."""

    def __init__(self, pools: Sequence[Pool], tokens: Sequence[Token], terms: Terms, prices: Sequence[float]) -> None:
        places = {token: index for index, token in enumerate(tokens)}
        self._pools, self._tokens, self._terms = tuple(pools), tuple(tokens), terms
        self._pairs = [(places[pool.tokens[0]], places[pool.tokens[1]]) for pool in pools]
        self._kept = 1.0 - float(terms.fee) if terms.follows else 1.0
        self.mids = [prices[one] / prices[other] for one, other in self._pairs]
        self._states: tuple[UniswapV2State, ...] = ()

    def follow(self, prices: Sequence[float]) -> None:
        """Arbitrage, where the market is further away than the fee."""
        mids, kept = self.mids, self._kept
        for number, (one, other) in enumerate(self._pairs):
            market = prices[one] / prices[other]
            if mids[number] < market * kept:
                mids[number] = market * kept
            elif mids[number] > market / kept:
                mids[number] = market / kept

    def states(self, prices: Sequence[float]) -> tuple[UniswapV2State, ...]:
        """Reserves at the pools' own prices, √(one side × other side) worth the depth at market prices."""
        self._states = tuple(
            self._state(pool, Fraction(mid), exact(prices[one]), exact(prices[other]))
            for pool, mid, (one, other) in zip(self._pools, self.mids, self._pairs, strict=True)
        )
        return self._states

    def _state(self, pool: Pool, mid: Fraction, price: Fraction, other_price: Fraction) -> UniswapV2State:
        one, other = pool.tokens
        # {whole} x = depth / √(p · q · mid), y = x · mid: so that x·y·p·q = depth², wherever the pool's own price is
        x = self._terms.depth.whole / _root(price * other_price * mid)
        return UniswapV2State(pool, (int(x * 10**one.decimals), int(x * mid * 10**other.decimals)))

    def trade(self, pool: Pool, sell: TokenAmount, got: TokenAmount) -> None:
        """What a trade does to the price of a pool, from the reserves of the last look."""
        place = self._pools.index(pool)
        zero, one = self._states[place].reserves
        first, second = pool.tokens
        zero, one = (zero + sell.raw, one - got.raw) if sell.token == first else (zero - got.raw, one + sell.raw)
        self.mids[place] = (one / 10**second.decimals) / (zero / 10**first.decimals)


def _root(value: Fraction) -> Fraction:
    return Fraction(isqrt(value.numerator * _FINE**2 // value.denominator), _FINE)
