"""Uniswap v3 pools in memory: positions in, the answers of the contract's getters out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from keeper.core.chain import Read
from keeper.core.pools import Pool
from keeper.core.ticks import get_sqrt_ratio_at_tick
from keeper.core.units import Token
from keeper.venues.uniswap_v3 import UniswapV3, tick_read, word_read
from tests.builders import CHAIN, SWAP_ROUTER, address, token

ZERO, ONE = token("ZERO", 18, 0xA0), token("ONE", 6, 0xA1)


def v3_pool(
    fee_ppm: int = 500, spacing: int = 10, tokens: tuple[Token, Token] = (ZERO, ONE), number: int = 0xB003
) -> Pool:
    fee = Fraction(fee_ppm, 1_000_000)
    return Pool(CHAIN, "uniswap_v3", address(number), tokens, fee, address(0xFA3), SWAP_ROUTER, spacing=spacing)


def words(*figures: int) -> bytes:
    return b"".join((figure % (1 << 256)).to_bytes(32, "big") for figure in figures)


@dataclass(frozen=True)
class Chain:
    """One pool as the contract would hold it. `positions` are (lower, upper, liquidity)."""

    pool: Pool
    tick: int
    positions: tuple[tuple[int, int, int], ...]
    unlocked: int = 1

    @property
    def sqrt_price(self) -> int:
        return get_sqrt_ratio_at_tick(self.tick)

    def answer(self, reads: Iterable[Read]) -> dict[Read, bytes | None]:
        nets: dict[int, int] = {}
        for lower, upper, liquidity in self.positions:
            nets[lower] = nets.get(lower, 0) + liquidity
            nets[upper] = nets.get(upper, 0) - liquidity
        return {read: self._answer(read, nets) for read in reads}

    def _answer(self, read: Read, nets: dict[int, int]) -> bytes:
        slot0, liquidity = _basis(self.pool)
        if read == slot0:
            return words(self.sqrt_price, self.tick, 0, 1, 1, 0, self.unlocked)
        if read == liquidity:
            return words(sum(size for lower, upper, size in self.positions if lower <= self.tick < upper))
        index = int.from_bytes(read.data[4:], "big", signed=True)
        if read == tick_read(self.pool.address, index):
            return words(abs(nets.get(index, 0)) + 1, nets.get(index, 0), 0, 0, 0, 0, 0, 1)
        assert read == word_read(self.pool.address, index)
        bits = {tick // self.pool.spacing for tick in nets}
        return words(sum(1 << (bit % 256) for bit in bits if bit // 256 == index))


def _basis(pool: Pool) -> tuple[Read, Read]:
    slot0, liquidity = UniswapV3().reads(pool, None)
    return slot0, liquidity
