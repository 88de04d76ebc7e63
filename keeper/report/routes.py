"""How one trade is filled: what each leg of its route sells and gets, and what splitting saved over the best pool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from rich.text import Text

from keeper.core.foreign import printable
from keeper.core.plan import Leg, Route, Splitting
from keeper.core.units import NATIVE, WHOLE_BPS, TokenAmount
from keeper.report import format as form
from keeper.report.figures import Record as Shown
from keeper.report.figures import figure, listing, tokens, usd, whole
from keeper.report.format import decimal, exact
from keeper.report.nouns import Record, amount, pool_record, symbol
from keeper.report.page import DIM, Page, columns

# --- for machines ----------------------------------------------------------------------------------------------------


def trade_record(route: Route) -> Record:
    """One trade with its legs, and what every pool would have given."""
    legs = [
        {**leg_record(leg), "sell": amount(leg.sell), "quote": amount(leg.quote), "mid_raw": decimal(leg.mid)}
        for leg in route.legs
    ]
    chosen = {pool.address for leg in route.legs for pool in leg.pools}
    considered = [
        {
            **pool_record(pool),
            "chosen": pool.address in chosen,
            "trades": pool.trades(route.trade.sell.token, route.trade.buy),
            "gives": amount(found) if isinstance(found, TokenAmount) else None,
            "reason": "" if isinstance(found, TokenAmount) else printable(found),
        }
        for pool, found in route.considered
    ]
    record: Record = {
        "sell": amount(route.trade.sell),
        "buy": symbol(route.trade.buy),
        "notional": amount(route.trade.notional),
        "legs": legs,
        "considered": considered,
    }
    if route.trade.calls > 1:
        record["calls"] = route.trade.calls
    return record | ({"splitting": _splitting(route.splitting)} if route.splitting else {})


def leg_record(leg: Leg) -> Record:
    """Its first pool, and the rest of the way where there is more."""
    more = [pool_record(pool) for pool in leg.pools[1:]]
    way = {"then": more, "through": [symbol(token) for token in leg.through]} if more else {}
    return {**pool_record(leg.pool), **way}


def _splitting(found: Splitting) -> Record:
    alone = None
    if found.alone is not None:
        pool, gives = found.alone
        alone = {**pool_record(pool), "gives": amount(gives)}
    return {
        "alone": alone,
        "brings": amount(found.brings),
        "gas": amount(found.gas),
        "saved": amount(found.saved) if found.saved is not None else None,
    }


# --- for people ------------------------------------------------------------------------------------------------------


def show_route(page: Page, decision: Shown, trade: Shown, floors: Sequence[Shown] = ()) -> None:
    """The legs of a trade, what they give together, and how that compares. `decision` is asked for its prices; where
    there are `floors`, the order's legs for this trade, for its order too."""
    legs = trade["legs"]
    if len(legs) == 1:
        page.label("via", way_of(legs[0]), (f"     {_choice(trade)}", DIM), indent=2)
    else:
        for index, line in enumerate(columns([_leg(decision, trade, leg) for leg in legs], "rrlrl", gap=2)):
            page.label("" if index else "via", line, indent=2)
    if first := first_of(trade):
        page.label("", (first, DIM), indent=2)
    quote = _sum(leg["quote"] for leg in _last(legs))
    if floors:
        _floors(page, decision, quote, floors)
    else:
        page.label("quote", tokens(decision, quote), indent=2)
    _compared(page, decision, trade, quote)


def show_others(page: Page, decision: Shown, trade: Shown, *, refusing: bool = False) -> None:
    """Pools that no leg goes through, and what each would have given; of those that are left out the page has told.
    With `refusing` only those that trade this pair, and would fill none of it."""
    told = {pool["address"] for pool in decision["left_out"]}
    for pool in trade["considered"]:
        if pool["chosen"] or pool["address"] in told:
            continue
        if not refusing or (pool.get("trades") and not pool["gives"]):
            says = f"gives {tokens(decision, pool['gives'])}" if pool.get("gives") else pool["reason"]
            page.label("not via", f"{pool['pool']}     {says}", indent=2)


def show_cost(page: Page, cost: Shown | None) -> None:
    """What is sold less what the quote is worth, both at mid; None where a token has no usable price."""
    if cost is None:
        return
    parts = [f"{name} {_bps(cost[f'{name}_bps'])}" for name in ("fee", "impact")]
    if _bps(cost["basis_bps"]) != "0.0":
        parts.append(f"basis {_bps(cost['basis_bps'])}")
    if cost["gas"]:
        parts.append(f"gas {usd(cost['gas'])} on top")
    page.label("cost", f"{_bps(cost['pool_bps'])} bps = {usd(cost['pool'])}  {' · '.join(parts)}", indent=2)


def way_of(leg: Shown) -> str:
    """The pools that a leg goes through, in order."""
    return " → ".join([leg["pool"], *(pool["pool"] for pool in leg.get("then", ()))])


