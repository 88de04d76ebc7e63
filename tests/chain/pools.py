"""Pools as the keeper comes to know them: pinned and decoded from a node's own answers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from keeper.core.chain import Needs, Read, Unusable
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import Pool, PoolState, Router
from keeper.core.ports import PoolFacts, PoolPin, Venue
from keeper.core.units import Address, Token, TokenAmount
from tests.chain.node import Node

CASES = int(os.environ.get("KEEPER_CASES", "2000"))
FEW = CASES // 4 if "KEEPER_CASES" in os.environ else 300
"""Of a fork of what all cases are run for."""


def pin_pool(
    node: Node, pin: PoolPin, address: Address, tokens: Sequence[Token], router: Router, fee_ppm: int = 3_000
) -> Pool:
    """What `pin` recognises at `address`, traded at `router` where it names none itself. `fee_ppm` serves pairs, which
    cannot tell theirs."""
    answers: dict[Read, bytes | None] = {}
    facts: PoolFacts | Needs | None = Needs(pin.reads(address))
    while isinstance(facts, Needs):
        answers |= zip(facts.reads, node.calls(facts.reads), strict=True)
        facts = pin.pin(address, answers)
    assert facts is not None, f"no pool at {address}"
    known = {token.address: token for token in tokens}
    fee = Fraction(fee_ppm if facts.fee_ppm is None else facts.fee_ppm, 1_000_000)
    pair = tuple(known[token] for token in facts.tokens)
    return Pool(
        node.chain_id,
        facts.kind,
        address,
        pair,
        fee,
        facts.factory,
        facts.router or router,
        spacing=facts.spacing,
        details=facts.details,
    )


def observe(node: Node, venue: Venue, pool: Pool, last: PoolState | None = None) -> tuple[PoolState | Unusable, int]:
    """The pool's state at the head and how many follow-ups that took."""
    reads = venue.reads(pool, last)
    answers = dict(zip(reads, node.calls(reads), strict=True))
    follow_ups = 0
    while isinstance(found := venue.decode(pool, answers), Needs):
        assert follow_ups < 3, "the venue never has enough"
        answers |= zip(found.reads, node.calls(found.reads), strict=True)
        follow_ups += 1
    return found, follow_ups


def along(states: Sequence[PoolState], sell: TokenAmount, tokens: Sequence[Token]) -> OrderLeg:
    """A leg through these pools, with its quote as the floor."""
    amount = sell
    for state, buy in zip(states, tokens, strict=True):
        found = state.out_for(amount, buy)
        assert isinstance(found, TokenAmount), found
        amount = found
    leg = Leg(tuple(state.pool for state in states), sell, amount, Fraction(1), tuple(tokens[:-1]))
    return OrderLeg(leg, amount, TokenAmount.zero(amount.token))


def gas_of_one_more(
    node: Node, venue: Venue, states: Sequence[PoolState], sell: TokenAmount, way: Sequence[Token]
) -> int:
    """{gas} What the second of two pools adds to a swap, once both have been traded in."""

    def used(pools: int) -> int:
        leg = along(states[:pools], sell, way[:pools])
        call = venue.encode(replace(leg, quote_floor=TokenAmount(leg.leg.buy, 1)), node.deployer, 1 << 40)
        return int(node.send(call.to, call.data)["gasUsed"], 16)

    _, (one, two) = ([used(1), used(2)] for _ in range(2))
    return two - one
