"""Schedules: crontab lines that are due some day, windows on the clock of a place."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from keeper.config.schedules import ScheduleConfig, Window
from keeper.config.units import Blocks


@pytest.mark.parametrize(
    ("raw", "look"),
    [
        ({}, 300),
        ({"every": "90s"}, 90),
        ({"every": "3 blocks"}, Blocks(3)),
        ({"cron": "0 8 * * 1-5", "zone": "Europe/Zurich"}, "0 8 * * 1-5"),
        ({"cron": "*/10 * * * *"}, "*/10 * * * *"),
        ({"cron": "0 0 29 2 *"}, "0 0 29 2 *"),
    ],
)
def test_look__as_written(raw: dict[str, str], look: object) -> None:
    assert ScheduleConfig.model_validate(raw).look == look


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("Mon-Fri 08:00-20:00 Europe/Zurich", Window((0, 1, 2, 3, 4), 480, 1_200, "Europe/Zurich")),
        ("Sat,Sun 00:00-24:00", Window((5, 6), 0, 1_440, "UTC")),
        ("Fri-Mon 22:30-06:00 America/New_York", Window((0, 4, 5, 6), 1_350, 360, "America/New_York")),
        ("Wed 09:15-09:16 UTC", Window((2,), 555, 556, "UTC")),
    ],
)
def test_act__window_as_written__and_back(text: str, window: Window) -> None:
    found = ScheduleConfig.model_validate({"act": text}).act
    assert found == (window,)
    assert ScheduleConfig.model_validate({"act": [str(window)]}).act == found


@pytest.mark.parametrize(
    "raw",
    [
        {"cron": "* * * *"},
        {"cron": "@daily"},
        {"cron": "60 * * * *"},
        {"cron": "0 0 31 4 *"},
        {"cron": "0 8 * * 1-5", "every": "5m"},
        {"zone": "Mars/Olympus"},
        {"zone": "../etc/passwd"},
        {"every": "0s"},
        {"every": "31d"},
        {"act": "Mon-Fri 08:00-08:00"},
        {"act": "Mon-Fri 8:00-20:00"},
        {"act": "Mon-Fri 08:00-24:01"},
        {"act": "Mon-Fri 24:00-08:00"},
        {"act": "weekdays 08:00-20:00"},
        {"act": "Mon-Fri 08:00-20:00 Zurich"},
    ],
    ids=lambda raw: next(iter(raw.values())),
)
def test_schedule__that_makes_no_sense__refused(raw: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ScheduleConfig.model_validate(raw)
