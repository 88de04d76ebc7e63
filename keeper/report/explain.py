"""`keeper explain`: one cycle in sentences. What was seen, what was wanted, what stood in the way, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from rich.text import Text

from keeper.core.latches import BREAKER
from keeper.report import format as form
from keeper.report.explain_transaction import explain_transaction, outcome_word
from keeper.report.facts import CycleFacts
from keeper.report.figures import (
    Record,
    compared,
    is_partial,
    listing,
    measured_of,
    refusals,
    returns_to,
    used_percent,
    widest,
    with_value,
)
from keeper.report.forecasts import show_forecast
from keeper.report.latches import breaker_of, ending_of, trial_of
from keeper.report.page import BAD, DIM, GOOD, STRONG, WARN, Page, columns, styled
from keeper.report.pegs import show_peg
from keeper.report.proposals import show_proposal
from keeper.report.routes import first_of, split_sentence
from keeper.report.schedules import schedule_sentence

WORDS = {
    "hold": ("HOLD", GOOD),
    "wait": ("WAITED", WARN),
    "unusable": ("UNUSABLE", BAD),
    "denied": ("DENIED", BAD),
    "dry": ("WOULD TRADE", STRONG),
    "intended": ("DECIDED", STRONG),
    "proposed": ("PROPOSED", WARN),
}
"""Kind of a cycle record -> its word at the head of the page."""

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def render_explain(facts: CycleFacts, *, show_all: bool = False) -> Page:
    """The page of one cycle. `show_all` adds every guard's answer."""
    page = Page()
    word, style = _word(facts)
    block = f"{facts.chain} block {facts.block_number:,}" if facts.block_number else f"{facts.chain}, no block"
    page.add((f"cycle {facts.number:,}", STRONG), f" · {block} · {form.moment(facts.at)} · ", (word, style))
    page.blank()
    _drift(page, facts)
    if facts.code != "halted" and (trial := trial_of(facts.latches)):
        page.add(f"On {_sentence(trial)} Its success ends the latch, its revert begins the rest again.")
    _STORIES[facts.kind](page, facts)
    if show_all:
        _every_guard(page, facts.decision)
    page.blank()
    _footer(page, facts)
    return page


def _word(facts: CycleFacts) -> tuple[str, str]:
    """What was sent is named by what became of it; an approval is no trade, and says so."""
    calls = facts.decision.get("calls") or []
    purpose = calls[0]["purpose"] if calls else "swap"
    if facts.kind in ("intended", "proposed") and facts.transactions:
        return outcome_word(facts.transactions[-1])
    if facts.kind == "dry" and purpose != "swap":
        return f"WOULD {'CALL' if purpose == 'upkeep' else purpose.upper()}", STRONG
    return WORDS[facts.kind]


# --- what was seen ---------------------------------------------------------------------------------------------------


def _drift(page: Page, facts: CycleFacts) -> None:
    """The assets out of band, else the one that is furthest from its target; a coin beside its peg."""
    show_peg(page, facts.decision.get("plan", {}).get("peg"))
    page.blank()
    weighed = [asset for asset in facts.decision.get("assets", ()) if "drift_bps" in asset]
    out = [asset for asset in weighed if asset["out"]]
    furthest = widest(facts.decision) if weighed else None
    # Of two assets that mirror each other one is enough to say; of more, each that is out.
    shown = out if len(weighed) > 2 and out else [furthest] if furthest else []
    for asset in shown:
        page.add(_weight_sentence(facts.vault, asset))


def _weight_sentence(vault: str, asset: Record) -> str:
    drift, trigger = Fraction(asset["drift_bps"]), Fraction(asset["trigger_bps"])
    weight = f"{asset['balance']['symbol']} was {form.percent(Fraction(asset['weight_bps']))} of {vault}"
    band = f"{'outside' if asset['out'] else 'inside'} its band ({form.band(trigger)})"
    if not drift:
        return f"{weight}, exactly its target."
    side = "above" if drift > 0 else "below"
    distance = f"{form.rounded(abs(drift) / 100, 2)}pp"
    return f"{weight}, {distance} {side} target and {band}."


# --- what came of it -------------------------------------------------------------------------------------------------


def _hold(page: Page, facts: CycleFacts) -> None:
    if facts.code == "in_band":
        page.add("Nothing is traded inside the band, so the keeper held.")
        asset = None if facts.decision["plan"].get("peg") else widest(facts.decision)
        if asset:
            page.add(_next_trade(asset))
        show_forecast(page, facts.decision["plan"].get("forecast"))
        return
    if facts.decision.get("calls"):
        _wanted(page, facts.decision, "The keeper wanted to")
    page.add(f"The keeper held: {_sentence(facts.reason)}")
    _unusable_prices(page, facts)


