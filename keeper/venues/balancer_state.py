"""What all Balancer V2 pools have in common at one block: balances in the Vault, scaling, the fee, and who refuses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from keeper.core.pools import LimitExceeded, NoLiquidity, NoQuote, Paused, Pool
from keeper.core.units import Token, TokenAmount
from keeper.venues.balancer_fixed import ONE, div_down, div_up, less_fee, mul_down, plus_fee
from keeper.venues.balancer_traits import AS_CACHED, PROVIDER, RATES

MAX_BALANCE = (1 << 112) - 1
"""The Vault keeps a pool's balances in uint112 and refuses to hold more."""


@dataclass(frozen=True, slots=True)
class BalancerState:
    """A pool at one block. `balances` are raw and in the order of `pool.tokens`, without the pool's own token.

    `scales` {1e18} make 18 decimals of raw amounts, and of a token with a rate its underlying. `fee` {1e18} is that of
    the block, and `pool.fee` says the same. Quotes are what the Vault answers to `swap` of the same kind.
    """

    pool: Pool
    balances: tuple[int, ...]
    scales: tuple[int, ...]
    fee: int
    paused: str
    scaled: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Balances fit 112 bits and rates 96: no product leaves a word.
        found = [raw * scale // ONE for raw, scale in zip(self.balances, self.scales, strict=True)]
        object.__setattr__(self, "scaled", tuple(found))

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        """What a swap GIVEN_IN returns."""
        if refusal := self.refusal(sell.token, buy):
            return refusal
        tokens = self.pool.tokens
        found = self.out_raw(tokens.index(sell.token), tokens.index(buy), sell.raw)
        return TokenAmount(buy, found) if isinstance(found, int) else found

    def in_for(self, buy: TokenAmount, sell: Token) -> TokenAmount | NoQuote:
        """What a swap GIVEN_OUT takes. Both directions round against the trader, so that selling exactly this may
        bring less than `buy`, by the last digits of the pool's own arithmetic."""
        if refusal := self.refusal(sell, buy.token):
            return refusal
        tokens = self.pool.tokens
        found = self.in_raw(tokens.index(sell), tokens.index(buy.token), buy.raw)
        return TokenAmount(sell, found) if isinstance(found, int) else found

    def after(self, sell: TokenAmount, buy: Token) -> Self | NoQuote:
        """The fee stays in the balances: what a pool owes its protocol it pays when somebody joins or leaves."""
        found = self.out_for(sell, buy)
        if not isinstance(found, TokenAmount):
            return found
        if _reads_rates_late(self.pool):
            return NoLiquidity("its first swap may read a rate anew, and the next one goes by that")
        moves = {sell.token: sell.raw, buy: -found.raw}
        balances = (raw + moves.get(token, 0) for token, raw in zip(self.pool.tokens, self.balances, strict=True))
        return replace(self, balances=tuple(balances))

    def refusal(self, sell: Token, buy: Token) -> NoQuote | None:
        """Why this pool trades none of this pair at all."""
        if not self.pool.trades(sell, buy):
            return NoLiquidity(f"does not trade {sell.symbol} for {buy.symbol}")
        if self.paused:
            return Paused(self.paused)
        return None if all(self.scaled) else NoLiquidity("the pool is empty on one side")

    def out_raw(self, sold: int, bought: int, amount: int) -> int | NoQuote:
        """The same for tokens by their indices."""
        if amount <= 0:
            return LimitExceeded(f"amount: expected more than 0, was {amount}")
        if self.balances[sold] + amount > MAX_BALANCE:
            return self._too_much(sold)
        try:
            given = mul_down(less_fee(amount, self.fee), self.scales[sold])
            return div_down(self.given_in(sold, bought, given), self.scales[bought])
        except ArithmeticError as error:
            return LimitExceeded(f"{amount} raw: {error}")

    def in_raw(self, sold: int, bought: int, amount: int) -> int | NoQuote:
        if amount <= 0:
            return LimitExceeded(f"amount: expected more than 0, was {amount}")
        if amount >= self.balances[bought]:
            symbol = self.pool.tokens[bought].symbol
            return NoLiquidity(f"the pool holds {self.balances[bought]} raw {symbol}, wanted {amount}")
        try:
            found = self.given_out(sold, bought, mul_down(amount, self.scales[bought]))
            needed = plus_fee(div_up(found, self.scales[sold]), self.fee)
        except ArithmeticError as error:
            return LimitExceeded(f"{amount} raw: {error}")
        return self._too_much(sold) if self.balances[sold] + needed > MAX_BALANCE else needed

    def given_in(self, sold: int, bought: int, amount: int) -> int:
        """Scaled amounts, without fee. Raises ArithmeticError where the pool would revert."""
        raise NotImplementedError

    def given_out(self, sold: int, bought: int, amount: int) -> int:
        raise NotImplementedError

    def _too_much(self, sold: int) -> LimitExceeded:
        return LimitExceeded(f"the Vault would hold more than 2**112 - 1 raw {self.pool.tokens[sold].symbol}")


def _reads_rates_late(pool: Pool) -> bool:
    names = dict(pool.details)
    return names.get(RATES) == AS_CACHED and any(name.startswith(PROVIDER) for name in names)
