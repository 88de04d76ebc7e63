"""A proposal as the journal would give it back: sell 1 WETH out of a Safe, at its nonce 7."""

from __future__ import annotations

from keeper.core.calls import Call, Purpose
from keeper.core.proposals import Fate
from keeper.core.records import NewIntent, NewProposal, Proposal
from keeper.core.sending import Expectation
from keeper.custody.multi_send import CALL, Operation
from keeper.custody.proposing import SafeOwners
from tests.builders import CHAIN, NOW, USDC, V2_ROUTER, WETH, address, expected_swap, units

SAFE = address(0x5AFE)
EXPECT = Expectation((expected_swap(units(WETH, 1), units(USDC, 3_000), units(USDC, 2_980), (3_000, "1", "1")),))


def make_proposal(
    number: int = 1, fate: Fate = Fate.OPEN, hash_: str = "0x" + "ab" * 32, ended_at: int | None = None
) -> Proposal:
    inner = Call(V2_ROUTER.address, b"swap", 0, Purpose.SWAP, "sell 1 WETH", units(WETH, 1))
    data = SafeOwners(SAFE).seal(Operation(inner.to, 0, inner.data, CALL))
    outer = Call(SAFE, data, 0, Purpose.SWAP, "Safe → sell 1 WETH", inner=(inner,))
    new = NewIntent("treasury", 12, CHAIN, SAFE, SAFE, outer, 0, NOW + 86_400, (), NOW, EXPECT, "m of n must sign")
    return Proposal(number, NewProposal(new, 7, hash_, 1_000), fate, "", ended_at)