def _next_trade(asset: Record) -> str:
    target, trigger = Fraction(asset["target_bps"]), Fraction(asset["trigger_bps"])
    below, above = form.short_percent(target - trigger), form.short_percent(target + trigger)
    return f"It would trade once {asset['balance']['symbol']} leaves {below} to {above}."


def _wait(page: Page, facts: CycleFacts) -> None:
    if facts.code == "halted":
        _halted(page, facts)
        return
    page.add(f"The keeper waited: {_sentence(facts.reason)}")
    if facts.code == "proposed":
        page.add("Owners of its Safe may execute that at any moment: whatever else was sent could trade twice.")
        return
    page.add("While a transaction is live the balances are about to change, and a second one could trade twice.")
    page.add("It decides anew, from fresh balances, once that one is confirmed.")


def _halted(page: Page, facts: CycleFacts) -> None:
    if not breaker_of(facts.reason):
        page.add(f"{facts.vault} is halted: {_sentence(facts.reason)}")
        page.add("Only a person can judge that, so nothing is sent until one has.")
        return
    page.add(f"{facts.vault} is stopped by its breaker {_sentence(facts.reason.removeprefix(BREAKER).strip())}")
    for latch in facts.latches:
        page.add(ending_of(latch))
    page.add("Until then nothing is signed for it; what is already on its way is followed to its end.")


def _unusable(page: Page, facts: CycleFacts) -> None:
    page.add(f"No decision was possible: {_sentence(facts.reason)}")
    _unusable_prices(page, facts)
    page.add("The keeper does not trade on a guess: nothing was planned and nothing signed.")


def _unusable_prices(page: Page, facts: CycleFacts) -> None:
    """Those that the reason does not already tell in full."""
    broken = [found for found in facts.decision.get("prices", ()) if found["unusable"]]
    broken = [found for found in broken if found["unusable"] not in facts.reason]
    if not broken:
        return
    page.blank()
    page.extend(columns([[f["symbol"], styled((f["unusable"], BAD))] for f in broken], "ll", gap=3), indent=2)
    page.blank()


def _denied(page: Page, facts: CycleFacts) -> None:
    decision, refused = facts.decision, refusals(facts.decision)
    _wanted(page, decision, "The keeper wanted to")
    some = _NUMBERS[len(refused)] if len(refused) < len(_NUMBERS) else str(len(refused))
    noun = "guard" if len(refused) == 1 else "guards"
    page.add(f"{some} {noun} of {len(decision['guards'])} refused:")
    page.blank()
    for guards in _alike(refused):
        _refusal(page, guards)
    for remedy in dict.fromkeys(guard["remedy"] for guard in refused if guard["remedy"]):
        page.add(_sentence(remedy))


def _refusal(page: Page, guards: Sequence[Record]) -> None:
    """Guards that refused with the same words are told together."""
    first = guards[0]
    page.add("  ", (", ".join(guard["guard"] for guard in guards), BAD), f"   {compared(first)}", hang=6)
    for line in first["detail"] or [first["reason"]]:
        page.add(f"      {line}", hang=8)
    for guard in guards:
        if guard["path"]:
            page.add(f"      limit: {guard['path']}" + (f" ({guard['origin']})" if guard["origin"] else ""), hang=8)
    page.blank()


def _alike(refused: Sequence[Record]) -> list[list[Record]]:
    together: dict[tuple[str, str], list[Record]] = {}
    for guard in refused:
        together.setdefault((guard["reason"], compared(guard)), []).append(guard)
    return list(together.values())


def _dry(page: Page, facts: CycleFacts) -> None:
    _wanted(page, facts.decision, "The keeper would now")
    page.add(_allowed(facts.decision))
    if facts.decision["mode"] == "live":
        page.add("The vault's mode is live, but this keeper was started without --live: nothing was signed.")
    else:
        page.add("mode is dry: nothing was signed.")


def _intended(page: Page, facts: CycleFacts) -> None:
    _wanted(page, facts.decision, "The keeper decided to")
    page.add(_allowed(facts.decision))
    if not facts.transactions:
        page.add("No nonce was reserved, so nothing was signed: it stopped between deciding and sending.")
    for transaction in facts.transactions:
        page.blank()
        explain_transaction(page, facts, transaction)


def _proposed(page: Page, facts: CycleFacts) -> None:
    _wanted(page, facts.decision, "The keeper asked the owners of its Safe to")
    page.add(_allowed(facts.decision))
    for written in facts.proposals:
        page.blank()
        show_proposal(page, written)
    for transaction in facts.transactions:
        page.blank()
        explain_transaction(page, facts, transaction)


