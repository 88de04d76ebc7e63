"""The list of what stands and can be cleared."""

from __future__ import annotations

from keeper.report.halts import Standing, render_halts
from tests.unit.report.situations import T0


def test_halts__none__says_so() -> None:
    assert render_halts([], "").plain() == "Nothing is halted.\n"


def test_halts__some__each_has_its_number_its_state_and_why() -> None:
    found = [
        Standing(3, "treasury", T0, "breaker: loss: fills were worse; until a person clears it"),
        Standing(12, "reserve", T0 + 60, "breaker: reverts: 3 reverted; rests for 1h", tried=True),
    ]
    text = render_halts(found, "base.yaml").plain()
    assert text.splitlines()[:3] == [
        "halt  scope     state     since",
        "   3  treasury  halted    2026-11-20 03:00:00 UTC",
        "  12  reserve   on trial  2026-11-20 03:01:00 UTC",
    ]
    assert "3   breaker: loss: fills were worse; until a person clears it" in text
    assert 'let it go  keeper clear SCOPE --reason "…" -c base.yaml' in text
