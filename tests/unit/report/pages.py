"""Every page that is compared with a golden file. `python -m tests.unit.report.pages` writes them anew, to be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from keeper.core.latches import Latch, Rearm
from keeper.core.records import PauseState
from keeper.core.sending import State
from keeper.report.demo import render_demo
from keeper.report.explain import render_explain
from keeper.report.facts import CycleFacts, CycleNote, DemoFacts, DemoVault, Refusal, Streak, VaultFacts
from keeper.report.history import render_history
from keeper.report.page import Page
from keeper.report.plan import render_plan
from keeper.report.status import render_status
from tests.unit.report import pegs, slices
from tests.unit.report import situations as given
from tests.unit.report.situations import T0, Situation

GOLDEN = Path(__file__).parent / "golden"
WIDTH = 110
NEXT = ("keeper run base.yaml", "keeper explain")


def plan(situation: Situation, show_all: bool = False) -> Page:
    return render_plan(situation.decision, now=T0 + 2, show_all=show_all, next_commands=NEXT)


def armed(situation: Situation) -> Situation:
    return replace(situation, meta=replace(situation.meta, mode="live", armed=True))


def unarmed(situation: Situation) -> Situation:
    return replace(situation, meta=replace(situation.meta, mode="live"))


def refusal() -> CycleFacts:
    return given.cycle(
        given.denied(),
        "denied",
        "max_oracle_disagreement",
        given.DENIAL.reason,
        guards=("max_oracle_disagreement",),
        streak=Streak(T0 - 175, T0 + 725, 4),
        alerted=("02:57 log; reminder 06:57 if still refused",),
        next_look=T0 + 1_025,
    )


def hold() -> CycleFacts:
    streak = Streak(T0 - 83_275, T0 + 725, 280)
    return given.cycle(given.holding(), "hold", "in_band", "inside", streak=streak, next_look=T0 + 1_025)


def hold_of_slices() -> CycleFacts:
    situation = slices.slice_waits()
    return given.cycle(situation, "hold", "slices", situation.plan.reason, next_look=T0 + 1_025)


def no_price() -> CycleFacts:
    situation = given.priceless()
    return given.cycle(situation, "hold", "no_price", situation.plan.reason, next_look=T0 + 1_025)


def unreadable() -> CycleFacts:
    situation = given.unreadable()
    return given.cycle(situation, "unusable", "unreadable", situation.plan.reason)


def waiting() -> CycleFacts:
    return given.cycle(given.holding(), "wait", "live", "swap of treasury (nonce 12) is live")


def outside_window() -> CycleFacts:
    reason = "outside its act window (Mon-Fri 08:00-20:00 Europe/Zurich), which opens at 07:00 UTC"
    return given.cycle(given.trading(), "hold", "window", reason)


def halted() -> CycleFacts:
    return given.cycle(given.holding(), "wait", "halted", "nonce 5 was used by a transaction that is not ours")


LATCH = Latch("reverts", T0 - 300, Rearm(3_600, given.usd("500")))
TRIAL = replace(LATCH, trying_at=T0 + 120)
LATCHED = Latch("loss", T0)


def stopped(latch: Latch) -> CycleFacts:
    said = {
        "reverts": "3 transactions reverted within 1h, limit 3",
        "loss": "fills were $151.20 worse than their quotes within 1d: 10.1 bps of the vault, limit 10 bps",
    }[latch.breaker]
    reason = f"breaker: {latch.breaker}: {said}; {latch.rearm}"
    return replace(given.cycle(given.holding(), "wait", "halted", reason), latches=(latch,))


def on_trial() -> CycleFacts:
    return replace(dry(given.trading()), latches=(TRIAL,))


def status_of_breakers() -> Page:
    rests, stays = stopped(LATCH), stopped(LATCHED)
    vaults = (
        VaultFacts("treasury", "base", "live", True, rests, halted=rests.reason, latches=rests.latches),
        VaultFacts("grants", "base", "live", True, stays, halted=stays.reason, latches=stays.latches),
        VaultFacts("reserve", "base", "live", True, hold(), latches=(TRIAL,)),
        VaultFacts("payroll", "base", "live", True, refusal(), latches=(TRIAL,)),
    )
    return render_status(vaults, now=T0 + 800)


def dry(situation: Situation, code: str = "swap") -> CycleFacts:
    return given.cycle(situation, "dry", code, situation.plan.reason)


def sent(*transactions: given.Transaction, after: CycleNote | None = None) -> CycleFacts:
    situation = armed(given.trading())
    reason = situation.plan.reason
    return given.cycle(situation, "intended", "swap", reason, transactions=transactions, after=after)


def status() -> Page:
    last, look = T0 - 90_000, T0 + 1_025
    paused = PauseState("reserve", "audit of the pool", "ana", T0)
    vaults = (
        VaultFacts("treasury", "base", "dry", False, hold(), last_trade=last, next_look=look),
        VaultFacts("grants", "base", "live", True, refusal(), next_look=look),
        VaultFacts("reserve", "mainnet", "live", True, hold(), paused=paused),
        VaultFacts("payroll", "mainnet", "live", True, hold(), halted="nonce 5 was used by somebody else"),
        VaultFacts("new", "mainnet", "live"),
    )
    return render_status(vaults, now=T0 + 800)


def demo() -> Page:
    traded, still = (given.filled(), given.reverted()), ()
    return render_demo(
        DemoFacts(
            vaults=(
                DemoVault(
                    "treasury", Fraction(400), Fraction(612), Fraction(39), Fraction(0), given.usd("19943.2"), traded
                ),
                DemoVault("reserve", Fraction(300), Fraction(288), Fraction(190), Fraction(100), None, still),
            ),
            refusals=(Refusal("treasury", "max_price_age", "chainlink WETH/USD is 97m old, 25m allowed", 12),),
            cycles=4_320,
            chain_seconds=3 * 86_400,
            seconds=41,
            journal="demo/journal.sqlite",
            next_commands=("keeper status demo/config.yaml", "keeper explain demo/config.yaml"),
        )
    )


def history() -> Page:
    return render_history((given.filled(), given.reverted(), given.transaction(State.SENT)))


AFTER = CycleNote(48_214, T0 + 1_025, "hold", "every asset is inside its band")

PAGES: dict[str, Callable[[], Page]] = {
    "plan_trade": lambda: plan(given.trading()),
    "plan_role": lambda: plan(given.in_role()),
    "plan_trade_all": lambda: plan(given.trading(), show_all=True),
    "plan_armed": lambda: plan(armed(given.trading())),
    "plan_approval_first": lambda: plan(given.trading(approves=True)),
    "plan_denied": lambda: plan(given.denied()),
    "plan_failing_simulation": lambda: plan(given.failing()),
    "plan_oracle_floor": lambda: plan(given.oracle_bound()),
    "plan_three_assets": lambda: plan(given.three()),
    "plan_split": lambda: plan(given.split()),
    "plan_split_all": lambda: plan(given.split(), show_all=True),
    "plan_first_of_two": lambda: plan(given.first_of_two()),
    "plan_unsplit": lambda: plan(given.unsplit()),
    "plan_tidy": lambda: plan(given.tidying()),
    "plan_hold": lambda: plan(given.holding()),
    "plan_slice": lambda: plan(slices.slice_now()),
    "plan_slice_waits": lambda: plan(slices.slice_waits()),
    "plan_peg": lambda: plan(pegs.inside()),
    "plan_peg_warming_up": lambda: plan(pegs.warming()),
    "explain_peg": lambda: render_explain(pegs.quiet()),
    "explain_peg_beyond_wall": lambda: render_explain(pegs.wall()),
    "plan_no_price": lambda: plan(given.priceless()),
    "plan_unreadable": lambda: plan(given.unreadable()),
    "explain_hold": lambda: render_explain(hold()),
    "explain_slice": lambda: render_explain(dry(slices.slice_now())),
    "explain_first_slice": lambda: render_explain(dry(slices.first())),
    "explain_slice_waits": lambda: render_explain(hold_of_slices()),
    "explain_no_price": lambda: render_explain(no_price()),
    "explain_unreadable": lambda: render_explain(unreadable()),
    "explain_wait": lambda: render_explain(waiting()),
    "explain_denied": lambda: render_explain(refusal()),
    "explain_denied_all": lambda: render_explain(refusal(), show_all=True),
    "explain_halted": lambda: render_explain(halted()),
    "explain_breaker": lambda: render_explain(stopped(LATCHED)),
    "explain_breaker_rests": lambda: render_explain(stopped(LATCH)),
    "explain_trial": lambda: render_explain(on_trial()),
    "explain_window": lambda: render_explain(outside_window()),
    "explain_unarmed": lambda: render_explain(dry(unarmed(given.trading()))),
    "explain_mined": lambda: render_explain(sent(given.transaction(State.MINED, mined=given.mined()))),
    "explain_dry": lambda: render_explain(dry(given.trading())),
    "explain_dry_approval": lambda: render_explain(dry(given.trading(approves=True), "approve")),
    "explain_dry_three": lambda: render_explain(dry(given.three())),
    "explain_split": lambda: render_explain(dry(given.split())),
    "explain_first_of_two": lambda: render_explain(dry(given.first_of_two())),
    "explain_tidy": lambda: render_explain(dry(given.tidying(), "revoke")),
    "explain_trade": lambda: render_explain(sent(given.filled(), after=AFTER)),
    "explain_failed": lambda: render_explain(sent(given.reverted())),
    "explain_live": lambda: render_explain(sent(given.transaction(State.SENT))),
    "explain_cancelled": lambda: render_explain(sent(given.transaction(State.FINAL_CANCELLED))),
    "explain_external": lambda: render_explain(sent(given.transaction(State.EXTERNAL))),
    "explain_unsent": lambda: render_explain(sent()),
    "status": status,
    "status_breakers": status_of_breakers,
    "demo": demo,
    "history": history,
}


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, build in PAGES.items():
        (GOLDEN / f"{name}.txt").write_text(build().plain(WIDTH), encoding="utf-8")
