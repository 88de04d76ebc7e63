from __future__ import annotations

import pytest

from keeper.report.figures import compared, listing, measured_of, used_percent


def guard(measured: str, limit: str, used: str | None = None) -> dict[str, object]:
    return {"measured": measured, "limit": limit, "used": used}


@pytest.mark.parametrize(
    ("measured", "limit", "text"),
    [
        ("47,017 USD", "100,000 USD", "47,017 of 100,000 USD"),
        ("$47,017.20", "$100,000.00", "$47,017.20 of $100,000.00"),
        ("2.35 %", "10 % per 24h", "2.35 % of 10 % per 24h"),
        ("4.1pp after", "below 4.35pp now", "4.1pp after, below 4.35pp now"),
        ("no trade yet", "at least 5m", "no trade yet, at least 5m"),
        ("no price of the native coin", "25 bps", "no price of the native coin, 25 bps allowed"),
        ("does not apply: no trade", "50 bps", "does not apply: no trade"),
        ("not paused", "not paused", "not paused"),
        ("no", "", "no"),
    ],
)
def test_measured__beside_its_limit__reads_as_a_phrase(measured: str, limit: str, text: str) -> None:
    assert measured_of(guard(measured, limit)) == text


@pytest.mark.parametrize(
    ("measured", "limit", "text"),
    [
        ("163 bps", "100 bps", "163 bps measured, 100 bps allowed"),
        ("simulation failed", "must succeed", "simulation failed, must succeed"),
        ("no price", "25 bps", "no price, 25 bps allowed"),
        ("paused", "", "paused"),
    ],
)
def test_compared__of_a_refusal__reads_as_a_phrase(measured: str, limit: str, text: str) -> None:
    assert compared(guard(measured, limit)) == text


@pytest.mark.parametrize(("used", "text"), [("0.4702", "47 %"), ("0.999", "99 %"), ("1", "100 %"), (None, "")])
def test_used__nearly_all__is_not_all(used: str | None, text: str) -> None:
    assert used_percent(guard("", "", used)) == text


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_listing__words__are_joined(words: list[str], text: str) -> None:
    assert listing(words) == text
