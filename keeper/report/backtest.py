"""`keeper backtest` and `keeper advise` in words: what each policy did on the same prices, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from rich.text import Text

from keeper.core.backtests import Backtest, Fill, Ride
from keeper.core.units import WHOLE_BPS, TokenAmount
from keeper.report import format as form
from keeper.report.page import DIM, GOOD, STRONG, Page, columns

AVERSION = Fraction(3)
"""What the total is counted with: an investor of average caution (MATH 1)."""
_HEAD = ("policy", "trades", "turnover", "fee", "basis", "impact", "gas", "cost", "error", "total", "outside")
_UNITS = "Trades and turnover a year; costs and error in bps of the vault a year. total = 3/2 error² + cost."
_PARTS = ("fee", "basis", "impact", "gas")
FILL_COLUMNS = ("time", "sold", "token_sold", "got", "token_got", "value_usd", *(f"{part}_usd" for part in _PARTS))


def render_backtest(found: Backtest) -> Page:
    page = Page()
    head(page, found, "with its own guards; rules of thumb have none")
    page.blank()
    page.extend(columns([_row(ride, own=ride is found.own) for ride in found.rides], "lrrrrrrrrrr", _HEAD))
    page.blank()
    page.add((f"{_UNITS} outside: share of the time left outside the band.", DIM))
    _refusals(page, found.own)
    return page


def head(page: Page, found: Backtest, guards: str) -> None:
    own = found.own
    weights = " · ".join(
        f"{token.symbol} {form.short_percent(target)}"
        for token, target in zip(found.tokens, found.targets, strict=True)
    )
    page.add((found.vault, STRONG), f"  {weights}")
    years = f"{form.rounded(own.years, 2)} years from {form.clock(found.start)} UTC"
    page.label("prices", f"{found.source}: {years}, every {form.age(found.step)}")
    page.label("market", found.market)
    page.label("policy", f"{own.said}; {guards}")


def _row(ride: Ride, *, own: bool) -> list[Text | str]:
    style = STRONG if own else ""
    return [Text(cell, style) for cell in (ride.policy, *figures(ride))]


def figures(ride: Ride) -> list[str]:
    """The cells of a row, after the policy's name."""
    parts = [bps(ride, ride.costs[part]) for part in _PARTS]
    return [
        form.rounded(ride.trades_a_year, 1),
        form.percent(ride.a_year(ride.traded) * WHOLE_BPS),
        *parts,
        bps(ride, ride.cost),
        form.rounded(Fraction(ride.tracking_error) * WHOLE_BPS, 1),
        form.rounded(ride.total(AVERSION) * WHOLE_BPS, 1),
        form.percent(Fraction(ride.outside) * WHOLE_BPS),
    ]


def bps(ride: Ride, amount: TokenAmount) -> str:
    return form.rounded(ride.a_year(amount) * WHOLE_BPS, 2)


def _refusals(page: Page, own: Ride) -> None:
    if not own.refused:
        return
    page.blank()
    page.add("Looks at which it wanted to trade and did not:")
    for reason, count in own.refused.items():
        page.label(reason, f"{count:,}", indent=2, width=24)


# --- advice ----------------------------------------------------------------------------------------------------------


def render_advice(found: Backtest) -> Page:
    """The choices, the best first; the first ride is the configuration as it is."""
    page = Page()
    head(page, found, "every choice has the vault's guards")
    ranked = rank(found.rides)
    best = ranked[0]
    page.blank()
    rows: list[list[Text | str]] = []
    for ride in ranked:
        style = GOOD if ride is best else STRONG if ride is found.own else ""
        rows.append([Text(cell, style) for cell in (ride.policy, ride.said, *_short(ride))])
    page.extend(columns(rows, "llrrrrr", ("choice", "", "trades", "cost", "error", "total", "$ a year")))
    page.blank()
    page.add((_UNITS, DIM))
    page.blank()
    page.add(*advice(found))
    return page


def advice(found: Backtest) -> tuple[str | tuple[str, str], ...]:
    """One sentence: what to choose, and what that would have saved."""
    best, own = rank(found.rides)[0], found.own
    if best is own:
        return (("Leave it as it is", GOOD), ": no other choice would have cost less on these prices.")
    saved = (own.total(AVERSION) - best.total(AVERSION)) * WHOLE_BPS
    worth = form.usd((own.total(AVERSION) - best.total(AVERSION)) * own.mean_value.whole)
    return (
        (f"Choose {best.said}", GOOD),
        f". As configured, cost and tracking loss were {form.rounded(saved, 1)} bps a year higher ({worth}).",
    )


def rank(rides: Sequence[Ride]) -> list[Ride]:
    return sorted(rides, key=lambda ride: ride.total(AVERSION))


def _short(ride: Ride) -> list[str]:
    trades, *_, cost, error, total, _ = figures(ride)
    return [trades, cost, error, total, form.usd(ride.total(AVERSION) * ride.mean_value.whole)]


# --- for machines ----------------------------------------------------------------------------------------------------


def record(found: Backtest) -> dict[str, Any]:
    return {
        "vault": found.vault,
        "prices": found.source,
        "market": found.market,
        "start": form.utc(found.start),
        "step": found.step,
        "targets_bps": {t.symbol: target for t, target in zip(found.tokens, found.targets, strict=True)},
        "policies": [_record(ride) for ride in found.rides],
    }


def _record(ride: Ride) -> dict[str, Any]:
    share = {part: form.decimal(ride.a_year(amount) * WHOLE_BPS) for part, amount in ride.costs.items()}
    return {
        "policy": ride.policy,
        "settings": ride.said,
        "years": form.decimal(ride.years),
        "trades": len(ride.fills),
        "turnover_bps_a_year": form.decimal(ride.a_year(ride.traded) * WHOLE_BPS),
        "cost_bps_a_year": form.decimal(ride.a_year(ride.cost) * WHOLE_BPS),
        "cost_parts_bps_a_year": share,
        "tracking_error_bps": ride.tracking_error * WHOLE_BPS,
        "total_bps_a_year": form.decimal(ride.total(AVERSION) * WHOLE_BPS),
        "outside": ride.outside,
        "end_usd": form.decimal(ride.end.whole),
        "refused": dict(ride.refused),
    }


def fill_rows(fills: Sequence[Fill]) -> list[Mapping[str, str]]:
    """Trades for spreadsheets."""
    return [
        {
            "time": form.utc(fill.at),
            "sold": form.decimal(fill.sell.whole),
            "token_sold": fill.sell.token.symbol,
            "got": form.decimal(fill.got.whole),
            "token_got": fill.got.token.symbol,
            "value_usd": form.rounded(fill.notional.whole, 2).replace(",", ""),
            **{
                f"{part}_usd": form.rounded(amount.whole, 4).replace(",", "").replace(form.MINUS, "-")
                for part, amount in zip(_PARTS, (fill.fee, fill.basis, fill.impact, fill.gas), strict=True)
            },
        }
        for fill in fills
    ]
