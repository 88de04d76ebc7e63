"""Swaps of Balancer pools as cases: what the keeper quotes beside what the pool answers its Vault."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from keeper.core.abi import calldata, word
from keeper.core.chain import Read
from keeper.core.pools import NoQuote, Pool, PoolState
from keeper.core.units import Address, TokenAmount
from keeper.venues.balancer import Balancer as BalancerVenue
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_pin import StablePin, WeightedPin
from keeper.venues.balancer_stable_state import StableState
from keeper.venues.balancer_state import MAX_BALANCE
from keeper.venues.balancer_weighted import WeightedState
from tests.chain.balancer import Balancer, ask_pool, pin_balancer
from tests.chain.pools import observe

VENUE = BalancerVenue()
DECIMALS = (6, 6, 8, 11, 15, 18, 18, 18)
"""Of the tokens that pools are made of."""


def pool_at(balancer: Balancer, address: Address) -> Pool:
    """Pinned as whatever kind it is."""
    has_weights = balancer.node.calls([Read(address, calldata("getNormalizedWeights()"))]) != [None]
    return pin_balancer(balancer, WeightedPin() if has_weights else StablePin(), address)


def state_of(balancer: Balancer, address: Address) -> WeightedState | StableState:
    """Recognised and read anew."""
    state, follow_ups = observe(balancer.node, VENUE, pool_at(balancer, address))
    assert isinstance(state, WeightedState | StableState), state
    assert follow_ups == 0
    return state


@dataclass(frozen=True, slots=True)
class Case:
    state: WeightedState | StableState
    sold: int
    bought: int
    given_in: bool
    raw: int

    @property
    def quote(self) -> TokenAmount | NoQuote:
        sell, buy = self.state.pool.tokens[self.sold], self.state.pool.tokens[self.bought]
        if self.given_in:
            return self.state.out_for(TokenAmount(sell, self.raw), buy)
        return self.state.in_for(TokenAmount(buy, self.raw), sell)

    @property
    def read(self) -> Read:
        balances = self.state.balances
        return ask_pool(self.state.pool, self.sold, self.bought, self.given_in, self.raw, balances)


def _balances(dice: random.Random, state: PoolState, spread: float) -> tuple[int, ...]:
    """Around one value, `spread` magnitudes to each side; sometimes up to what the Vault holds at most."""
    size = dice.uniform(-3, 11 if dice.random() < 0.9 else 30)
    whole = [size + dice.uniform(-spread, spread) + token.decimals for token in state.pool.tokens]
    return tuple(min(max(int(10**exponent), 1), MAX_BALANCE) for exponent in whole)


def cases(states: Sequence[WeightedState | StableState], count: int, spreads: Sequence[float], seed: int) -> list[Case]:
    """Sizes from one raw unit to more than the pool holds."""
    dice = random.Random(seed)
    found = []
    for i in range(count):
        state = states[i % len(states)]
        held = _balances(dice, state, dice.choice(spreads))
        sold, bought = dice.sample(range(len(held)), 2)
        given_in = dice.random() < 0.6
        top = held[sold if given_in else bought]
        raw = int(top * 10 ** dice.uniform(-9, 0.1)) if dice.random() < 0.8 else int((top + 1) ** dice.random())
        found.append(Case(replace(state, balances=held), sold, bought, given_in, max(1, raw)))
    return found


def compare(balancer: Balancer, cases: Sequence[Case]) -> Counter[str]:
    """Every quote beside what the pool answers its Vault; what they were."""
    kinds: Counter[str] = Counter()
    answers = balancer.node.calls([case.read for case in cases], sender=balancer.vault)
    for case, answer in zip(cases, answers, strict=True):
        quote = case.quote
        if isinstance(quote, TokenAmount):
            assert answer is not None, (case, quote)
            assert quote.raw == word(answer, 0), (case, quote)
            kinds["in" if case.given_in else "out"] += 1
            kinds["to nothing"] += not quote.raw
        elif "2**112" in quote.reason:
            # The pool would, its Vault would not.
            kinds["too much for the Vault"] += 1
        else:
            assert answer is None, (case, quote, word(answer, 0))
            kinds["30 %" if "30 %" in quote.reason else type(quote).__name__] += 1
    return kinds


def agrees(balancer: Balancer, state: WeightedState | StableState) -> None:
    """Both ways and both kinds, a hundredth of a pool that holds a million of each."""
    held = tuple(10**24 * ONE // scale for scale in state.scales)
    filled = replace(state, balances=held)
    ways = [(0, 1), (1, 0)]
    cases = [Case(filled, sold, bought, True, held[sold] // 100) for sold, bought in ways]
    cases += [Case(filled, sold, bought, False, held[bought] // 100) for sold, bought in ways]
    kinds = compare(balancer, cases)
    assert (kinds["in"], kinds["out"]) == (2, 2), kinds
