"""Where alerts go: the log, and whoever the configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from keeper.chain.nodes.clock import SystemClock
from keeper.config import Loaded
from keeper.telemetry.alerts import Alerts
from keeper.telemetry.apprise_alerts import AppriseOutlet
from keeper.telemetry.logs import logger


def make_alerts(loaded: Loaded) -> tuple[AppriseOutlet, Alerts]:
    """The outlet is to be closed, which gives what still waits a few seconds to go out."""
    told = loaded.config.alerts
    outlet = AppriseOutlet([url.reveal() for url in told.to])
    return outlet, Alerts(logger("alert"), SystemClock(), told.remind, [outlet])


@contextmanager
def open_alerts(loaded: Loaded) -> Iterator[Alerts]:
    outlet, alerts = make_alerts(loaded)
    try:
        yield alerts
    finally:
        outlet.close()
