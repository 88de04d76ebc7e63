from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.breakers.prices import Depeg, PriceJump
from keeper.core.chain import History, PastSample, VaultView
from keeper.core.latches import Latch, Rearm
from tests.builders import DAI, USDC, WETH, make_view, market, usd

NOW = make_view().block.timestamp
REARM = Rearm(3_600)


def priced(apart: int = 0, **prices: str) -> VaultView:
    """A view whose tokens have these prices, with sources `apart` bps from each other."""
    tokens = {"WETH": WETH, "USDC": USDC, "DAI": DAI}
    return replace(make_view(), prices={tokens[name]: market(tokens[name], mid, apart) for name, mid in prices.items()})


@pytest.mark.fault("M10")
@pytest.mark.parametrize(
    ("mid", "apart", "trips"),
    [
        ("1", 0, False),
        ("0.9801", 0, False),
        ("0.98", 0, True),
        ("1.02", 0, True),
        ("1.0199", 0, False),
        ("0.99", 250, True),  # the lowest source is at 0.9776: one that is right is enough to stop
    ],
)
def test_depeg__at_its_limit_by_any_source__trips(mid: str, apart: int, trips: bool) -> None:
    found = Depeg({USDC: Fraction(1)}, 200, REARM).trip(priced(apart, USDC=mid))
    assert (found is not None) is trips
    if found:
        assert (found.breaker, found.rearm) == ("depeg", REARM)
        assert "from its peg of $1, limit 200 bps" in found.reason


def test_depeg__of_a_token_without_a_peg_here__never_trips() -> None:
    assert Depeg({USDC: Fraction(1)}, 200).trip(priced(WETH="3000", DAI="0.5")) is None


def sampled(at: int, price: str) -> History:
    return History(samples=(PastSample(at, usd(100), ((WETH, Fraction(price)),)),))


@pytest.mark.parametrize(
    ("price", "ago", "trips"),
    [
        ("2500", 1_800, True),
        ("2500.01", 1_800, False),
        ("3750", 1_800, True),
        ("3749", 3_600, False),
        ("2000", 3_601, False),
    ],
)
def test_price_jump__against_samples_within_its_window__trips_at_its_limit(price: str, ago: int, trips: bool) -> None:
    view = replace(priced(WETH="3000"), history=sampled(NOW - ago, price))
    found = PriceJump(2_000, 3_600).trip(view)
    assert (found is not None) is trips
    if found:
        assert "$3,000.00 in 30m, " in found.reason
        assert found.reason.startswith("WETH: $") and found.reason.endswith(" 2000 bps")


def test_price_jump__seen_before_the_last_latch_or_clear__is_no_new_evidence() -> None:
    history = sampled(NOW - 1_800, "2000")
    view = replace(priced(WETH="3000"), history=history)
    assert PriceJump(2_000, 3_600).trip(view)
    for seen in ({"cleared": (("price_jump", NOW - 60),)}, {"latches": (Latch("price_jump", NOW - 60),)}):
        assert PriceJump(2_000, 3_600).trip(replace(view, history=replace(history, **seen))) is None
    other = replace(history, cleared=(("loss", NOW - 60),))
    assert PriceJump(2_000, 3_600).trip(replace(view, history=other))