def split_sentence(decision: Shown, trade: Shown) -> str:
    """How a trade of several legs is split, for `explain`; empty where it is not."""
    legs, found = trade["legs"], trade.get("splitting")
    if len(legs) < 2:
        return ""
    parts = listing([f"{_share(trade, leg)} in {way_of(leg)}" for leg in legs])
    saved = found["saved"] if found else None
    gain = f", which saves {tokens(decision, saved)} after gas" if saved and whole(saved) > 0 else ""
    return f"It is split: {parts}{gain}."


def first_of(trade: Shown) -> str:
    """Where custody makes one call at a time, and all of it takes several."""
    calls = trade.get("calls", 1)
    return f"the first of {calls} calls: the rest is planned anew once it is confirmed" if calls > 1 else ""


def _leg(decision: Shown, trade: Shown, leg: Shown) -> list[Text | str]:
    sold, got = tokens(decision, leg["sell"]), tokens(decision, leg["quote"])
    return [_share(trade, leg), sold, "→", got, way_of(leg)]


def _share(trade: Shown, leg: Shown) -> str:
    """Of what the trade sells, wrapped or not; what is sold on the way is named instead."""
    given = [trade["sell"]["token"], *(hop["quote"]["token"] for hop in trade["legs"][:1] if _wraps(hop))]
    if leg["sell"]["token"] not in given:
        return f"its {leg['sell']['symbol']}"
    return f"{form.rounded(Fraction(int(leg['sell']['raw']) * 100, int(trade['sell']['raw'])), 1)} %"


def _choice(trade: Shown) -> str:
    """Why this pool."""
    if _wraps(trade["legs"][0]):
        return "one for one"
    if trade["legs"][0].get("then") or first_of(trade):
        return ""
    known, able = trade["considered"], [pool for pool in trade["considered"] if pool["gives"]]
    if len(known) < 2:
        return "the only pool"
    best = f"best of {len(able)} pools" if len(able) == len(known) else f"best of {len(able)}, {len(known)} pools known"
    return f"{best}, and no split brings more" if trade.get("splitting") and len(able) > 1 else best


def _floors(page: Page, decision: Shown, quote: Shown, floors: Sequence[Shown]) -> None:
    """What the legs that end in the bought token must bring, and what that follows from."""
    last = _last(floors)
    least = _sum(floor["min_out"] for floor in last)
    amounts = columns([[tokens(decision, quote)], [tokens(decision, least)]], "r")
    page.label("quote", amounts[0], indent=2)
    page.label("min_out", amounts[1], (f"    from {_why(decision, last)}", DIM), indent=2)
    if why := decision["order"].get("tolerance"):
        page.label("", (why, DIM), indent=2)


def _why(decision: Shown, floors: Sequence[Shown]) -> str:
    slippage = f"−{decision['order']['slippage_bps']} bps"
    by_quote, by_oracle = (figure(decision, _sum(f[name] for f in floors)) for name in ("quote_floor", "oracle_floor"))
    binding = [floor["binds"] for floor in floors]
    if "quote" not in binding:
        return f"oracle floor (quote {slippage} would be {by_quote})"
    if "oracle" not in binding:
        return f"quote {slippage} (oracle floor {by_oracle})"
    return f"each leg's larger floor (quote {slippage} {by_quote}, oracle floor {by_oracle})"


def _compared(page: Page, decision: Shown, trade: Shown, quote: Shown) -> None:
    """What the best single pool would have given, where this is not it."""
    swaps, found = [leg for leg in trade["legs"] if not _wraps(leg)], trade.get("splitting")
    if found is None or (len(swaps) == 1 and not swaps[0].get("then")):
        return
    alone = found["alone"]
    if alone is None:
        page.label("alone", "no pool takes all of it", indent=2)
        return
    page.label("alone", f"{tokens(decision, alone['gives'])} in {alone['pool']}, the best single pool", indent=2)
    bps = (
        f" ({form.rounded(whole(found['saved']) / whole(quote) * WHOLE_BPS, 1, plus=True)} bps)" if whole(quote) else ""
    )
    gas = f"     each after its gas, {tokens(decision, found['gas'])} for this one"
    page.label("saved", f"{tokens(decision, found['saved'])}{bps}", (gas, DIM), indent=2)


def _last(legs: Sequence[Shown]) -> list[Shown]:
    """Those that end in what the trade buys, as its last leg does."""
    return [leg for leg in legs if leg["quote"]["token"] == legs[-1]["quote"]["token"]]


def _wraps(leg: Shown) -> bool:
    """No swap, but native coin into its wrapped token or back."""
    return NATIVE in (leg["sell"]["token"], leg["quote"]["token"])


def _sum(amounts: Iterable[Shown]) -> Shown:
    first, *others = amounts
    raw = sum((int(other["raw"]) for other in others), int(first["raw"]))
    return {**first, "raw": str(raw), "whole": exact(raw, first["decimals"])}


def _bps(text: str) -> str:
    return form.rounded(Fraction(text), 1)
