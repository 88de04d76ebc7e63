from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.reading.prices import FixedSource, PriceRule, ProductSource, combine
from keeper.core.chain import Answers, MarketPrice, Read, Reading, Unusable
from keeper.core.units import USD, Price
from tests.builders import ETH, NOW, WETH, address, token

WSTETH = token("wstETH")


class Says:
    """A source with a fixed opinion."""

    def __init__(self, opinion: Reading | Unusable, *reads: Read) -> None:
        self.opinion, self._reads = opinion, reads

    def reads(self) -> tuple[Read, ...]:
        return self._reads

    def price(self, answers: Answers, now: int) -> Reading | Unusable:
        return self.opinion


def reading(
    ratio: Fraction | int | str, name: str = "a", age: int | None = None, max_age: int | None = None
) -> Reading:
    return Reading(name, Price(WETH, USD, Fraction(ratio)), age, max_age)


def rule(need: int = 1, apart: int = 500, low: int | None = None, high: int | None = None) -> PriceRule:
    return PriceRule((), need, apart, None if low is None else Fraction(low), None if high is None else Fraction(high))


@pytest.mark.parametrize(
    ("ratios", "mid"),
    [
        (["3000"], "3000"),
        (["3010", "3000"], "3010"),  # the first declared
        (["3000", "3010"], "3000"),
        (["3010", "3000", "3005"], "3005"),  # the median
        (["3010", "3000", "3005", "3006"], "3005.5"),
    ],
)
def test_combine__of_usable_sources__takes_mid_and_keeps_the_extremes(ratios: list[str], mid: str) -> None:
    found = combine(WETH, rule(), [reading(ratio) for ratio in ratios])
    assert isinstance(found, MarketPrice)
    assert found.mid.ratio == Fraction(mid)
    assert (found.low.ratio, found.high.ratio) == (min(map(Fraction, ratios)), max(map(Fraction, ratios)))
    assert len(found.readings) == len(ratios)


def test_combine__for_native_coin__speaks_of_native_coin() -> None:
    found = combine(ETH, rule(), [reading(3000)])
    assert isinstance(found, MarketPrice)
    assert found.token == found.mid.base == ETH


@pytest.mark.fault("M6")
def test_combine__sources_too_far_apart__is_unusable_with_both_figures() -> None:
    found = combine(WETH, rule(apart=100), [reading(3000, "chainlink"), reading(3031, "twap30m")])
    assert found == Unusable("sources are 103.3 bps apart, 100 allowed: chainlink 3,000, twap30m 3,031")
    assert isinstance(combine(WETH, rule(apart=100), [reading(3000), reading(3030)]), MarketPrice)


@pytest.mark.fault("M3")
@pytest.mark.parametrize(
    ("ratio", "reason"),
    [(9, "price 9 is below its sane minimum of 10"), (101, "price 101 is above its sane maximum of 100")],
)
def test_combine__outside_the_sane_range__is_unusable(ratio: int, reason: str) -> None:
    assert combine(WETH, rule(low=10, high=100), [reading(ratio)]) == Unusable(reason)


def test_combine__one_source_outside_the_sane_range__spoils_all() -> None:
    assert isinstance(combine(WETH, rule(low=10, high=100), [reading(100), reading(101)]), Unusable)


@pytest.mark.fault("M1")
def test_combine__too_few_usable__tells_why_each_is_not() -> None:
    found = combine(WETH, rule(need=2), [reading(1), Unusable("b: stale"), Unusable("c: empty")])
    assert found == Unusable("b: stale; c: empty")
    assert combine(WETH, rule(need=2), [reading(1)]) == Unusable("1 price sources, 2 needed")
    assert combine(WETH, rule(need=0), []) == Unusable("0 price sources, 1 needed")


@given(st.lists(st.integers(1, 10**30), min_size=1, max_size=7))
def test_combine__any_prices__mid_lies_between_the_extremes(figures: list[int]) -> None:
    found = combine(WETH, rule(apart=10**40), [reading(Fraction(figure, 10**8)) for figure in figures])
    assert isinstance(found, MarketPrice)
    assert found.low.ratio <= found.mid.ratio <= found.high.ratio


def test_product__of_two__multiplies_and_is_as_stale_as_its_worst() -> None:
    rate = Reading("rate", Price(WSTETH, WETH, Fraction("1.2")), 80_000, 90_000)
    product = ProductSource("wstETH/ETH × ETH/USD", (Says(rate), Says(reading(3000, "eth", 3500, 3900))))
    found = product.price({}, NOW)
    assert found == Reading("wstETH/ETH × ETH/USD", Price(WSTETH, USD, Fraction(3600)), 3500, 3900)


def test_product__of_ageless_sources__has_no_age() -> None:
    product = ProductSource("p", (FixedSource("f", Price(WSTETH, WETH, Fraction(1))), Says(reading(3000))))
    assert product.price({}, NOW) == Reading("p", Price(WSTETH, USD, Fraction(3000)))


def test_product__with_an_unusable_factor__is_unusable() -> None:
    product = ProductSource("p", (Says(reading(1)), Says(Unusable("f: 4000 s old, allowed 3900 s"))))
    assert product.price({}, NOW) == Unusable("p: f: 4000 s old, allowed 3900 s")


def test_reads__of_a_rule__are_asked_once() -> None:
    one, other = Read(address(1), b"a"), Read(address(2), b"b")
    product = ProductSource("p", (Says(reading(1), one, other), Says(reading(1), one)))
    assert PriceRule((product, Says(reading(1), other))).reads() == (one, other)
