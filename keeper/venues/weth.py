"""Wrapping native coin and unwrapping it, as a hop that costs nothing but gas: one for one, both ways.

A vault's own holdings need no such hop: its native coin counts as the wrapped token, and its custody wraps what a swap
lacks. It is for routes that begin or end in the coin itself. Which token wraps the coin is the chain's configuration,
since no contract can tell it of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from keeper.core import text
from keeper.core.abi import WORD, calldata, word
from keeper.core.calls import Call, Purpose
from keeper.core.chain import Answers, Needs, Read, Unusable
from keeper.core.plan import OrderLeg
from keeper.core.pools import NoLiquidity, NoQuote, Pool, PoolState, Router
from keeper.core.units import Address, Token, TokenAmount
from keeper.venues.linear import Linear

KIND = "weth"
_SUPPLY, _DEPOSIT = calldata("totalSupply()"), calldata("deposit()")
MOST = (1 << 128) - 1
"""{wei} More than any coin has; what is wrapped must be there first."""


def weth_pool(native: Token, wrapped: Token) -> Pool:
    """Raises ValueError where the two do not count in the same units."""
    if not native.is_native or native.decimals != wrapped.decimals:
        raise ValueError(f"wrapped coin: expected {native.decimals} decimals of {native}, was {wrapped.decimals}")
    router = Router(KIND, wrapped.address)
    # Its calls carry no floor, and need none: there is nothing in between.
    return Pool(native.chain_id, KIND, wrapped.address, (native, wrapped), Fraction(0), wrapped.address, router)


@dataclass(frozen=True, slots=True)
class WethState:
    """A wrapped coin at one block; `supply` is all that can be unwrapped."""

    pool: Pool
    supply: int

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        side = self.side(sell.token, buy)
        found = side.out(sell.raw) if isinstance(side, Linear) else side
        return TokenAmount(buy, found) if isinstance(found, int) else found

    def in_for(self, buy: TokenAmount, sell: Token) -> TokenAmount | NoQuote:
        side = self.side(sell, buy.token)
        found = side.into(buy.raw) if isinstance(side, Linear) else side
        return TokenAmount(sell, found) if isinstance(found, int) else found

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        side = self.side(sell, buy)
        return Fraction(1) if isinstance(side, Linear) else side

    def side(self, sell: Token, buy: Token) -> Linear | NoQuote:
        if not self.pool.trades(sell, buy):
            return NoLiquidity(f"does not trade {sell.symbol} for {buy.symbol}")
        if sell.is_native:
            return Linear(1, 1, MOST, "2**128 - 1")
        return Linear(1, 1, self.supply, f"all {sell.symbol} that there is")


class Weth:
    """Venue of the wrapped native token."""

    def reads(self, pool: Pool, last: PoolState | None) -> tuple[Read, ...]:  # noqa: ARG002  always the same
        return (Read(pool.address, _SUPPLY),)

    def decode(self, pool: Pool, answers: Answers) -> WethState | Needs | Unusable:
        read = Read(pool.address, _SUPPLY)
        if read not in answers:
            return Needs((read,))
        answer = answers[read]
        if answer is None or len(answer) != WORD:
            return Unusable("totalSupply() does not answer")
        return WethState(pool, word(answer, 0))

    def encode(self, leg: OrderLeg, recipient: Address, deadline: int) -> Call:  # noqa: ARG002  whoever calls is paid
        """Raises ValueError where the leg is not one wrap or unwrap of something."""
        sell, wrapped = leg.leg.sell, leg.leg.pool.address
        if len(leg.leg.pools) != 1 or sell.raw <= 0:
            raise ValueError(f"{leg.leg.label}: expected more than 0 of one coin, was {sell.raw} raw")
        if sell.token.is_native:
            return Call(wrapped, _DEPOSIT, sell.raw, Purpose.WRAP, f"wrap {text.amount(sell)}")
        data = calldata("withdraw(uint256)", sell.raw)
        return Call(wrapped, data, 0, Purpose.UNWRAP, f"unwrap {text.amount(sell)}")
