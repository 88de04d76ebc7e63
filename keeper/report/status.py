"""`keeper status`: every vault in a line, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rich.text import Text

from keeper.core.foreign import printable
from keeper.core.sending import LIVE
from keeper.report import format as form
from keeper.report.compare import intention
from keeper.report.explain_transaction import outcome_word
from keeper.report.facts import Transaction, VaultFacts
from keeper.report.figures import usd, widest
from keeper.report.latches import breaker_of, rest_of, trial_of
from keeper.report.page import BAD, DIM, GOOD, STRONG, WARN, Page, styled

HEADER = ("vault", "chain", "mode", "state", "value", "drift", "band", "looked", "traded", "next look")


def state_of(vault: VaultFacts) -> str:
    """In the order in which they matter: halted, paused, denied by X, traded or the like, waiting, out, in band."""
    cycle = vault.cycle
    if vault.halted:
        return f"halted by {breaker}" if (breaker := breaker_of(vault.halted)) else "halted"
    if vault.paused:
        return "paused"
    if cycle is None:
        return "not looked yet"
    if cycle.kind == "denied":
        return f"denied by {', '.join(cycle.guards) or cycle.code}"
    if cycle.kind == "intended" and cycle.transactions and not _is_live(cycle.transactions[-1]):
        return outcome_word(cycle.transactions[-1])[0].lower()
    if cycle.code == "proposed":
        return "waits for signatures"
    plain = {
        "proposed": "waits for signatures",
        "wait": "waiting",
        "unusable": "unusable",
        "intended": "trading",
        "dry": "out, would trade",
    }
    if cycle.code == "upkeep":
        plain |= {"intended": "calling", "dry": "due, would call"}
    if cycle.kind in plain:
        return plain[cycle.kind]
    return "in band" if cycle.code == "in_band" else f"held: {cycle.code.replace('_', ' ')}"


def _is_live(transaction: Transaction) -> bool:
    return transaction.intent.state in LIVE and transaction.mined is None


_STYLES = (
    *((word, BAD) for word in ("halted", "denied", "unusable", "failed")),
    *((word, GOOD) for word in ("in band", "traded", "called", "approved", "revoked")),
)


def _style(state: str) -> str:
    return next((style for word, style in _STYLES if state.startswith(word)), WARN)


def render_status(vaults: Sequence[VaultFacts], *, now: int) -> Page:
    """A table, and below it why a vault is halted, paused or refused. `now` is Unix seconds, for the ages."""
    page = Page()
    if not vaults:
        page.add("No vaults.")
        return page
    page.table([_row(vault, now) for vault in vaults], "llllrrrrrr", HEADER, drop=(1, 6, 8))
    reasons = [(vault.name, why) for vault in vaults if (why := _why(vault))]
    if reasons:
        page.blank()
    width = max((len(name) for name, _ in reasons), default=0) + 2
    for name, why in reasons:
        page.label(name, why, width=width)
    return page


def _row(vault: VaultFacts, now: int) -> list[Text]:
    cycle, state = vault.cycle, state_of(vault)
    decision = cycle.decision if cycle else {}
    asset = widest(decision) if decision.get("assets") else None
    drift = Fraction(asset["drift_bps"]) if asset else None
    return [
        styled((vault.name, STRONG)),
        Text(vault.chain),
        styled((_mode(vault), WARN if vault.armed else "")),
        styled((state.partition(" by ")[0], _style(state))),
        Text(usd(decision["value"], 0) if decision.get("value") else "–"),
        Text("–" if drift is None else form.pp(drift)),
        styled((form.band(Fraction(asset["trigger_bps"])) if asset else "–", DIM)),
        Text(_ago(cycle.at if cycle else None, now)),
        Text(_ago(vault.last_trade, now)),
        Text("–" if vault.next_look is None else f"in {form.age(max(0, vault.next_look - now))}"),
    ]


def _mode(vault: VaultFacts) -> str:
    return "live" if vault.armed else "unarmed" if vault.mode == "live" else vault.mode


def _ago(at: int | None, now: int) -> str:
    return "never" if at is None else f"{form.age(max(0, now - at))} ago"


def _why(vault: VaultFacts) -> str:
    """What stands in the way, and what is tried meanwhile."""
    return "; ".join(part for part in (trial_of(vault.latches), _reason(vault)) if part)


def _reason(vault: VaultFacts) -> str:
    if vault.cycle and vault.beside:
        mine, other = intention(vault.cycle.decision), intention(vault.beside.decision)
        return f"decides as {vault.original}: {mine}" if mine == other else f"{mine}; {vault.original}: {other}"
    if vault.halted:
        return "; ".join(part for part in (printable(vault.halted), rest_of(vault.latches)) if part)
    if vault.paused:
        return printable(f"paused by {vault.paused.by} at {form.moment(vault.paused.at)}: {vault.paused.reason}")
    if vault.cycle and vault.cycle.kind == "denied":
        return f"{state_of(vault)}: {vault.cycle.reason}"
    if vault.cycle and vault.cycle.kind in ("unusable", "wait", "proposed"):
        return vault.cycle.reason
    return ""


def _differs(vault: VaultFacts) -> bool | None:
    """Whether a shadow decides otherwise than the vault it stands beside; None for whatever is no shadow."""
    if vault.cycle is None or vault.beside is None:
        return None
    return intention(vault.cycle.decision) != intention(vault.beside.decision)


def status_record(vaults: Sequence[VaultFacts], *, now: int) -> dict[str, Any]:
    """The same for machines: amounts as records, times as ISO 8601, bps as decimal text."""
    return {"at": form.utc(now), "vaults": [_record(vault) for vault in vaults]}


def _record(vault: VaultFacts) -> dict[str, Any]:
    cycle = vault.cycle
    decision = cycle.decision if cycle else {}
    asset = widest(decision) if decision.get("assets") else None
    return {
        "vault": vault.name,
        "chain": vault.chain,
        "mode": vault.mode,
        "custody": decision.get("custody"),
        "account": decision.get("account"),
        "shadow_of": vault.original or None,
        "differs": _differs(vault),
        "armed": vault.armed,
        "state": state_of(vault),
        "reason": _why(vault),
        "guards": list(cycle.guards) if cycle else [],
        "cycle": cycle.number if cycle else None,
        "block": cycle.block_number if cycle else None,
        "value": decision.get("value"),
        "widest_drift_bps": asset["drift_bps"] if asset else None,
        "widest_drift_of": asset["balance"]["symbol"] if asset else None,
        "trigger_bps": asset["trigger_bps"] if asset else None,
        "last_look": form.utc(cycle.at) if cycle else None,
        "last_trade": None if vault.last_trade is None else form.utc(vault.last_trade),
        "next_look": None if vault.next_look is None else form.utc(vault.next_look),
    }
