from __future__ import annotations

from fractions import Fraction

from keeper.core.verdicts import Allow, Deny
from keeper.guards.verdicts import at_most, failed, no_trade


def test_at_most__equal__allows_and_is_used_up() -> None:
    assert at_most("g", (5, 5), ("5 bps", "5 bps"), "too much") == Allow("g", "5 bps", "5 bps", Fraction(1))


def test_at_most__beyond__denies_with_a_sentence() -> None:
    assert at_most("g", (6, 5), ("6 bps", "5 bps"), "too much", ("line",), "wait") == Deny(
        "g", "too much: 6 bps measured, 5 bps allowed", "6 bps", "5 bps", Fraction(6, 5), ("line",), "wait"
    )


def test_at_most__limit_of_zero__has_no_ratio() -> None:
    assert at_most("g", (0, 0), ("0", "0"), "").used is None


def test_no_trade_and_failed__say_why() -> None:
    assert no_trade("g", "5 bps").measured == "does not apply: no trade"
    assert failed("g", "STF").reason == "the simulation failed: STF"
