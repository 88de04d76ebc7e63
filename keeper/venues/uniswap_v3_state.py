"""A Uniswap v3 pool at one block: price, liquidity, and as many ticks as were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from keeper.core.pools import NoLiquidity, NoQuote, Pool
from keeper.core.ticks import get_tick_at_sqrt_ratio
from keeper.core.units import Token, TokenAmount
from keeper.venues.uniswap_v3_math import PPM
from keeper.venues.uniswap_v3_side import Ladder
from keeper.venues.uniswap_v3_walk import Ticks


@dataclass(frozen=True, slots=True)
class UniswapV3State:
    """A pool at one block: price, liquidity in range, and as much of the tick bitmap and the ticks as was read.

    `words` maps a bitmap word's index to its bits, `nets` an initialised tick to its liquidityNet. A quote that would
    need a word or a tick that was not read is NoLiquidity, never a guess. Quotes are those of a swap without price
    limit; one that the pool would fill only in part is NoLiquidity too.
    """

    pool: Pool
    sqrt_price: int
    tick: int
    liquidity: int
    words: Mapping[int, int]
    nets: Mapping[int, int]
    fee_moves: bool = False
    """Whether a swap itself may change the fee of the next one."""
    _sides: dict[bool, Ladder] = field(default_factory=dict, init=False, repr=False, compare=False)
    """As far as they were asked for, by whether selling moves token0's price down."""

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        """What exactInputSingle returns."""
        side = self.side(sell.token, buy)
        found = side.out(sell.raw) if isinstance(side, Ladder) else side
        return TokenAmount(buy, found) if isinstance(found, int) else found

    def in_for(self, buy: TokenAmount, sell: Token) -> TokenAmount | NoQuote:
        """What exactOutputSingle takes: the least whose sale brings `buy` or more."""
        side = self.side(sell, buy.token)
        found = side.into(buy.raw) if isinstance(side, Ladder) else side
        return TokenAmount(sell, found) if isinstance(found, int) else found

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        """{buy raw / sell raw} The pool's price, less the fee."""
        if refusal := self._refusal(sell, buy):
            return refusal
        # {token1 raw / token0 raw} = sqrt_price² / 2**192
        price = Fraction(self.sqrt_price**2, 1 << 192)
        return (price if self._is_down(sell) else 1 / price) * (1 - self.pool.fee)

    def side(self, sell: Token, buy: Token) -> Ladder | NoQuote:
        if refusal := self._refusal(sell, buy):
            return refusal
        down = self._is_down(sell)
        known = self._sides.get(down)
        return known or self._sides.setdefault(down, self._ladder(down))

    def after(self, sell: TokenAmount, buy: Token) -> UniswapV3State | NoQuote:
        """Fees go to the positions, never into the liquidity that a swap moves through."""
        if self.fee_moves:
            return NoLiquidity("its fee may follow the price, which the swap moves")
        side = self.side(sell.token, buy)
        end = side.end_of(sell.raw) if isinstance(side, Ladder) else side
        if isinstance(end, NoQuote):
            return end
        price, liquidity, is_edge = end
        if is_edge:
            # A tick that is reached is crossed: downwards the price stands on the upper edge of the range below.
            tick = get_tick_at_sqrt_ratio(price) - self._is_down(sell.token)
        else:
            tick = self.tick if price == self.sqrt_price else get_tick_at_sqrt_ratio(price)
        return replace(self, sqrt_price=price, tick=tick, liquidity=liquidity)

    def _ladder(self, down: bool) -> Ladder:
        ticks = Ticks(self.words, self.nets, self.pool.spacing)
        pieces = ticks.walk(self.sqrt_price, self.tick, self.liquidity, down=down)
        return Ladder(self.sqrt_price, pieces, int(self.pool.fee * PPM), down)

    def _is_down(self, sell: Token) -> bool:
        """Selling token0 moves the price of token0 down."""
        return sell == self.pool.tokens[0]

    def _refusal(self, sell: Token, buy: Token) -> NoQuote | None:
        if not self.pool.trades(sell, buy):
            return NoLiquidity(f"does not trade {sell.symbol} for {buy.symbol}")
        if not self.liquidity:
            # The contract would walk to the nearest liquidity, however far that is: a price nobody stands behind.
            return NoLiquidity("no liquidity at the pool's price")
        return None
