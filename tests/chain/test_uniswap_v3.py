"""Quotes of UniswapV3State against QuoterV2 and the routers, over random pools, positions, directions and sizes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import pytest
from eth_abi.abi import decode

from keeper.core.abi import calldata
from keeper.core.chain import NoLiquidity, NoQuote, Pool, Read, Router, Unusable
from keeper.core.plan import Leg, OrderLeg
from keeper.core.ticks import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, get_sqrt_ratio_at_tick
from keeper.core.units import Token, TokenAmount
from keeper.venues.uniswap_v3 import ENOUGH, REACH, UniswapV3, UniswapV3Pin
from keeper.venues.uniswap_v3_state import WORD_BITS, UniswapV3State
from tests.chain.pools import CASES, observe, pin_pool
from tests.chain.uniswap import (
    SPACINGS,
    Deployment,
    Position,
    add_positions,
    balance,
    create_v3_pool,
    create_v3_pool_at,
    deploy_token,
    move_v3_pool,
    nearest_tick,
    position_around,
    swap_v3,
    v3_pool,
)

FOREVER = 1 << 40
DECIMALS = (0, 2, 6, 8, 18, 24)
QUOTE_IN = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
QUOTE_OUT = "quoteExactOutputSingle((address,address,uint256,uint24,uint160))"
ROUTES = "swap_router", "swap_router02"
NARROW = UniswapV3()
"""As the keeper reads."""


def _wide(spacing: int) -> UniswapV3:
    """Far enough to sell a pool out, except at spacing 1, where that would be 7,000 words."""
    reach = 200 * WORD_BITS if spacing == 1 else 2 * MAX_TICK
    return UniswapV3(reach, reach)


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


@pytest.fixture(scope="module")
def tokens(uniswap: Deployment) -> list[Token]:
    return [deploy_token(uniswap, f"V{decimals}", decimals) for decimals in DECIMALS]


def _random_positions(dice: random.Random, tick: int, spacing: int, count: int) -> list[Position]:
    """A thin one that spans many words, and others near the price: overlapping, adjacent, with gaps of whole words."""
    middle = tick // spacing
    size = 2 ** dice.uniform(50, 90)
    far = min(3_000, MAX_TICK // spacing - abs(middle) - 1)
    found = [Position((middle - far) * spacing, (middle + far) * spacing, int(size / 4))]
    for _ in range(count - 1):
        spread = dice.choice((8, 40, 300, 1_200))
        low = middle + dice.randint(-spread, spread)
        high = low + dice.choice((1, 3, 17, dice.randint(1, 600)))
        found.append(Position(low * spacing, high * spacing, max(10**4, int(size * 2 ** dice.uniform(-8, 4)))))
    return found


@pytest.fixture(scope="module")
def states(uniswap: Deployment, tokens: list[Token]) -> list[UniswapV3State]:
    """A pool of every pair of tokens, fees in turn, each read as the keeper does and again as far as its ends."""
    dice = random.Random(3)
    found = []
    pairs = [(one, other) for i, one in enumerate(tokens) for other in tokens[i + 1 :]]
    for i, (one, other) in enumerate(pairs):
        fee = list(SPACINGS)[i % len(SPACINGS)]
        # {raw per raw} as far from 1 as the tokens' decimals are, and a price within four magnitudes on top
        price = Fraction(int(10 ** dice.uniform(4, 8)), 10**6)
        address = create_v3_pool(uniswap, one, other, fee, price)
        kind = ROUTES[i % 2]
        router = Router(kind, uniswap.swap_router if kind == "swap_router" else uniswap.swap_router02)
        pool = pin_pool(uniswap.node, UniswapV3Pin(), address, tokens, router)
        sqrt = int.from_bytes(uniswap.node.call(address, calldata("slot0()"))[:32], "big")
        positions = _random_positions(dice, nearest_tick(sqrt), pool.spacing, 16 + 4 * i)
        add_positions(uniswap, one, other, fee, sqrt, positions)
        for venue in (NARROW, _wide(pool.spacing)):
            state, follow_ups = observe(uniswap.node, venue, pool)
            assert isinstance(state, UniswapV3State)
            assert follow_ups == 2
            found.append(state)
    return found


@pytest.fixture(scope="module")
def cases(uniswap: Deployment, states: list[UniswapV3State]) -> list[Case]:
    """Sizes from one raw unit to more than the pool holds, most of them near its end."""
    dice = random.Random(2021)
    held = {
        (state.pool.address, token): balance(uniswap.node, token, state.pool.address).raw
        for state in states
        for token in state.pool.tokens
    }
    cases = []
    for i in range(CASES):
        state = states[i % len(states)]
        sell, buy = state.pool.tokens if dice.random() < 0.5 else state.pool.tokens[::-1]
        exact_in = dice.random() < 0.6
        top = held[state.pool.address, buy]
        if exact_in:
            # {sell raw} that the pool's whole stock of `buy` costs at today's price
            price = Fraction(state.sqrt_price**2, 1 << 192)
            top = int(top / price if sell == state.pool.tokens[0] else top * price)
        raw = int(top * 10 ** dice.uniform(-5, 1)) if dice.random() < 0.8 else int((top + 1) ** dice.random())
        raw = max(1, raw)
        cases.append(Case(state, sell, buy, exact_in, raw))
    return cases


def _ask(uniswap: Deployment, cases: list[Case]) -> list[Told | None]:
    reads = []
    for case in cases:
        fee = int(case.state.pool.fee * 1_000_000)
        signature = QUOTE_IN if case.exact_in else QUOTE_OUT
        data = calldata(signature, (case.sell.address, case.buy.address, case.raw, fee, 0))
        reads.append(Read(uniswap.quoter, data))
    answers = uniswap.node.calls(reads)
    return [None if a is None else Told(*decode(["uint256", "uint160", "uint32"], a)) for a in answers]


@pytest.mark.fault("M18")
@pytest.mark.fault("M19")
def test_quote__of_random_cases__is_what_the_quoter_says(uniswap: Deployment, cases: list[Case]) -> None:
    kinds: Counter[str] = Counter()
    for case, told in zip(cases, _ask(uniswap, cases), strict=True):
        quote = case.quote
        if isinstance(quote, TokenAmount):
            assert told is not None, (case, quote)
            assert quote.raw == told.raw, (case, told)
            assert not told.is_partial, (case, told)
            kinds["in" if case.exact_in else "out"] += 1
            kinds["down" if case.is_down else "up"] += 1
            kinds["ten ticks"] += told.crossed >= 10
            kinds["thirty ticks"] += told.crossed >= 30
            kinds["empty word"] += _crosses_empty_word(case, told)
        else:
            assert isinstance(quote, NoLiquidity), (case, quote)
            kinds[_justify(case, quote, told)] += 1
    assert kinds["in"] + kinds["out"] > CASES // 2, kinds
    floors = {"in": 20, "out": 20, "down": 20, "up": 20, "ten ticks": 100, "thirty ticks": 200, "empty word": 100}
    for kind, part in (floors | {"not read": 50, "runs out": 80}).items():
        assert kinds[kind] >= CASES // part, kinds


def _crosses_empty_word(case: Case, told: Told) -> bool:
    """A whole bitmap word without a tick lies between the price before and after."""
    low, high = sorted((case.state.tick, nearest_tick(told.price)))
    span = WORD_BITS * case.state.pool.spacing
    return any(case.state.words.get(index) == 0 for index in range(low // span + 1, high // span))


def _justify(case: Case, quote: NoLiquidity, told: Told | None) -> str:
    """Why the keeper refuses must be seen in what the contract does."""
    if "runs out" in quote.reason:
        assert told is None or told.is_partial, (case, quote, told)
        return "runs out"
    assert "not read" in quote.reason, quote
    if told is not None and not told.is_partial:
        # A swap that the keeper did not read far enough for ends where it need not have read.
        assert abs(nearest_tick(told.price) - case.state.tick) >= ENOUGH, (case, quote, told)
    return "not read"


def test_swap__with_the_quote_as_floor__fills_and_one_more_reverts(uniswap: Deployment, cases: list[Case]) -> None:
    """Through both routers' own calldata, as the venue encodes it."""
    node = uniswap.node
    filled, refused, quotes = [], [], []
    for case in cases[: max(CASES // 3, 100)]:
        sell = TokenAmount(case.sell, case.raw)
        quote = case.state.out_for(sell, case.buy)
        if isinstance(quote, TokenAmount) and quote.raw and sell.raw < 1 << 200:
            quotes.append((case, quote.raw))
            for reads, more in ((filled, 0), (refused, 1)):
                floor = TokenAmount(case.buy, quote.raw + more)
                leg = OrderLeg(Leg(case.state.pool, sell, floor, Fraction(1)), floor, TokenAmount.zero(case.buy))
                call = NARROW.encode(leg, node.deployer, FOREVER)
                reads.append(Read(call.to, call.data))
    assert len(quotes) > CASES // 10
    routers: Counter[str] = Counter()
    for (case, expected), answer, more in zip(quotes, node.calls(filled), node.calls(refused), strict=True):
        assert answer is not None, case
        kind = case.state.pool.router.kind
        got = answer if kind == "swap_router" else decode(["bytes[]"], answer)[0][0]
        assert int.from_bytes(got, "big") == expected, case
        assert more is None, case
        routers[kind] += 1
    assert min(routers[kind] for kind in ROUTES) > 20, routers


def test_in_for__sold_exactly__brings_at_least_that(cases: list[Case]) -> None:
    tried = 0
    for case in cases:
        needed = case.quote
        if case.exact_in or not isinstance(needed, TokenAmount):
            continue
        brings = case.state.out_for(needed, case.buy)
        assert isinstance(brings, TokenAmount), case
        assert brings.raw >= case.raw, case
        tried += 1
    assert tried > CASES // 10


# --- what is read, from tick to tick -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Market:
    """A pool of 18 and 6 decimals at 3,000, in which somebody else trades."""

    uniswap: Deployment
    base: Token
    quote: Token
    pool: Pool

    def look(self, last: UniswapV3State | None) -> tuple[UniswapV3State, int]:
        state, follow_ups = observe(self.uniswap.node, NARROW, self.pool, last)
        assert isinstance(state, UniswapV3State)
        return state, follow_ups

    def move(self, price: Fraction | int) -> None:
        move_v3_pool(self.uniswap, self.base, self.quote, 500, Fraction(price))

    def add(self, around: int, width: int) -> None:
        """A position somewhere else than the price, so of one token alone."""
        state, _ = self.look(None)
        middle = (state.tick + around) // 10 * 10
        position = Position(middle - width, middle + width, state.liquidity // 100)
        add_positions(self.uniswap, self.base, self.quote, 500, state.sqrt_price, [position])


@pytest.fixture
def market(uniswap: Deployment) -> Market:
    base, quote = deploy_token(uniswap, "BASE", 18), deploy_token(uniswap, "QUOTE", 6)
    amounts = TokenAmount.from_whole(base, 1_000), TokenAmount.from_whole(quote, 3_000_000)
    positions = [position_around(*amounts, 500, Fraction(3_000), width) for width in (200, 900, 60_000)]
    address = create_v3_pool(uniswap, base, quote, 500, Fraction(3_000), positions)
    router = Router("swap_router", uniswap.swap_router)
    return Market(uniswap, base, quote, pin_pool(uniswap.node, UniswapV3Pin(), address, [base, quote], router))


def test_observe__of_a_known_pool__needs_nothing_more(market: Market) -> None:
    cold, follow_ups = market.look(None)
    assert follow_ups == 2
    steady, follow_ups = market.look(cold)
    assert follow_ups == 0
    assert steady == cold


@pytest.mark.parametrize("price", [3_030, 2_970, 3_140, 2_860])
def test_observe__after_the_price_moved_less_than_enough__needs_nothing_more(market: Market, price: int) -> None:
    before, _ = market.look(None)
    market.move(price)
    after, follow_ups = market.look(before)
    assert 90 < abs(after.tick - before.tick) < ENOUGH
    assert follow_ups == 0
    fresh, _ = market.look(None)
    for sell, buy in ((market.base, market.quote), (market.quote, market.base)):
        amount = TokenAmount.from_whole(sell, 20)
        assert after.out_for(amount, buy) == fresh.out_for(amount, buy)


def test_observe__after_others_added_ticks__needs_one_more_request(market: Market) -> None:
    before, _ = market.look(None)
    market.add(around=-200, width=50)
    after, follow_ups = market.look(before)
    assert follow_ups == 1
    assert len(after.nets) == len(before.nets) + 2
    assert market.look(after) == (after, 0)


def test_observe__after_others_added_ticks_beyond_enough__reads_them_next_time(market: Market) -> None:
    before, _ = market.look(None)
    market.add(around=(ENOUGH + REACH) // 2, width=50)
    after, follow_ups = market.look(before)
    assert (after.nets, follow_ups) == (before.nets, 0)
    later, follow_ups = market.look(after)
    assert follow_ups == 0
    assert len(later.nets) == len(after.nets) + 2


@pytest.mark.parametrize("price", [3_000 * 3, 1_000])
def test_observe__after_a_jump__needs_two_more_requests(market: Market, price: int) -> None:
    before, _ = market.look(None)
    market.move(price)
    after, follow_ups = market.look(before)
    assert abs(after.tick - before.tick) > 2 * REACH
    assert follow_ups <= 2
    assert after == market.look(None)[0]


@pytest.mark.fault("M12")
def test_pool__without_liquidity_at_its_price__gives_nothing(uniswap: Deployment) -> None:
    one, other = deploy_token(uniswap, "ONE"), deploy_token(uniswap, "OTHER")
    router = Router("swap_router", uniswap.swap_router)
    address = create_v3_pool_at(uniswap, one, other, 3_000, 1 << 96)
    pool = pin_pool(uniswap.node, UniswapV3Pin(), address, [one, other], router)
    for positions in ([], [Position(60, 120, 10**20)], [Position(-120, -60, 10**20)]):
        add_positions(uniswap, one, other, 3_000, 1 << 96, positions)
        state, _ = observe(uniswap.node, NARROW, pool)
        assert isinstance(state, UniswapV3State)
        for sell, buy in ((one, other), (other, one)):
            assert isinstance(state.out_for(TokenAmount(sell, 10**15), buy), NoLiquidity)
            assert isinstance(state.in_for(TokenAmount(buy, 10**15), sell), NoLiquidity)
            assert isinstance(state.marginal(sell, buy), NoLiquidity)


@pytest.mark.fault("M19")
def test_pool__asked_for_more_than_it_holds__refuses_what_the_router_fills_in_part(uniswap: Deployment) -> None:
    one, other = deploy_token(uniswap, "ONE"), deploy_token(uniswap, "OTHER")
    address = create_v3_pool_at(uniswap, one, other, 3_000, 1 << 96, [Position(-600, 600, 10**20)])
    router = Router("swap_router", uniswap.swap_router)
    pool = pin_pool(uniswap.node, UniswapV3Pin(), address, [one, other], router)
    state, _ = observe(uniswap.node, _wide(60), pool)
    assert isinstance(state, UniswapV3State)
    for sell, buy in ((one, other), (other, one)):
        cases = [Case(state, sell, buy, exact_in, 10**20) for exact_in in (True, False)]
        filled, wanted = _ask(uniswap, cases)
        assert filled is not None
        assert filled.is_partial
        assert wanted is None
        for case in cases:
            assert isinstance(case.quote, NoLiquidity)
            assert "runs out of liquidity" in case.quote.reason


def test_pool__before_its_first_price__is_unusable(uniswap: Deployment) -> None:
    one, other = deploy_token(uniswap, "ONE"), deploy_token(uniswap, "OTHER")
    data = calldata("createPool(address,address,uint24)", one.address, other.address, 3_000)
    uniswap.node.send(uniswap.v3_factory, data)
    address = v3_pool(uniswap, one, other, 3_000)
    pool = pin_pool(uniswap.node, UniswapV3Pin(), address, [one, other], Router("swap_router", uniswap.swap_router))
    assert observe(uniswap.node, NARROW, pool) == (Unusable("the pool has no price yet"), 0)


def test_state__after_swaps_that_end_on_a_tick__still_quotes_as_the_quoter(market: Market) -> None:
    """A price exactly on an initialised tick belongs to the range below it after a fall, above it after a rise."""
    state, _ = market.look(None)
    down, up = max(t for t in state.nets if t <= state.tick), min(t for t in state.nets if t > state.tick)
    token0, token1 = market.pool.tokens
    for sell, tick in ((token0, down), (token1, up)):
        buy = token1 if sell == token0 else token0
        swap_v3(market.uniswap, TokenAmount(sell, 1 << 120), buy, 500, get_sqrt_ratio_at_tick(tick))
        state, _ = market.look(None)
        assert state.sqrt_price == get_sqrt_ratio_at_tick(tick)
        assert state.tick == (tick - 1 if sell == token0 else tick)
        pairs = ((token0, token1), (token1, token0))
        cases = [Case(state, *pair, exact_in, 10**9) for pair in pairs for exact_in in (True, False)]
        for case, told in zip(cases, _ask(market.uniswap, cases), strict=True):
            assert told is not None
            assert case.quote == TokenAmount(case.buy if case.exact_in else case.sell, told.raw)


def test_pin__of_something_else__is_none(uniswap: Deployment, tokens: list[Token]) -> None:
    pin = UniswapV3Pin()
    for address in (tokens[0].address, uniswap.swap_router, uniswap.v3_factory):
        reads = pin.reads(address)
        assert pin.pin(address, dict(zip(reads, uniswap.node.calls(reads), strict=True))) is None
