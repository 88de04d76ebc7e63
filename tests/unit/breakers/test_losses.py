from dataclasses import replace

import pytest

from keeper.breakers.losses import Drawdown, Loss, compute_value
from keeper.core.chain import History, PastSample, PastTrade, Unusable
from tests.builders import WETH, make_view, usd

VIEW = make_view()
NOW = VIEW.block.timestamp
VALUE = compute_value(VIEW)
assert VALUE is not None


def lost(*losses: tuple[int, str]) -> History:
    """Trades so many seconds ago, each with what others took."""
    return History(trades=tuple(PastTrade(NOW - ago, usd(1_000), usd(0), lost=usd(taken)) for ago, taken in losses))


def test_loss__summed_within_its_window__trips_at_its_share_of_the_vault() -> None:
    at = VALUE.raw * 10 // 10_000
    trade = lambda raw, ago: PastTrade(NOW - ago, usd(1_000), usd(0), lost=replace(usd(0), raw=raw))  # noqa: E731
    half, rest = at // 2, at - at // 2
    inside = History(trades=(trade(half, 80_000), trade(rest, 10)))
    found = Loss(10, 86_400).trip(replace(VIEW, history=inside))
    assert found
    assert "worse than their quotes within 1d: 10 bps of the vault, limit 10 bps" in found.reason
    less = History(trades=(trade(half, 80_000), trade(rest - 1, 10)))
    assert Loss(10, 86_400).trip(replace(VIEW, history=less)) is None
    older = History(trades=(trade(half, 86_400), trade(rest, 10)))
    assert Loss(10, 86_400).trip(replace(VIEW, history=older)) is None


def test_loss__gains_make_up_for_it_and_a_clear_forgets_it() -> None:
    deep = VALUE.raw
    trade = lambda raw, ago: PastTrade(NOW - ago, usd(1_000), usd(0), lost=replace(usd(0), raw=raw))  # noqa: E731
    history = History(trades=(trade(deep, 500), trade(-deep, 400)))
    assert Loss(10, 86_400).trip(replace(VIEW, history=history)) is None
    bad = History(trades=(trade(deep, 500),))
    assert Loss(10, 86_400).trip(replace(VIEW, history=bad))
    assert Loss(10, 86_400).trip(replace(VIEW, history=replace(bad, cleared=(("loss", NOW - 499),)))) is None


@pytest.mark.parametrize(("above", "ago", "trips"), [(1112, 60, True), (1111, 60, False), (9_000, 86_401, False)])
def test_drawdown__below_the_highest_of_its_window__trips_at_its_limit(above: int, ago: int, trips: bool) -> None:
    """A tenth below the peak: the peak is 11.11… % above the value of now."""
    peak = replace(VALUE, raw=VALUE.raw * (10_000 + above) // 10_000)
    history = History(samples=(PastSample(NOW - ago, peak, ()), PastSample(NOW - 30, VALUE, ())))
    assert (Drawdown(1_000, 86_400).trip(replace(VIEW, history=history)) is not None) is trips


def test_breakers_of_value__a_price_is_missing__do_not_guess() -> None:
    view = replace(VIEW, prices={**VIEW.prices, WETH: Unusable("stale")})
    assert compute_value(view) is None
    history = replace(lost((60, "1000000")), samples=(PastSample(NOW - 60, usd(10**9), ()),))
    assert Loss(10, 86_400).trip(replace(view, history=history)) is None
    assert Drawdown(10, 86_400).trip(replace(view, history=history)) is None
