"""Nothing that is installed with the keeper uploads tracebacks: they may hold what no log line may."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
REPORTERS = frozenset(
    {"sentry-sdk", "raven", "rollbar", "bugsnag", "raygun4py", "honeybadger", "airbrake", "newrelic", "ddtrace",
     "elastic-apm", "opentelemetry-sdk", "opencensus", "scout-apm", "logfire", "posthog"}
)  # fmt: skip


@pytest.mark.fault("S5")
@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock__holds_no_crash_reporter(lock: str) -> None:
    names = {match[1].lower() for match in re.finditer(r"^([A-Za-z0-9_.-]+)==", (ROOT / lock).read_text("utf-8"), re.M)}
    assert len(names) > 20
    assert names & REPORTERS == set()
