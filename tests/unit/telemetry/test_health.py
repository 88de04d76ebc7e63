from __future__ import annotations

import pytest

from keeper.telemetry.health import Beat, health

BASE = Beat("base", at=1_000, block=40_211_907)


@pytest.mark.fault("P28")
@pytest.mark.parametrize(
    ("beats", "now", "ok", "text"),
    [
        ((), 1_000, False, "no beat: the daemon has not started"),
        ((BASE,), 1_012, True, "base: beat 12 s ago at block 40,211,907"),
        ((BASE,), 1_180, True, "base: beat 180 s ago at block 40,211,907"),
        ((BASE,), 1_181, False, "base: silent for 181 s, expected at most 180 s"),
        (
            (Beat("base", at=1_000, block=7, text="9 vaults, 3 looks skipped"),),
            1_001,
            True,
            "base: beat 1 s ago at block 7, 9 vaults, 3 looks skipped",
        ),
        ((Beat("base", at=0),), 1_000, False, "base: no beat yet"),
        ((BASE,), 900, True, "base: beat 0 s ago at block 40,211,907"),
        (
            (BASE, Beat("mainnet", at=400, allowed=60)),
            1_012,
            False,
            "mainnet: silent for 612 s, expected at most 60 s · base: beat 12 s ago at block 40,211,907",
        ),
    ],
)
def test_health__beats__are_young_enough_or_not(beats: tuple[Beat, ...], now: int, ok: bool, text: str) -> None:
    assert health(beats, now) == (ok, text)
