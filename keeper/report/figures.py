"""Readers of a decision dict: the phrases that `plan` and `explain` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from keeper.report import format as form

Record = Mapping[str, Any]


def whole(amount: Record) -> Fraction:
    return Fraction(amount["whole"])


def usd(amount: Record, places: int = 2) -> str:
    return form.usd(whole(amount), places)


def price_of(decision: Record, token: str) -> Fraction | None:
    """Mid of a token in USD, where it had a usable one."""
    for found in decision["prices"]:
        if found["token"] == token and not found["unusable"]:
            return Fraction(found["mid"])
    return None


def figure(decision: Record, amount: Record) -> str:
    """`46,989.46`, with the decimals that matter at the token's price."""
    return form.amount(whole(amount), form.places_for(price_of(decision, amount["token"]), amount["decimals"]))


def tokens(decision: Record, amount: Record) -> str:
    """`46,989.46 USDC`"""
    return f"{figure(decision, amount)} {amount['symbol']}"


def with_value(decision: Record, trade: Record) -> str:
    """`15.0696 WETH ($47,017.20)`"""
    return f"{tokens(decision, trade['sell'])} ({usd(trade['notional'])})"


def refusals(decision: Record) -> list[Record]:
    return [guard for guard in decision["guards"] if not guard["allows"]]


def widest(decision: Record) -> Record | None:
    """The asset with the widest drift, None where no weight is known."""
    weighed = [asset for asset in decision["assets"] if "drift_bps" in asset]
    return max(weighed, key=lambda asset: abs(Fraction(asset["drift_bps"])), default=None)


def measured_of(guard: Record) -> str:
    """`47,017 of 100,000 USD`: the unit is said once where measured and limit share it."""
    measured, limit = guard["measured"], guard["limit"]
    if not measured or not limit:
        return str(measured or limit)
    if measured == limit:
        return str(measured)
    number, _, unit = measured.partition(" ")
    if unit and limit.partition(" ")[2] == unit:
        measured = number
    return f"{measured} of {limit}"


def used_percent(guard: Record) -> str:
    """`47 %` of the limit; 99.6 % is not shown as all of it."""
    if guard["used"] is None:
        return ""
    used = Fraction(guard["used"])
    share = round(used * 100)
    return f"{99 if share == 100 and used < 1 else share:,} %"


def listing(words: Sequence[str]) -> str:
    """`a, b and c`"""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))


def returns_to(decision: Record) -> str:
    """`62.00 %`: the weight that a single trade brings its sold asset to; empty for several, or where unknown."""
    if len(decision["trades"]) != 1:
        return ""
    sold = decision["trades"][0]["sell"]["symbol"]
    found = next((line for line in decision["after"] if line["symbol"] == sold), None)
    return form.percent(Fraction(found["weight_bps"])) if found else ""
