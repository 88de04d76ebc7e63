from fractions import Fraction

import pytest
from eth_abi.abi import encode

from keeper.chain.reading.twap import SLOT0, TwapSource
from keeper.core.abi import calldata
from keeper.core.chain import Read, Reading, Unusable
from keeper.core.ticks import ratio_at_tick
from keeper.core.units import Token
from tests.builders import CHAIN, NOW, address
from tests.unit.chain.fake_node import words

POOL = address(0x9001)
WINDOW = 1_800
COIN = Token(CHAIN, address(0x10), "COIN", 18)
CASH = Token(CHAIN, address(0x20), "CASH", 6)
LIQUIDITY = 10**18
SOURCE = TwapSource("twap30m", POOL, COIN, CASH, WINDOW, min_liquidity=10**15, min_cardinality=10)


def answers(
    tick_seconds: int, liquidity: int = LIQUIDITY, cardinality: int = 50, start: int = 10**9
) -> dict[Read, bytes | None]:
    seconds = (WINDOW << 128) // liquidity
    observed = encode(
        ["int56[]", "uint160[]"], [[start, start + tick_seconds], [2**160 - 1, (2**160 - 1 + seconds) % 2**160]]
    )
    return {
        Read(POOL, calldata("observe(uint32[])", [WINDOW, 0])): observed,
        Read(POOL, SLOT0): words(1, 2, 3, cardinality, 5, 6, 1),
    }


@pytest.mark.fault("M7")
@pytest.mark.parametrize(
    ("tick_seconds", "tick"),
    [
        (-196_000 * WINDOW, -196_000),
        (-196_000 * WINDOW - 1, -196_001),  # towards minus infinity, as OracleLibrary has it
        (-196_000 * WINDOW + 1, -196_000),
        (5 * WINDOW + WINDOW - 1, 5),
    ],
)
def test_price__of_cumulative_ticks__is_the_mean_over_the_window(tick_seconds: int, tick: int) -> None:
    reading = SOURCE.price(answers(tick_seconds), NOW)
    assert isinstance(reading, Reading)
    assert reading.price.ratio == ratio_at_tick(tick) * 10**12  # {CASH / COIN} from {CASH raw / COIN raw}
    assert reading.age is None


def test_price__of_the_other_token__is_the_inverse() -> None:
    turned = TwapSource("twap30m", POOL, CASH, COIN, WINDOW)
    one, other = SOURCE.price(answers(-196_000 * WINDOW), NOW), turned.price(answers(-196_000 * WINDOW), NOW)
    assert isinstance(one, Reading)
    assert isinstance(other, Reading)
    assert one.price.ratio * other.price.ratio == 1
    assert 3000 < one.price.ratio < 3200


@pytest.mark.fault("M7")
def test_price__after_one_manipulated_block__hardly_moves() -> None:
    # 12 of 1,800 seconds at ten times the price (23,027 ticks): the geometric mean moves by 1.5 %.
    calm, moved = (SOURCE.price(answers(seconds), NOW) for seconds in (0, 12 * 23_027))
    assert isinstance(calm, Reading)
    assert isinstance(moved, Reading)
    assert moved.price.ratio / calm.price.ratio < Fraction(102, 100)


@pytest.mark.fault("M8")
def test_price__where_it_is_cheap_to_move_or_too_young__is_unusable() -> None:
    fine = answers(0)
    observe, slot0 = fine
    cases = [
        (answers(0, cardinality=1), "keeps 1 observations, expected at least 10"),
        (answers(0, liquidity=10**14), "mean liquidity: expected at least 1000000000000000, was 1"),
        (fine | {observe: None}, "its observations do not reach 1800 s back"),
        (fine | {observe: b""}, "observe() answered something else"),
        (fine | {observe: encode(["int56[]", "uint160[]"], [[1], [1]])}, "observe() answered something else"),
        (fine | {slot0: None}, "does not answer"),
        (answers(900_000 * WINDOW), "average tick 900000 is out of range"),
    ]
    for given, reason in cases:
        found = SOURCE.price(given, NOW)
        assert isinstance(found, Unusable)
        assert found.reason.startswith("twap30m: ")
        assert reason in found.reason


def test_source__without_a_window__cannot_be_made() -> None:
    with pytest.raises(ValueError, match="window"):
        TwapSource("spot", POOL, COIN, CASH, 0)
