"""Questions to the real QuoterV2."""

from __future__ import annotations

from collections.abc import Sequence

from eth_abi.abi import decode

from keeper.core.abi import calldata
from keeper.core.chain import Read
from tests.chain.uniswap import Deployment
from tests.chain.v3_cases import Case, Told

QUOTE_IN = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
QUOTE_OUT = "quoteExactOutputSingle((address,address,uint256,uint24,uint160))"


def ask(uniswap: Deployment, cases: Sequence[Case]) -> list[Told | None]:
    reads = []
    for case in cases:
        fee = int(case.state.pool.fee * 1_000_000)
        signature = QUOTE_IN if case.exact_in else QUOTE_OUT
        data = calldata(signature, (case.sell.address, case.buy.address, case.raw, fee, 0))
        reads.append(Read(uniswap.quoter, data))
    answers = uniswap.node.calls(reads)
    return [None if a is None else Told(*decode(["uint256", "uint160", "uint32"], a)) for a in answers]
