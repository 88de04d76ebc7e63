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
    """The asset that is furthest out, or nearest to leaving its band; None where no weight is known."""
    weighed = [asset for asset in decision["assets"] if "drift_bps" in asset]
    return max(weighed, key=_nearness, default=None)


def _nearness(asset: Record) -> tuple[Fraction, Fraction]:
    drift, trigger = abs(Fraction(asset["drift_bps"])), Fraction(asset["trigger_bps"])
    return (drift / trigger if trigger else drift), drift


def _is_figure(text: str) -> bool:
    return text.lstrip("$−+-~ ")[:1].isdigit()


def measured_of(guard: Record) -> str:
    """`47,017 of 100,000 USD`: a unit that both share is said once. What is no figure stands beside its limit."""
    measured, limit = str(guard["measured"]), str(guard["limit"])
    if not measured or not limit or measured == limit or measured.startswith("does not apply"):
        return measured or limit
    if not _is_figure(limit):
        return f"{measured}, {limit}"
    if not _is_figure(measured):
        return f"{measured}, {limit} allowed"
    number, _, unit = measured.partition(" ")
    return f"{number if unit and limit.partition(' ')[2] == unit else measured} of {limit}"


def compared(guard: Record) -> str:
    """`163 bps measured, 100 bps allowed`, of a refusal."""
    measured, limit = str(guard["measured"]), str(guard["limit"])
    if not limit or not _is_figure(limit):
        return f"{measured}, {limit}" if limit else measured
    return f"{measured} measured, {limit} allowed" if _is_figure(measured) else f"{measured}, {limit} allowed"


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


def is_partial(decision: Record) -> bool:
    """An asset that is out would still lie beyond its destination afterwards, by more than a basis point: a slice."""
    after = {line["symbol"]: abs(Fraction(line["drift_bps"])) for line in decision["after"]}
    out = [asset for asset in decision["assets"] if asset.get("out")]
    goals = [(asset["balance"]["symbol"], Fraction(asset["destination_bps"]) + 1) for asset in out]
    return any(after.get(symbol, Fraction(0)) > goal for symbol, goal in goals)
