from __future__ import annotations

from itertools import pairwise

import pytest

from keeper.core.chain import History, PastTrade, VaultView
from keeper.core.verdicts import Allow, Deny
from keeper.guards import CoolDown, MaxTrade, MaxTrades, MaxTurnover
from tests.builders import NOW, make_view, usd
from tests.unit.guards.orders import trade

DAY = 86_400


def after(*trades: tuple[int, int]) -> VaultView:
    """A view with these past trades: (seconds ago, USD)."""
    past = tuple(PastTrade(NOW - ago, usd(worth), usd(1)) for ago, worth in trades)
    return make_view(history=History(trades=past))


def test_max_trade__too_large__denies_with_both_figures() -> None:
    verdict = MaxTrade(usd(40_000)).check(trade(), make_view())
    assert isinstance(verdict, Deny)
    assert verdict.reason == "the trade is too large: $47,018.96 measured, $40,000.00 allowed"


def test_max_trade__half_of_the_limit__says_how_much_is_used() -> None:
    verdict = MaxTrade(usd("94037.92")).check(trade(), make_view())
    assert verdict.used is not None
    assert abs(verdict.used * 2 - 1) < 10**-6


@pytest.mark.parametrize(
    ("most", "limit", "for_people"),
    [("47000", 100_000, True), ("47018.96", 40_000, False), ("50000", 100_000, None), ("47000", 47_010, False)],
)
def test_max_trade__above_what_the_key_does_alone__is_for_people_unless_it_is_too_large_for_anybody(
    most: str, limit: int, for_people: bool | None
) -> None:
    verdict = MaxTrade(usd(limit), usd(most)).check(trade(), make_view())
    assert (verdict.for_people if isinstance(verdict, Deny) else None) is for_people
    if for_people:
        assert isinstance(verdict, Deny)
        assert verdict.reason == "people sign what is worth more than $47,000.00: $47,018.96"


@pytest.mark.fault("M20")
def test_max_turnover__earlier_trades__count_while_in_the_window() -> None:
    # The vault is worth two million: 47,019 + 153,000 is just above 10 % of it.
    assert isinstance(MaxTurnover(1000).check(trade(), after((DAY - 1, 153_000))), Deny)
    assert isinstance(MaxTurnover(1000).check(trade(), after((DAY, 153_000))), Allow)
    assert isinstance(MaxTurnover(1000).check(trade(), after((3600, 152_900))), Allow)


def test_max_turnover__denied__says_share_and_window() -> None:
    verdict = MaxTurnover(1000).check(trade(), after((60, 200_000)))
    assert (verdict.measured, verdict.limit) == ("12.35 %", "10.00 % per 1d")


@pytest.mark.fault("M20")
@pytest.mark.parametrize(("ago", "allowed"), [(299, False), (300, True), (301, True), (-5, False)])
def test_cool_down__time_since_the_last_trade__decides(ago: int, allowed: bool) -> None:
    assert isinstance(CoolDown(300).check(trade(), after((5000, 1), (ago, 1))), Allow) == allowed


def test_cool_down__too_soon__says_when_it_clears() -> None:
    verdict = CoolDown(300).check(trade(), after((120, 1)))
    assert isinstance(verdict, Deny)
    assert verdict.reason == "the last trade was 2m ago, at least 5m required"
    assert verdict.remedy == "It clears itself in 3m."


@pytest.mark.fault("M20")
def test_max_trades__this_one_included__is_counted() -> None:
    two = after((60, 1), (DAY - 1, 1), (DAY + 1, 1))
    assert isinstance(MaxTrades(3).check(trade(), two), Allow)
    verdict = MaxTrades(2).check(trade(), two)
    assert isinstance(verdict, Deny)
    assert verdict.reason == "too many trades: 3 with this one measured, 2 per 1d allowed"


@pytest.mark.fault("S24")
def test_limits__somebody_donates_every_minute_to_provoke_trades__all_three_limits_hold() -> None:
    limits = CoolDown(600), MaxTrades(12), MaxTurnover(1_000)
    made: list[int] = []
    for now in range(0, 3 * DAY, 60):
        view = after(*((now - at, 20_000) for at in made if now - at <= DAY))
        if all(isinstance(limit.check(trade(), view), Allow) for limit in limits):
            made.append(now)
    assert made, "it still trades"
    assert min(later - at for at, later in pairwise(made)) >= 600
    busiest = max(sum(at <= other < at + DAY for other in made) for at in made)
    # {USD} 20,000 a trade, of 200,000 that may be turned over in a day; the one that is asked for counts 47,019.
    assert busiest == (200_000 - 47_019) // 20_000 + 1
