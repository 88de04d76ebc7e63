from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.chain import Needs, Read, Unusable
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import NoLiquidity, NoQuote
from keeper.core.units import TokenAmount
from keeper.venues.slipstream import Slipstream
from keeper.venues.uniswap_v3 import UniswapV3
from keeper.venues.uniswap_v3_state import UniswapV3State
from tests.builders import ACCOUNT, NOW, address
from tests.unit.venues.test_uniswap_v3_state import look
from tests.unit.venues.v3_pools import ONE, ZERO, Chain, v3_pool, words

VENUE = Slipstream()
POOL = replace(v3_pool(), kind="slipstream")
PLAIN = Chain(POOL, 5, ((-600, 700, 10**18), (-100, 300, 10**18)))
FEE, SLOT0, _ = VENUE.reads(POOL, None)


def answer(reads: tuple[Read, ...], ppm: int = 500) -> dict[Read, bytes | None]:
    """As the same pool of Uniswap would, without slot0's sixth word."""
    found = PLAIN.answer([read for read in reads if read != FEE])
    if SLOT0 in found:
        found[SLOT0] = words(PLAIN.sqrt_price, PLAIN.tick, 0, 1, 1, PLAIN.unlocked)
    return found | {FEE: words(ppm)}


def state_at(ppm: int) -> UniswapV3State:
    reads = VENUE.reads(POOL, None)
    while isinstance(found := VENUE.decode(POOL, answer(reads, ppm)), Needs):
        reads += found.reads
    assert isinstance(found, UniswapV3State)
    return found


def quote(state: UniswapV3State) -> TokenAmount | NoQuote:
    return state.out_for(TokenAmount(ZERO, 10**16), ONE)


def test_state__at_the_pinned_fee__quotes_as_uniswap_v3() -> None:
    state, other = state_at(500), look(PLAIN, UniswapV3())
    assert (state.pool, quote(state)) == (POOL, quote(other))
    assert VENUE.reads(POOL, state)[0] == FEE
    assert VENUE.decode(POOL, answer(VENUE.reads(POOL, state))) == state


@pytest.mark.parametrize("ppm", [0, 100, 2_700, 30_000])
def test_state__after_the_fee_changed__quotes_with_the_fee_of_its_block(ppm: int) -> None:
    state = state_at(ppm)
    assert state.pool == replace(POOL, fee=Fraction(ppm, 10**6))
    assert quote(state) == quote(look(Chain(state.pool, PLAIN.tick, PLAIN.positions), UniswapV3()))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({FEE: None}, "fee() does not answer"),
        ({FEE: words(10**6)}, "fee: expected less than 1000000 ppm, was 1000000"),
        ({SLOT0: words(1, 2, 3, 4, 5)}, "slot0() does not answer"),
        ({SLOT0: words(PLAIN.sqrt_price, PLAIN.tick, 0, 1, 1, 0)}, "the pool is locked"),
    ],
)
def test_decode__of_a_wrong_answer__is_unusable(broken: dict[Read, bytes | None], reason: str) -> None:
    assert VENUE.decode(POOL, answer(VENUE.reads(POOL, state_at(500))) | broken) == Unusable(reason)


def test_decode__without_the_fee__asks_for_it() -> None:
    assert VENUE.decode(POOL, {}) == Needs(VENUE.reads(POOL, None))


def test_encode__a_swap__names_the_spacing() -> None:
    pool = replace(POOL, router=replace(POOL.router, kind="slipstream_router", address=address(0x3204)))
    floor = TokenAmount(ONE, 5)
    leg = OrderLeg(Leg((pool,), TokenAmount(ZERO, 7), floor, Fraction(1)), floor, TokenAmount.zero(ONE))
    call = VENUE.encode(leg, ACCOUNT, NOW)
    assert call.selector.hex() == "a026383e"
    assert int.from_bytes(call.data[4 + 64 : 4 + 96], "big") == POOL.spacing


def test_after__a_swap__is_not_told_because_the_fee_may_follow_the_price() -> None:
    assert isinstance(state_at(500).after(TokenAmount(ZERO, 10**16), ONE), NoLiquidity)
