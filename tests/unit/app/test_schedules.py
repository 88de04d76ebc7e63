from __future__ import annotations

from pathlib import Path

import pytest

from keeper.app.schedules import make_schedule, make_windows, why_not_now
from keeper.schedule import Cron, Every, EveryBlocks, Schedule
from tests.builders import NOW
from tests.unit.app.app_configs import POOL, config

POOLS = f'    pools: ["{POOL}"]\n'


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("{every: 5m}", Every(300)),
        ("{every: 3 blocks}", EveryBlocks(3, 1.0)),
        ("{cron: 0 8 * * MON, zone: Europe/Zurich}", Cron("0 8 * * MON", "Europe/Zurich")),
    ],
)
def test_schedule__as_configured__is_that_one(tmp_path: Path, text: str, schedule: Schedule) -> None:
    loaded = config(tmp_path, (POOLS, f"{POOLS}    schedule: {text}\n"))
    assert make_schedule(loaded.config.vaults["treasury"].schedule, 1.0) == schedule


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ("[]", ""),
        ("Mon-Fri 08:00-20:00 UTC", ""),
        ("Sat 08:00-20:00 UTC", "outside its act window (Sat 08:00-20:00 UTC), next 08:00 Saturday"),
        ("[Sat 08:00-20:00 UTC, Mon 14:00-15:00 UTC]", ""),
        (
            "[Sat 08:00-20:00 UTC, Tue 06:00-07:00 UTC]",
            "outside its act window (Tue 06:00-07:00 UTC), next 06:00 Tuesday",
        ),
    ],
)
def test_windows__on_a_monday_afternoon__say_why_not(tmp_path: Path, act: str, why: str) -> None:
    loaded = config(tmp_path, (POOLS, f"{POOLS}    schedule: {{every: 5m, act: {act}}}\n"))
    assert why_not_now(make_windows(loaded.config.vaults["treasury"].schedule), NOW) == why
