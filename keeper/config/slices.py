"""Trading in slices: whatever the strategy wants, in parts, with pauses in which the pool recovers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from keeper.config.fields import Bps, Count, Part, Seconds, Weight, Wrong, between


class SlicesConfig(Part):
    """Everything has a default, so that `slices: auto` is enough."""

    most: Annotated[Count, between(2, 1_000, "2 to 1000")] = 24
    """Slices of one trade, where cost alone would ask for more."""
    spacing: Annotated[Seconds, between(2, 12 * 3_600, "a duration from 2s to 12h")] | None = None
    """Mean time between slices; None: four times what the pool's fee and the volatility make it."""
    deadline: Annotated[Seconds, between(60, 7 * 86_400, "a duration from 1m to 7d")] | None = None
    worse: Annotated[Bps, between(1, 2_000, "1bps to 2000bps")] = 100
    """A slice waits while the price is worse by more than when the first was decided."""
    jitter: Annotated[Weight, between(0, 5_000, "0% to 50%")] = 2_500
    """Coefficient of variation of the sizes; times always vary."""


def auto(value: Any) -> Any:
    """`slices: auto` is a mapping without keys."""
    if not isinstance(value, str):
        return value
    if value != "auto":
        raise Wrong("auto, or a mapping")
    return {}


Slices = Annotated[SlicesConfig, BeforeValidator(auto)]
