"""`keeper plan`: what a vault holds, what would be done about it, at which floor and cost, what every guard says."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from rich.text import Text

from keeper.report import format as form
from keeper.report.figures import (
    Record,
    figure,
    is_partial,
    listing,
    measured_of,
    refusals,
    returns_to,
    tokens,
    usd,
    used_percent,
    whole,
    with_value,
)
from keeper.report.forecasts import show_forecast
from keeper.report.page import BAD, DIM, GOOD, STRONG, WARN, Page, Piece, columns, styled
from keeper.report.pegs import show_peg
from keeper.report.routes import show_cost, show_others, show_route
from keeper.report.schedules import schedule_line

NEAR = Fraction(1, 4)
"""Guards that used less of their limit than this are only counted: they are not what an operator looks for."""

CENTS_BELOW = 100_000
"""{USD} Values are shown with cents in a vault smaller than this."""


def render_plan(decision: Record, *, now: int, show_all: bool = False, next_commands: Sequence[str] = ()) -> Page:
    """The page of one vault. `now` is Unix seconds, for the block's age; `show_all` lists every guard and pool."""
    page = Page()
    page.add(*_header(decision, now))
    page.blank()
    _holdings(page, decision)
    _prices(page, decision)
    _left_out(page, decision)
    _rights(page, decision)
    show_peg(page, decision["plan"].get("peg"))
    page.blank()
    _intention(page, decision, show_all)
    _guards(page, decision, show_all)
    page.blank()
    page.add(_sentence(decision))
    if next_commands:
        page.add(("next: ", DIM), " · ".join(next_commands), hang=6)
    return page


# --- holdings and prices ---------------------------------------------------------------------------------------------


def _header(decision: Record, now: int) -> list[Piece]:
    block = decision["block"]
    where = "no block"
    if block:
        age = now - block["timestamp"]
        where = f"block {block['number']:,} ({f'{age} s' if abs(age) < 60 else form.age(age)} old)"
    key = {("live", True): "LIVE: armed", ("live", False): "LIVE, not armed: no key loaded"}
    mode = key.get((decision["mode"], decision["armed"]), "DRY: no key loaded")
    if decision["mode"] == "shadow":
        mode = "SHADOW: decides beside the live one, signs nothing"
    rest = f" · {decision['chain']} {decision['chain_id']} · {where} · {_custody(decision)} · "
    return [(decision["vault"], STRONG), rest, (mode, WARN if mode.startswith("LIVE") else DIM)]


def _custody(decision: Record) -> str:
    """`roles 0x5a3F…91c2`: with the account where the key's own is another one."""
    account = decision["account"]
    return f"{decision['custody']} {form.short(account)}" if account != decision["sender"] else decision["custody"]


def _rights(page: Page, decision: Record) -> None:
    for index, line in enumerate(decision.get("rights", ())):
        page.label("" if index else "rights", line, width=8)


def _left_out(page: Page, decision: Record) -> None:
    for pool in decision["left_out"]:
        page.label("not via", f"{pool['pool']}     {pool['reason']}", width=8)


def _holdings(page: Page, decision: Record) -> None:
    assets = decision["assets"]
    if not assets:
        return
    if not decision["value"]:
        page.extend(columns([_unweighed(decision, asset) for asset in assets], "l.r", ("", "balance", "price")))
        return
    rows = [_weighed(decision, asset) for asset in assets]
    header = ("", "balance", "price", "value", "weight", "target", "drift", "band", "")
    total = form.usd(whole(decision["value"]), _value_places(decision))
    rows.append([Text(""), Text(""), Text(""), styled((total, STRONG)), *[Text("")] * 5])
    page.extend(columns(rows, "l.rrrrrrl", header))


def _value_places(decision: Record) -> int:
    return 2 if whole(decision["value"]) < CENTS_BELOW else 0


