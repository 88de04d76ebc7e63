"""Questions to the real QuoterV2 beside the keeper's own quotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import decode

from keeper.core.abi import calldata
from keeper.core.chain import Read
from keeper.core.pools import NoQuote
from keeper.core.ticks import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from keeper.core.units import Token, TokenAmount
from keeper.venues.uniswap_v3_state import UniswapV3State
from tests.chain.uniswap import Deployment

QUOTE_IN = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
QUOTE_OUT = "quoteExactOutputSingle((address,address,uint256,uint24,uint160))"


@dataclass(frozen=True)
class Case:
    state: UniswapV3State
    sell: Token
    buy: Token
    exact_in: bool
    raw: int

    @property
    def quote(self) -> TokenAmount | NoQuote:
        if self.exact_in:
            return self.state.out_for(TokenAmount(self.sell, self.raw), self.buy)
        return self.state.in_for(TokenAmount(self.buy, self.raw), self.sell)

    @property
    def is_down(self) -> bool:
        return self.sell == self.state.pool.tokens[0]


@dataclass(frozen=True)
class Told:
    """QuoterV2's answer: the other amount, the price after, and how many initialised ticks were crossed."""

    raw: int
    price: int
    crossed: int

    @property
    def is_partial(self) -> bool:
        return self.price in (MIN_SQRT_RATIO + 1, MAX_SQRT_RATIO - 1)


def ask(uniswap: Deployment, cases: Sequence[Case]) -> list[Told | None]:
    reads = []
    for case in cases:
        fee = int(case.state.pool.fee * 1_000_000)
        signature = QUOTE_IN if case.exact_in else QUOTE_OUT
        data = calldata(signature, (case.sell.address, case.buy.address, case.raw, fee, 0))
        reads.append(Read(uniswap.quoter, data))
    answers = uniswap.node.calls(reads)
    return [None if a is None else Told(*decode(["uint256", "uint160", "uint32"], a)) for a in answers]
