"""What holds for every test, and figures that tests measured: shown at the end of a run, also those of workers."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# How long an example takes is this machine's business, which does other things beside it. A change is judged by the
# same examples as the last one was; new ones are hunted for in a soak.
settings.register_profile("keeper", deadline=None, derandomize="KEEPER_SOAK" not in os.environ)
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