def _weighed(decision: Record, asset: Record) -> list[Text]:
    drift, out = Fraction(asset["drift_bps"]), asset["out"]
    return [
        styled((asset["balance"]["symbol"], STRONG)),
        Text(figure(decision, asset["balance"])),
        Text(form.price(Fraction(asset["price"])) if asset["price"] else "none"),
        Text(usd(asset["value"], _value_places(decision))),
        Text(form.percent(Fraction(asset["weight_bps"]))),
        Text(form.short_percent(Fraction(asset["target_bps"]))),
        styled((form.pp(drift), WARN if out else "")),
        Text(form.band(Fraction(asset["trigger_bps"]))),
        styled(("OUT", BAD)) if out else Text(""),
    ]


def _unweighed(decision: Record, asset: Record) -> list[Text]:
    price = form.price(Fraction(asset["price"])) if asset["price"] else "none"
    return [styled((asset["balance"]["symbol"], STRONG)), Text(figure(decision, asset["balance"])), Text(price)]


def _prices(page: Page, decision: Record) -> None:
    width = max((len(found["symbol"]) for found in decision["prices"]), default=0)
    for index, found in enumerate(decision["prices"]):
        page.label("" if index else "prices", f"{found['symbol']:<{width}} ", _price(found), width=8)


def _price(found: Record) -> Text:
    if found["unusable"]:
        return styled(("unusable: ", BAD), found["unusable"])
    said = [
        f"{reading['source']} {form.price(Fraction(reading['price']))}"
        + (f" ({_age(reading)})" if _age(reading) else "")
        for reading in found["readings"]
    ]
    if len(said) > 1:
        said.append(f"{form.trimmed(Fraction(found['apart_bps']), 1)} bps apart")
    return Text(" · ".join(said))


def _age(reading: Record) -> str:
    return "" if reading["age"] is None else form.age(reading["age"])


# --- what would be done ----------------------------------------------------------------------------------------------


def _intention(page: Page, decision: Record, show_all: bool) -> None:
    plan = decision["plan"]
    if decision["unusable"]:
        page.add(("UNUSABLE", BAD), f": {decision['unusable']}", hang=2)
        return
    if plan["kind"] == "hold" and not decision["calls"]:
        inside = "every asset is in its band, " if plan["code"] == "in_band" and "peg" not in plan else ""
        page.add(("HOLD", GOOD), f": {inside}{plan['reason']}", hang=2)
        _schedule(page, decision)
        show_forecast(page, plan.get("forecast"))
        return
    if decision["tidies"]:
        for guard in decision["refused"]:
            page.add(("DENIED", BAD), f" by {guard['guard']}: {guard['reason']}", hang=2)
        page.add(("TIDY UP", STRONG), " before anything else:", hang=2)
    else:
        _trades(page, decision, show_all)
    _calls(page, decision)


def _trades(page: Page, decision: Record, show_all: bool) -> None:
    trades = decision["trades"]
    word: list[Piece] = [("DENIED", BAD), " · "] if refusals(decision) else []
    if decision["plan"]["kind"] == "perform":
        page.add(*word, ("DUE", STRONG), f": {decision['plan']['reason']}", hang=2)
        return
    word.append(("REBALANCE", STRONG))
    if len(trades) == 1:
        goal = f" to {to}" if (to := returns_to(decision)) else ""
        page.add(*word, f"{goal}: {_trade(decision, trades[0])}", hang=2)
    else:
        total = sum((whole(trade["notional"]) for trade in trades), Fraction(0))
        page.add(*word, f": {form.count(len(trades), 'swap')}, {form.usd(total)} in all", hang=2)
    floors = list(decision["order"]["legs"]) if decision["order"] else []
    for index, trade in enumerate(trades):
        if len(trades) > 1:
            page.add(f"{index + 1:>2}  {_trade(decision, trade)}", hang=4)
        legs = len(trade["legs"])
        show_route(page, decision, trade, floors[:legs])
        floors = floors[legs:]
        show_others(page, decision, trade, refusing=not show_all)
    show_cost(page, decision["cost"])
    _schedule(page, decision)
    show_forecast(page, decision["plan"].get("forecast"))
    if decision["after"]:
        weights = [f"{line['symbol']} {form.percent(Fraction(line['weight_bps']))}" for line in decision["after"]]
        partly = "     part of the way, the next cycles go on" if is_partial(decision) else ""
        page.label("after", " · ".join(weights), (partly, DIM), indent=2)


