"""Figures that tests measured, shown at the end of a run: also by workers, whose own output nobody sees."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for found in terminalreporter.stats.values() for report in found]
    told = [
        str(text) for report in reports for name, text in getattr(report, "user_properties", ()) if name == "figure"
    ]
    if told:
        terminalreporter.section("figures")
        for text in dict.fromkeys(told):
            terminalreporter.write_line(text)
