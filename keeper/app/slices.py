"""A vault's strategy as it is traded: in slices, where the configuration asks for them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.app.setting import Setting
from keeper.core.ports import Strategy
from keeper.core.units import WHOLE_BPS, TokenAmount
from keeper.strategies.parents import Slicing
from keeper.strategies.sliced import Sliced
from keeper.strategies.weights import Weights


def in_slices(strategy: Strategy, setting: Setting) -> Strategy:
    """The clip of weights becomes the most that one slice may be worth, and one from gas is what slices are made from
    anyway. What has begun goes on to its destination, also when its calendar's date is over."""
    vault = setting.config.vaults[setting.name]
    wanted = vault.slices
    if wanted is None:
        return strategy
    clip: TokenAmount = vault.guards.max_trade
    resumed = strategy
    if isinstance(strategy, Weights):
        clip = strategy.clip or clip
        strategy = replace(strategy, clip=None, by_gas=replace(strategy.by_gas, clip=False))
        resumed = replace(strategy, bands=strategy.bands.to_destination(), calendar=None)
    wishes = Slicing(
        volatility=Fraction(vault.execution.volatility, WHOLE_BPS),
        most=min(wanted.most, max(1, vault.guards.max_trades.limit)),
        spacing=wanted.spacing,
        least_wait=vault.guards.cool_down,
        deadline=wanted.deadline,
        worse=wanted.worse,
        variation=Fraction(wanted.jitter, WHOLE_BPS),
        clip=clip,
    )
    return Sliced(strategy, resumed, wishes)
