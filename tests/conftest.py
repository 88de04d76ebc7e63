"""What holds for every test, and figures that tests measured: shown at the end of a run, also those of workers."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How long an example takes is this machine's business, which does other things beside it.
settings.register_profile("keeper", deadline=None)
settings.load_profile("keeper")


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
