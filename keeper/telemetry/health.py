"""Is the daemon alive? Its beats in the journal say so; `keeper status` and a container's HEALTHCHECK ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_SILENCE = 180
"""{s} Where a chain's schedule says nothing longer: six of the daemon's half-minute beats."""


@dataclass(frozen=True, slots=True)
class Beat:
    """The latest sign of life of one chain's loop; at 0 where it never beat.

    `text` is what the loop counts: vaults, looks skipped, cycles failed. `allowed` is the silence in seconds that is
    still healthy.
    """

    chain: str
    at: int
    block: int = 0
    text: str = ""
    allowed: int = LONGEST_SILENCE


def health(beats: Sequence[Beat], now: int) -> tuple[bool, str]:
    """Healthy where every chain's beat is young enough. The text names each chain, the silent ones first."""
    if not beats:
        return False, "no beat: the daemon has not started"
    silent = [beat for beat in beats if now - beat.at > beat.allowed]
    told = [
        f"{b.chain}: silent for {now - b.at} s, expected at most {b.allowed} s" if b.at else f"{b.chain}: no beat yet"
        for b in silent
    ]
    told += [
        f"{b.chain}: beat {max(0, now - b.at)} s ago at block {b.block:,}{f', {b.text}' if b.text else ''}"
        for b in beats
        if b not in silent
    ]
    return not silent, " · ".join(told)
