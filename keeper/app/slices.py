"""A vault's strategy as it is traded: in slices where the configuration asks for them, and where a trade exceeds the
clip in any case."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.app.setting import Setting
from keeper.config.slices import SlicesConfig
from keeper.config.vaults import VaultConfig
from keeper.core.ports import Strategy
from keeper.core.units import WHOLE_BPS, TokenAmount
from keeper.strategies.parents import Slicing, no_pauses
from keeper.strategies.sliced import Sliced
from keeper.strategies.weights import Weights


def in_slices(strategy: Strategy, setting: Setting) -> Strategy:
    """What is larger than the clip is one trade in several slices, with or without `slices` in the configuration."""
    vault = setting.config.vaults[setting.name]
    clip: TokenAmount = vault.guards.max_trade
    if isinstance(strategy, Weights):
        clip = strategy.clip or clip
        strategy = replace(strategy, clip=None)
    if vault.slices is None:
        return Sliced(strategy, strategy, no_pauses(clip))
    return Sliced(*_begun(strategy), _wishes(vault, vault.slices, clip))


def _begun(strategy: Strategy) -> tuple[Strategy, Strategy]:
    """What begins a trade, and what goes on with it: to its destination, also when its calendar's date is over. A clip
    from gas is what slices are made from anyway."""
    if not isinstance(strategy, Weights):
        return strategy, strategy
    begins = replace(strategy, by_gas=replace(strategy.by_gas, clip=False))
    return begins, replace(begins, bands=begins.bands.to_destination(), calendar=None)


def _wishes(vault: VaultConfig, wanted: SlicesConfig, clip: TokenAmount) -> Slicing:
    return Slicing(
        volatility=Fraction(vault.execution.volatility, WHOLE_BPS),
        most=min(wanted.most, max(1, vault.guards.max_trades.limit)),
        spacing=wanted.spacing,
        least_wait=vault.guards.cool_down,
        deadline=wanted.deadline,
        worse=wanted.worse,
        variation=Fraction(wanted.jitter, WHOLE_BPS),
        clip=clip,
    )
