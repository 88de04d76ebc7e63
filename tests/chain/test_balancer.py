"""Quotes of Balancer V2 pools against their own bytecode and their Vault: every generation, over random weights,
amplifications, rates, balances, directions and sizes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import pytest
from eth_abi.abi import decode

from keeper.core.abi import calldata, word
from keeper.core.chain import LimitExceeded, NoLiquidity, NoQuote, Paused, PoolState, Read
from keeper.core.plan import Leg, OrderLeg
from keeper.core.units import Address, Token, TokenAmount
from keeper.local.anvil import run_anvil
from keeper.venues.balancer import Balancer as BalancerVenue
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_pin import DRAINED, StablePin, WeightedPin
from keeper.venues.balancer_stable_state import StableState
from keeper.venues.balancer_state import MAX_BALANCE
from keeper.venues.balancer_weighted import WeightedState
from tests.chain.balancer import (
    NOBODY,
    PAIRS,
    STABLE,
    WEIGHTED,
    Balancer,
    ask_pool,
    ask_vault,
    deploy_balancer,
    in_order,
    join,
    new_launch,
    new_rate,
    new_stable,
    new_token,
    new_weighted,
    pin_balancer,
    set_rate,
)
from tests.chain.node import Node, NodeError
from tests.chain.pools import CASES, observe
from tests.chain.uniswap import balance

VENUE = BalancerVenue()
FOREVER = 1 << 40
HOUR = 3_600
DECIMALS = (6, 6, 8, 11, 15, 18, 18, 18)
SOME_WEIGHTS = ((50, 50), (80, 20), (20, 80), (1, 99), (99, 1), (20, 40, 40), (10, 40, 20, 30))
"""{%} The first ones have exponents 1, 4, 1/4, 99 and 2 in some direction."""
EACH = 7
"""Pools of a generation."""


@pytest.fixture(scope="module")
def balancer() -> Iterator[Balancer]:
    """On a node of its own, whose time the tests move."""
    with run_anvil(options=["--gas-limit", "1000000000"]) as running:
        yield deploy_balancer(Node(running.url))


@pytest.fixture(scope="module")
def tokens(balancer: Balancer) -> list[Token]:
    return in_order([new_token(balancer, f"B{i}", decimals) for i, decimals in enumerate(DECIMALS)])


def _fee(dice: random.Random) -> int:
    """{1e18} From 0.0001 % to 10 %, the bounds included."""
    return dice.choice((10**12, 3 * 10**15, 10**17, int(10 ** dice.uniform(12, 17))))


@pytest.fixture(scope="module")
def weighted(balancer: Balancer, tokens: list[Token]) -> dict[str, list[WeightedState]]:
    """By generation: weights that are shortcuts, extreme ones, and random ones of up to 8 tokens."""
    dice = random.Random(80)
    found: dict[str, list[WeightedState]] = {}
    for generation in WEIGHTED:
        choices = [list(parts) for parts in SOME_WEIGHTS if len(parts) == 2 or generation not in PAIRS]
        while len(choices) < EACH + 2:
            n = 2 if generation in PAIRS else dice.randint(2, 8)
            # {0.1 %} Cut anywhere, but leave each token 1 % at least.
            cuts = sorted(dice.sample(range(1, 1_000 - 10 * n), n - 1))
            edges = [0, *cuts, 1_000 - 10 * n]
            choices.append([Fraction(b - a + 10, 10) for a, b in pairwise(edges)])
        for parts in choices:
            chosen = in_order(dice.sample(tokens, len(parts)))
            shares = [int(Fraction(part) * ONE / 100) for part in parts]
            address = new_weighted(balancer, generation, chosen, shares, _fee(dice))
            state, _ = observe(balancer.node, VENUE, pin_balancer(balancer, WeightedPin(), address))
            assert isinstance(state, WeightedState)
            found.setdefault(generation, []).append(state)
    return found


@pytest.fixture(scope="module")
def stable(balancer: Balancer, tokens: list[Token]) -> dict[str, list[StableState]]:
    """By generation: 2 to 5 tokens, amplification from 1 to 5,000, rates where that generation has them."""
    dice = random.Random(5000)
    found: dict[str, list[StableState]] = {}
    for generation in STABLE:
        for i in range(EACH):
            # A phantom pool counts its own token among the 5 that it may have.
            most = 2 if generation in PAIRS or i == 0 else 4 if generation == "phantom 2021" else 5
            chosen = in_order(dice.sample(tokens, dice.randint(2, most)))
            amp = (1, 5_000)[i] if i < 2 else int(10 ** dice.uniform(0, 3.69))
            rates = [] if generation.startswith("stable") else [_rate(balancer, dice) for _ in chosen]
            address = new_stable(balancer, generation, chosen, amp, _fee(dice), rates, [FOREVER >> 16] * len(rates))
            state, _ = observe(balancer.node, VENUE, pin_balancer(balancer, StablePin(), address))
            assert isinstance(state, StableState)
            assert state.amp == amp * 1_000
            found.setdefault(generation, []).append(state)
    return found


def _rate(balancer: Balancer, dice: random.Random) -> Address:
    return NOBODY if dice.random() < 0.25 else new_rate(balancer, int(10 ** dice.uniform(17.5, 19)))


# --- the pool's own arithmetic ---------------------------------------------------------------------------------------


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


def _cases(
    states: Sequence[WeightedState | StableState], count: int, spreads: Sequence[float], seed: int
) -> list[Case]:
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


def _compare(balancer: Balancer, cases: Sequence[Case]) -> Counter[str]:
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


@pytest.mark.parametrize("generation", WEIGHTED)
def test_weighted__random_cases__are_what_the_pool_says(
    balancer: Balancer, weighted: dict[str, list[WeightedState]], generation: str
) -> None:
    count = max(CASES // 4, 250)
    kinds = _compare(balancer, _cases(weighted[generation], count, (0.5, 3.0, 8.0), seed=30))
    assert min(kinds["in"], kinds["out"]) > count // 5, kinds
    assert kinds["30 %"] > count // 50, kinds


@pytest.mark.parametrize("generation", STABLE)
def test_stable__random_cases__are_what_the_pool_says(
    balancer: Balancer, stable: dict[str, list[StableState]], generation: str
) -> None:
    count = max(CASES // 4, 250)
    kinds = _compare(balancer, _cases(stable[generation], count, (0.1, 1.0, 4.0, 9.0), seed=50))
    assert min(kinds["in"], kinds["out"]) > count // 8, kinds
    assert kinds["LimitExceeded"] + kinds["NoLiquidity"] > count // 20, kinds


def test_power__exponents_1_2_and_4__differ_between_generations(weighted: dict[str, list[WeightedState]]) -> None:
    """The old margin is charged where the new pools multiply: the same pool gives less."""
    old = next(state for state in weighted["2021"] if state.weights == (ONE // 2, ONE // 2))
    same = replace(old, balances=(10**30, 10**30), scales=(ONE, ONE))
    sell = TokenAmount(old.pool.tokens[0], 10**24)
    gives = [replace(same, short=short).out_for(sell, old.pool.tokens[1]) for short in (False, True)]
    assert all(isinstance(each, TokenAmount) for each in gives)
    assert gives[0].raw < gives[1].raw  # type: ignore[union-attr]


# --- what changes under a pool -------------------------------------------------------------------------------------


def _state(balancer: Balancer, address: Address) -> WeightedState | StableState:
    """Recognised and read anew."""
    kind = WeightedPin() if _is_weighted(balancer, address) else StablePin()
    state, follow_ups = observe(balancer.node, VENUE, pin_balancer(balancer, kind, address))
    assert isinstance(state, WeightedState | StableState), state
    assert follow_ups == 0
    return state


def _is_weighted(balancer: Balancer, address: Address) -> bool:
    return balancer.node.calls([Read(address, calldata("getNormalizedWeights()"))]) != [None]


def _later(node: Node, seconds: int) -> None:
    node.rpc("evm_increaseTime", hex(seconds))
    node.rpc("evm_mine")


def _agrees(balancer: Balancer, state: WeightedState | StableState) -> None:
    """Both ways and both kinds, a hundredth of a pool that holds a million of each."""
    held = tuple(10**24 * ONE // scale for scale in state.scales)
    filled = replace(state, balances=held)
    ways = [(0, 1), (1, 0)]
    cases = [Case(filled, sold, bought, True, held[sold] // 100) for sold, bought in ways]
    cases += [Case(filled, sold, bought, False, held[bought] // 100) for sold, bought in ways]
    kinds = _compare(balancer, cases)
    assert (kinds["in"], kinds["out"]) == (2, 2), kinds


@pytest.mark.parametrize("generation", ["meta 2021", "phantom 2021", "composable 2022", "composable 2023"])
def test_rate__once_its_cache_has_expired__is_the_one_that_the_swap_goes_by(
    balancer: Balancer, tokens: list[Token], generation: str
) -> None:
    """A swap refreshes an expired rate before it trades; a phantom pool only once it has scaled the amounts."""
    chosen = tokens[:2]
    providers = [new_rate(balancer, ONE * 11 // 10), new_rate(balancer, ONE * 12 // 10)]
    address = new_stable(balancer, generation, chosen, 200, 10**14, providers, [HOUR, 10 * HOUR])
    units = [10 ** (18 - token.decimals) for token in chosen]

    def rates() -> list[Fraction]:
        state = _state(balancer, address)
        _agrees(balancer, state)
        return [Fraction(scale, unit * ONE) for scale, unit in zip(state.scales, units, strict=True)]

    assert rates() == [Fraction(11, 10), Fraction(12, 10)]
    for provider, rate in zip(providers, (13, 14), strict=True):
        set_rate(balancer, provider, ONE * rate // 10)
    assert rates() == [Fraction(11, 10), Fraction(12, 10)]
    _later(balancer.node, 2 * HOUR)
    first = Fraction(11 if generation.startswith("phantom") else 13, 10)
    assert rates() == [first, Fraction(12, 10)]


@pytest.mark.parametrize("generation", ["stable 2021", "composable 2023"])
def test_amplification__under_a_ramp__is_that_of_the_block(
    balancer: Balancer, tokens: list[Token], generation: str
) -> None:
    node = balancer.node
    address = new_stable(balancer, generation, tokens[2:5], 200, 10**14)
    now = int(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    node.send(address, calldata("startAmplificationParameterUpdate(uint256,uint256)", 400, now + 48 * HOUR))
    _later(node, 24 * HOUR)
    state = _state(balancer, address)
    assert isinstance(state, StableState)
    assert 299_000 < state.amp < 301_000
    _agrees(balancer, state)


def test_fee__that_its_owner_changed__is_that_of_the_block(balancer: Balancer, tokens: list[Token]) -> None:
    address = new_weighted(balancer, "2023", tokens[:2], [ONE // 2, ONE // 2], 10**15)
    pool = pin_balancer(balancer, WeightedPin(), address)
    balancer.node.send(address, calldata("setSwapFeePercentage(uint256)", 42_500_000_000_000))
    state, _ = observe(balancer.node, VENUE, pool)
    assert isinstance(state, WeightedState)
    assert (pool.fee, state.pool.fee) == (Fraction(1, 1_000), Fraction(425, 10**7))
    _agrees(balancer, state)


@pytest.mark.parametrize("generation", ["2021", "2023", "phantom 2021", "composable 2023"])
def test_pool__paused__gives_nothing_and_reverts(balancer: Balancer, tokens: list[Token], generation: str) -> None:
    node = balancer.node
    if generation in WEIGHTED:
        address = new_weighted(balancer, generation, tokens[:2], [ONE // 2, ONE // 2], 10**15)
    else:
        address = new_stable(balancer, generation, tokens[:2], 200, 10**15)
    _agrees(balancer, _state(balancer, address))
    old = generation.endswith("2021")
    node.send(address, calldata("setPaused(bool)", True) if old else calldata("pause()"))
    state = _state(balancer, address)
    sell, buy = state.pool.tokens
    assert state.out_for(TokenAmount(sell, 1_000), buy) == Paused("the pool is paused")
    assert state.in_for(TokenAmount(buy, 1_000), sell) == Paused("the pool is paused")
    assert state.marginal(sell, buy) == state.side(sell, buy) == Paused("the pool is paused")
    read = ask_pool(state.pool, 0, 1, True, 10**6, (10**10, 10**10))
    assert node.calls([read], sender=balancer.vault) == [None]


def test_vault__paused__stops_every_pool(balancer: Balancer, tokens: list[Token]) -> None:
    address = new_weighted(balancer, "2023", tokens[:2], [ONE // 2, ONE // 2], 10**15)
    snapshot = balancer.node.rpc("evm_snapshot")
    balancer.node.send(balancer.vault, calldata("setPaused(bool)", True))
    state = _state(balancer, address)
    assert state.out_for(TokenAmount(tokens[0], 1_000), tokens[1]) == Paused("the Vault is paused")
    assert balancer.node.rpc("evm_revert", snapshot)


# --- through the Vault -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market(balancer: Balancer, tokens: list[Token]) -> dict[str, Address]:
    """Pools with deposits, each of which shares a token with the next: 0/1/2, 1/2/3, 3/4, 4/5, 5/6/7."""
    dice = random.Random(7)
    rates = [new_rate(balancer, ONE * 105 // 100), NOBODY, new_rate(balancer, ONE * 9 // 10)]
    third = [ONE * part // 100 for part in (20, 40, 40)]
    found = {
        "weighted old": new_weighted(balancer, "2021", tokens[:3], third, 3 * 10**15),
        "weighted new": new_weighted(balancer, "2023", tokens[1:4], third, 10**16),
        "pair": new_weighted(balancer, "2021 pair", tokens[3:5], [ONE * 4 // 5, ONE // 5], 25 * 10**14),
        "stable": new_stable(balancer, "stable 2021", tokens[4:6], 500, 10**14),
        "composable": new_stable(balancer, "composable 2023", tokens[5:8], 300, 4 * 10**14, rates, [0, 0, HOUR]),
    }
    for address in found.values():
        pool = pin_balancer(balancer, WeightedPin() if _is_weighted(balancer, address) else StablePin(), address)
        join(balancer, pool, [int(10 ** (token.decimals + dice.uniform(5.8, 6.2))) for token in pool.tokens])
    return found


def _along(states: Sequence[WeightedState | StableState], path: Sequence[Token], raw: int) -> TokenAmount | NoQuote:
    amount = TokenAmount(path[0], raw)
    for state, buy in zip(states, path[1:], strict=True):
        quote = state.out_for(amount, buy)
        if not isinstance(quote, TokenAmount):
            return quote
        amount = quote
    return amount


def _order(states: Sequence[WeightedState | StableState], path: Sequence[Token], raw: int, floor: int) -> OrderLeg:
    out = TokenAmount(path[-1], floor)
    pools = tuple(state.pool for state in states)
    leg = Leg(pools, TokenAmount(path[0], raw), out, Fraction(1), tuple(path[1:-1]))
    return OrderLeg(leg, out, TokenAmount.zero(path[-1]))


def test_swap__through_the_vault__fills_at_the_quote_and_one_more_reverts(
    balancer: Balancer, market: dict[str, Address]
) -> None:
    """Each pool moves under its swaps, so that every next quote is of another state."""
    node, dice = balancer.node, random.Random(12)
    for address in market.values():
        for _ in range(6):
            state = _state(balancer, address)
            sell, buy = dice.sample(state.pool.tokens, 2)
            raw = int(state.balances[state.pool.tokens.index(sell)] * 10 ** dice.uniform(-4, -1.2))
            quote = state.out_for(TokenAmount(sell, raw), buy)
            assert isinstance(quote, TokenAmount), quote
            asked = node.call(balancer.vault, ask_vault([state.pool], [sell, buy], True, raw).data)
            assert decode(["int256[]"], asked)[0] == (raw, -quote.raw)
            wanted = state.in_for(quote, sell)
            assert isinstance(wanted, TokenAmount), wanted
            asked = node.call(balancer.vault, ask_vault([state.pool], [sell, buy], False, quote.raw).data)
            assert decode(["int256[]"], asked)[0] == (wanted.raw, -quote.raw)
            before = balance(node, buy, node.deployer)
            greedy = VENUE.encode(_order([state], [sell, buy], raw, quote.raw + 1), node.deployer, FOREVER)
            with pytest.raises(NodeError, match="BAL#507"):
                node.call(greedy.to, greedy.data)
            call = VENUE.encode(_order([state], [sell, buy], raw, quote.raw), node.deployer, FOREVER)
            node.send(call.to, call.data)
            assert balance(node, buy, node.deployer) - before == quote


@pytest.mark.parametrize(
    ("hops", "at"),
    [
        (["weighted old", "weighted new"], [0, 1, 3]),
        (["pair", "stable", "composable"], [3, 4, 5, 7]),
        (["composable", "stable", "pair", "weighted new", "weighted old"], [6, 5, 4, 3, 2, 0]),
    ],
)
def test_batch_swap__along_several_pools__fills_at_the_quote_and_one_more_reverts(
    balancer: Balancer, market: dict[str, Address], tokens: list[Token], hops: list[str], at: list[int]
) -> None:
    node, path = balancer.node, [tokens[i] for i in at]
    states = [_state(balancer, market[hop]) for hop in hops]
    raw = 1_234 * 10 ** path[0].decimals
    quote = _along(states, path, raw)
    assert isinstance(quote, TokenAmount), quote
    asked = node.call(balancer.vault, ask_vault([state.pool for state in states], path, True, raw).data)
    assert decode(["int256[]"], asked)[0] == (raw, *[0] * (len(path) - 2), -quote.raw)
    greedy = VENUE.encode(_order(states, path, raw, quote.raw + 1), node.deployer, FOREVER)
    with pytest.raises(NodeError, match="BAL#507"):
        node.call(greedy.to, greedy.data)
    before = {token: balance(node, token, node.deployer) for token in path}
    call = VENUE.encode(_order(states, path, raw, quote.raw), node.deployer, FOREVER)
    node.send(call.to, call.data)
    gained = [balance(node, token, node.deployer) - before[token] for token in path]
    assert [each.raw for each in gained] == [-raw, *[0] * (len(path) - 2), quote.raw]


def test_swap__past_its_deadline__reverts(balancer: Balancer, market: dict[str, Address]) -> None:
    state = _state(balancer, market["pair"])
    call = VENUE.encode(_order([state], state.pool.tokens, 10**6, 1), balancer.node.deployer, 1)
    with pytest.raises(NodeError, match="BAL#508"):
        balancer.node.call(call.to, call.data)


# --- recognising -----------------------------------------------------------------------------------------------------


def test_pin__of_something_else__is_none(balancer: Balancer, market: dict[str, Address], tokens: list[Token]) -> None:
    launch = new_launch(balancer, tokens[:2], [ONE // 2, ONE // 2], 10**16)
    others = [tokens[0].address, balancer.vault, balancer.fees, launch]
    for pin, addresses in (
        (WeightedPin(), [*others, market["stable"], market["composable"]]),
        (StablePin(), [*others, market["weighted old"], market["weighted new"], market["pair"]]),
    ):
        for address in addresses:
            reads = pin.reads(address)
            assert pin.pin(address, dict(zip(reads, balancer.node.calls(reads), strict=True))) is None


def test_pin__of_a_composable_pool__leaves_its_own_token_out_and_warns(
    balancer: Balancer, market: dict[str, Address], tokens: list[Token]
) -> None:
    pool = pin_balancer(balancer, StablePin(), market["composable"])
    assert pool.tokens == tuple(tokens[5:8])
    assert pool.router == pool.router.__class__("balancer_vault", balancer.vault)
    state = _state(balancer, market["composable"])
    own = Token(pool.chain_id, pool.address, "own", 18)
    assert isinstance(state.out_for(TokenAmount(tokens[5], 10**6), own), NoLiquidity)
    answers: dict[Read, bytes | None] = {}
    reads: tuple[Read, ...] = StablePin().reads(pool.address)
    for _ in range(3):
        answers |= zip(reads, balancer.node.calls(reads), strict=True)
        facts = StablePin().pin(pool.address, answers)
        reads = getattr(facts, "reads", ())
    assert DRAINED in getattr(facts, "warning", "")


def test_pool__that_nobody_joined__is_empty(balancer: Balancer, tokens: list[Token]) -> None:
    address = new_stable(balancer, "composable 2023", tokens[:2], 200, 10**15)
    state = _state(balancer, address)
    assert isinstance(state.out_for(TokenAmount(tokens[0], 1_000), tokens[1]), NoLiquidity)


def test_sell__above_the_limit__is_refused_as_the_vault_refuses_it(
    balancer: Balancer, market: dict[str, Address]
) -> None:
    """`most` of a side is the last amount that the pool takes."""
    for name in ("weighted old", "weighted new", "pair"):
        state = _state(balancer, market[name])
        sell, buy = state.pool.tokens[:2]
        side = state.side(sell, buy)
        most = getattr(side, "most", 0)
        for raw, fits in ((most, True), (most + 1, False)):
            quote = state.out_for(TokenAmount(sell, raw), buy)
            read = ask_vault([state.pool], [sell, buy], True, raw)
            assert isinstance(quote, TokenAmount if fits else LimitExceeded)
            assert (balancer.node.calls([read]) != [None]) == fits