def _allowed(decision: Record) -> str:
    guards = len(decision["guards"])
    return f"All {guards} guards allowed it." if guards > 1 else "Its guard allowed it."


def _wanted(page: Page, decision: Record, opening: str) -> None:
    calls, trades = decision["calls"], decision["trades"]
    for guard in decision["refused"]:
        page.add(f"Its trade was denied by {guard['guard']}: {_sentence(guard['reason'])}")
    if decision["plan"]["kind"] == "perform":
        page.add(_sentence(decision["plan"]["reason"]))
    if decision["tidies"] or not trades:
        page.add(f"{opening} {listing([call['text'] for call in calls])}.")
        return
    goal = f" to return to {to}" if (to := returns_to(decision)) else ""
    sells = [f"sell {with_value(decision, trade)} for {trade['buy']}" for trade in trades]
    page.add(f"{opening} {listing(sells)}{goal}.")
    for trade in trades:
        if split := split_sentence(decision, trade):
            page.add(split)
    show_forecast(page, decision["plan"].get("forecast"))
    if schedule := decision["plan"].get("schedule"):
        page.add(schedule_sentence(schedule))
    elif any(first_of(trade) for trade in trades):
        page.add(f"That is {first_of(trades[0])}.")
    elif is_partial(decision):
        page.add("That is part of the way; the next cycles go on.")
    if len(calls) > 1 and calls[0]["purpose"] != "swap" and not refusals(decision):
        page.add(
            f"Its first transaction is to {calls[0]['text']}; the rest follows, planned anew, once it is confirmed."
        )


def _every_guard(page: Page, decision: Record) -> None:
    if not decision["guards"]:
        return
    page.blank()
    rows = [
        [
            styled((guard["guard"], "" if guard["allows"] else BAD)),
            Text(measured_of(guard)),
            Text(used_percent(guard)),
            styled(("allow", GOOD)) if guard["allows"] else styled(("DENY", BAD)),
            styled((f"{guard['path']} ({guard['origin']})" if guard["path"] else "always on", DIM)),
        ]
        for guard in decision["guards"]
    ]
    page.extend(columns(rows, "llrll", gap=2), indent=2)


# --- around it -------------------------------------------------------------------------------------------------------


def _footer(page: Page, facts: CycleFacts) -> None:
    if facts.streak:
        same = ", same guard" if len(facts.guards) == 1 else ", same guards" if facts.guards else ""
        row = f"{form.count(facts.streak.count, 'cycle')} in a row" if facts.streak.count > 1 else "1 cycle"
        page.label("since", f"{form.clock(facts.streak.first, facts.at)}, {row}{same}", width=11)
    if facts.told_at is not None:
        later = "as above; since then only prices moved, and too little"
        page.label("told", f"{form.clock(facts.told_at, facts.at)}, {later}", width=11)
    if facts.kind != "intended":
        page.label("cost", "no nonce, no signature, no gas", width=11)
    for index, told in enumerate(facts.alerted):
        page.label("" if index else "alerted", told, width=11)
    if facts.after:
        after = facts.after
        text = f"cycle {after.number:,} at {form.clock(after.at, facts.at)}: {after.kind}, {after.reason}"
        page.label("after", text, width=11)
    if facts.next_look is not None:
        page.label("next look", form.clock(facts.next_look, facts.at), width=11)
    page.blank()
    for label, command in _commands(facts):
        page.label(label, command, width=15)


def _commands(facts: CycleFacts) -> Sequence[tuple[str, str]]:
    option = f" -c {facts.config}" if facts.config else ""
    commands = [("all answers", f"keeper explain {facts.number} --all{option}")] if facts.decision.get("guards") else []
    if facts.kind in ("denied", "intended"):
        commands.append(("stop it", f'keeper pause {facts.vault} --reason "…"{option}'))
    if facts.code == "halted" and breaker_of(facts.reason):
        commands.append(("let it go", f'keeper clear {facts.vault} --reason "…"{option}'))
    if facts.kind == "proposed" or facts.code == "proposed":
        commands.append(("what to sign", f"keeper proposals {facts.config}".rstrip()))
    if facts.kind in ("wait", "unusable"):
        commands.append(("how it stands", f"keeper status {facts.config}".rstrip()))
    if facts.kind in ("hold", "dry"):
        commands.append(("look now", f"keeper plan {facts.config or 'keeper.yaml'} {facts.vault}"))
    return commands


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


_STORIES: dict[str, Callable[[Page, CycleFacts], None]] = {
    "hold": _hold,
    "wait": _wait,
    "unusable": _unusable,
    "denied": _denied,
    "dry": _dry,
    "intended": _intended,
    "proposed": _proposed,
}