def _trade(decision: Record, trade: Record) -> str:
    """The asset bought is named where it could be several."""
    several = len(decision["assets"]) > 2
    return f"sell {with_value(decision, trade)}" + (f" for {trade['buy']}" if several else "")


def _schedule(page: Page, decision: Record) -> None:
    if schedule := decision["plan"].get("schedule"):
        page.label("slice", schedule_line(schedule, decision["block"]["timestamp"]), indent=2)


def _calls(page: Page, decision: Record) -> None:
    calls = decision["calls"]
    for index, call in enumerate(calls):
        label = "" if index else ("call" if len(calls) == 1 else "calls")
        number = f"{index + 1}  " if len(calls) > 1 else ""
        page.label(label, number, call["text"], ("     next" if number and not index else "", DIM), indent=2)
    if simulation := decision["simulation"]:
        page.label("", *_simulated(decision, simulation), indent=2)
    page.blank()


def _simulated(decision: Record, simulation: Record) -> list[Piece]:
    at = f"simulated at {simulation['block_number']:,}: "
    if not simulation["ok"]:
        return [at, ("fails", BAD), f": {simulation['failure']}"]
    gas = sum(int(used) for used in simulation["gas"])
    gains = [tokens(decision, delta) for delta in simulation["deltas"] if whole(delta) > 0]
    return [at, ("ok", GOOD), f" · {gas:,} gas" + (f" · receives {', '.join(gains)}" if gains else "")]


# --- guards and the last sentence ------------------------------------------------------------------------------------


def _guards(page: Page, decision: Record, show_all: bool) -> None:
    guards = decision["guards"]
    if not guards:
        return
    denied = refusals(decision)
    allowed = sorted((g for g in guards if g["allows"]), key=lambda g: -Fraction(g["used"] or 0))
    shown = denied + [g for g in allowed if show_all or Fraction(g["used"] or 0) >= NEAR]
    page.label("guards", f"{len(guards) - len(denied)} allow, ", (f"{len(denied)} deny", BAD if denied else ""))
    rows = [
        [
            styled((guard["guard"], "" if guard["allows"] else BAD)),
            Text(measured_of(guard)),
            styled((used_percent(guard), WARN if Fraction(guard["used"] or 0) >= Fraction(3, 4) else "")),
            styled((guard["origin"], DIM)) if guard["allows"] else styled(("DENY", BAD), f"  {guard['origin']}"),
        ]
        for guard in shown
    ]
    page.extend(columns(rows, "llrl", gap=3), indent=2)
    for guard in denied:
        page.add(f"  {guard['guard']}: {guard['reason']}", hang=4)
    if rest := len(guards) - len(shown):
        page.add((f"  {rest} {'more below' if shown else 'below'} 25 % of their limits (--all)", DIM))


def _sentence(decision: Record) -> Text:
    unsigned = (
        "mode is dry: nothing signed."
        if decision["mode"] == "dry"
        else "plan signs nothing; `keeper run --live` would."
    )
    denied = refusals(decision)
    if decision["unusable"]:
        return Text("It cannot decide on this block, so it would not trade.")
    if not decision["calls"]:
        return Text("It would do nothing now.")
    if denied:
        names = ", ".join(guard["guard"] for guard in denied)
        return styled(f"It would not {_verb(decision)} now: {names} {'refuses' if len(denied) == 1 else 'refuse'}.")
    return styled((f"It would {_verb(decision)} now.", STRONG), f" {unsigned}{_later(decision)}")


def _verb(decision: Record) -> str:
    purpose = decision["calls"][0]["purpose"]
    return {"swap": "trade", "upkeep": "call"}.get(purpose, str(purpose))


def _later(decision: Record) -> str:
    """A sequence is sent one transaction at a time."""
    rest = [call["purpose"] for call in decision["calls"][1:]]
    if not rest:
        return ""
    return f" The {listing(rest)} would follow, planned anew, once it is confirmed."
