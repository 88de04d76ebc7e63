"""Whether slices and slippage fit the guards of their vault: what a guard would refuse each time is refused here."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.config.faults import Fault
from keeper.config.paths import Path
from keeper.config.peg import PegConfig
from keeper.config.units import duration_text
from keeper.config.vaults import VaultConfig


def slices(vault: VaultConfig, path: Path) -> Iterator[Fault]:
    slippage, most = vault.execution.slippage, vault.guards.max_slippage
    if isinstance(slippage, int) and not 1 <= slippage <= most:
        yield Fault((*path, "execution", "slippage"), f"1bps to max_slippage ({most}bps), or auto", f"{slippage}bps")
    wanted = vault.slices
    if wanted is None:
        return
    if isinstance(vault.strategy, PegConfig):
        yield Fault((*path, "slices"), "nothing: a peg trades in bites of its own", "slices")
    pause = 2 * vault.guards.cool_down
    reason = f"at least twice the cool_down ({duration_text(pause)}): a wait may be half as long"
    if wanted.spacing is not None and wanted.spacing < pause:
        yield Fault((*path, "slices", "spacing"), reason, duration_text(wanted.spacing))
    shortest = wanted.spacing or max(1, pause)
    if wanted.deadline is not None and wanted.deadline < shortest:
        expected = f"time for two slices: {duration_text(shortest)} or more"
        yield Fault((*path, "slices", "deadline"), expected, duration_text(wanted.deadline))
