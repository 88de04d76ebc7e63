"""One swap after another in the same pool on real bytecode: `PoolState.after`, which is never corrected by a read,
beside what the contracts hold and pay.

    kinds = walk(node, UniswapV2(), state, count=100, seed=1)
"""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import NoQuote, PoolState
from keeper.core.ports import Venue
from keeper.core.units import TokenAmount
from keeper.venues.balancer_state import BalancerState
from keeper.venues.erc4626 import Erc4626State
from keeper.venues.uniswap_v2 import UniswapV2State
from keeper.venues.uniswap_v3_side import Ladder
from keeper.venues.uniswap_v3_state import UniswapV3State
from tests.chain.node import Node
from tests.chain.pools import CASES, observe
from tests.chain.uniswap import balance

FOREVER = 1 << 40
SWAPS = max(CASES // 20, 100)
"""Of each family."""
_PUSH = 0.97
"""Sales go up to where the next unit brings so much less, and a little further."""


def told(state: PoolState) -> object:
    """What the contract says of itself."""
    match state:
        case UniswapV2State():
            return state.reserves
        case UniswapV3State():
            return state.sqrt_price, state.tick, state.liquidity
        case BalancerState():
            return state.balances
        case Erc4626State():
            return state.shares, state.assets, state.supply
    raise AssertionError(state)


def walk(node: Node, venue: Venue, state: PoolState, count: int, seed: int) -> Counter[str]:
    """So many swaps, each foreseen from what the one before was said to leave behind."""
    dice, kinds = random.Random(seed), Counter[str]()
    for _ in range(count):
        sell, buy = dice.sample(state.pool.tokens, 2)
        side = state.side(sell, buy)
        if isinstance(side, NoQuote):
            kinds["no side"] += 1
            continue
        if isinstance(state, Erc4626State):
            top = (state.assets if sell == state.pool.tokens[0] else state.supply) / 3
        else:
            top = side.sold_at(side.slope(0.0) * _PUSH)
        raw = max(1, int(top * 10 ** dice.uniform(-5, 0.1)))
        if isinstance(side, Ladder) and dice.random() < 0.4:
            # Just to the edge of a range, and one unit to each side of it.
            rungs = [paid for paid in side.paid if 1 < paid < 2 * top]
            raw = dice.choice(rungs) + dice.randint(-1, 1) if rungs else raw
            kinds["edge"] += raw in rungs
        sold = TokenAmount(sell, raw)
        quote, after = state.out_for(sold, buy), state.after(sold, buy)
        if not isinstance(quote, TokenAmount) or isinstance(after, NoQuote):
            kinds["refused"] += 1
            continue
        leg = OrderLeg(Leg((state.pool,), sold, quote, Fraction(1)), quote, TokenAmount.zero(buy))
        call, before = venue.encode(leg, node.deployer, FOREVER), balance(node, buy, node.deployer)
        node.send(call.to, call.data)
        assert balance(node, buy, node.deployer) - before == quote, (state, sold)
        seen, _ = observe(node, venue, state.pool, state)
        assert not hasattr(seen, "reason"), seen
        assert told(after) == told(seen), (state, sold)  # type: ignore[arg-type]
        state = after
        kinds["swaps"] += 1
    return kinds
