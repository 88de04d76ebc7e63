"""A Uniswap v3 pool at one block, and its swap loop as the contract runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from keeper.core.chain import LimitExceeded, NoLiquidity, NoQuote, Pool
from keeper.core.sides import Searched, Side
from keeper.core.ticks import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK, get_sqrt_ratio_at_tick
from keeper.core.units import Token, TokenAmount
from keeper.venues.uniswap_v3_math import PPM, compute_swap_step

MAX_INT256 = (1 << 255) - 1
MAX_UINT128 = (1 << 128) - 1
WORD_BITS = 256

sqrt_ratio = lru_cache(maxsize=1 << 16)(get_sqrt_ratio_at_tick)


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

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        """What exactInputSingle returns."""
        found = self._refusal(sell.token, buy, sell) or self._swap(sell.raw, self._is_down(sell.token), exact_in=True)
        return TokenAmount(buy, found) if isinstance(found, int) else found

    def in_for(self, buy: TokenAmount, sell: Token) -> TokenAmount | NoQuote:
        """What exactOutputSingle takes; selling exactly that brings at least `buy`."""
        found = self._refusal(sell, buy.token, buy) or self._swap(buy.raw, self._is_down(sell), exact_in=False)
        return TokenAmount(sell, found) if isinstance(found, int) else found

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        """{buy raw / sell raw} The pool's price, less the fee."""
        if refusal := self._refusal(sell, buy):
            return refusal
        # {token1 raw / token0 raw} = sqrt_price² / 2**192
        price = Fraction(self.sqrt_price**2, 1 << 192)
        return (price if self._is_down(sell) else 1 / price) * (1 - self.pool.fee)

    def side(self, sell: Token, buy: Token) -> Side | NoQuote:
        return self._refusal(sell, buy) or Searched(self, sell, buy)

    def _is_down(self, sell: Token) -> bool:
        """Selling token0 moves the price of token0 down."""
        return sell == self.pool.tokens[0]

    def _refusal(self, sell: Token, buy: Token, amount: TokenAmount | None = None) -> NoQuote | None:
        if not self.pool.trades(sell, buy):
            return NoLiquidity(f"does not trade {sell.symbol} for {buy.symbol}")
        if not self.liquidity:
            # The contract would walk to the nearest liquidity, however far that is: a price nobody stands behind.
            return NoLiquidity("no liquidity at the pool's price")
        if amount is not None and not 0 < amount.raw <= MAX_INT256:
            return LimitExceeded(f"amount: expected 1 to 2**255 - 1, was {amount.raw}")
        return None

    # --- the contract's loop -----------------------------------------------------------------------------------------

    def _swap(self, amount: int, down: bool, exact_in: bool) -> int | NoQuote:
        """The other amount of a swap that is filled whole.

        Steps at every boundary of a 256-tick word even where nothing is initialised, because each step rounds.
        """
        fee_ppm = int(self.pool.fee * PPM)
        limit = MIN_SQRT_RATIO + 1 if down else MAX_SQRT_RATIO - 1
        price, tick, liquidity = self.sqrt_price, self.tick, self.liquidity
        remaining, other = amount, 0
        while remaining and price != limit:
            found = self._next_tick(tick, down)
            if found is None:
                return NoLiquidity(f"needs ticks {'below' if down else 'above'} {tick}, which were not read")
            next_tick, is_initialised = found
            at_next = sqrt_ratio(next_tick)
            target = max(at_next, limit) if down else min(at_next, limit)
            try:
                price, paid, got, fee = compute_swap_step(price, target, liquidity, remaining, fee_ppm, exact_in)
            except ArithmeticError as error:
                return LimitExceeded(str(error))
            remaining -= paid + fee if exact_in else got
            other += got if exact_in else paid + fee
            if not remaining or price != at_next:
                continue
            if is_initialised:
                net = self.nets.get(next_tick)
                if net is None:
                    return NoLiquidity(f"crosses tick {next_tick}, which was not read")
                liquidity += -net if down else net
                if not 0 <= liquidity <= MAX_UINT128:
                    return NoLiquidity(f"liquidity after tick {next_tick} cannot be {liquidity}")
            tick = next_tick - 1 if down else next_tick
        if remaining:
            return NoLiquidity(f"the pool runs out of liquidity with {remaining} of {amount} raw unfilled")
        return other

    def _next_tick(self, tick: int, down: bool) -> tuple[int, bool] | None:
        """The next tick in the current word (at or below, or above) and whether it is initialised; else the word's
        last one. None where that word was not read. TickBitmap.nextInitializedTickWithinOneWord."""
        spacing = self.pool.spacing
        index, bit = divmod(tick // spacing + (not down), WORD_BITS)
        bits = self.words.get(index)
        if bits is None:
            return None
        if down:
            bits &= (2 << bit) - 1
            found = bits.bit_length() - 1 if bits else 0
        else:
            bits = bits >> bit << bit
            found = (bits & -bits).bit_length() - 1 if bits else WORD_BITS - 1
        next_tick = (index * WORD_BITS + found) * spacing
        return min(max(next_tick, MIN_TICK), MAX_TICK), bool(bits)
