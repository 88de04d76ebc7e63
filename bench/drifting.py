"""Many vaults drifting at once, each kept by its own rule, all on the same price paths. numpy and floats throughout.

Axes of every array: policy, path, asset. Costs are counted afterwards from what was traded, so that one run serves
every cost setting; they are small against the vault and do not feed back into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DAYS = 365
TINY = 1e-9
"""A swap below this is rounding."""


@dataclass(frozen=True, slots=True)
class World:
    """Targets, yearly covariance of returns, and how paths are drawn."""

    targets: Array
    covariance: Array
    paths: int
    years: float
    looks: int
    """A day: how often prices move and rules look."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class BandRule:
    """Each asset with its own band: outside `trigger` it goes back to `destination`, or, with `whole`, all of them do.

    `every` looks only so often: {days}; 0 at every look. Who trades with whom is as in `strategies/netting.py`.
    """

    name: str
    trigger: Array
    destination: Array
    whole: bool = False
    every: int = 0


@dataclass(frozen=True, slots=True)
class PairRule:
    """Each pair with its own band, as in `strategies/strain.py`."""

    name: str
    trigger: Array
    destination: Array


Rule = BandRule | PairRule


@dataclass(frozen=True, slots=True)
class Kept:
    """A year of each rule on each path, shares of the vault: {policy, path}."""

    swaps: Array
    turnover: Array
    squares: Array
    """Σ x² of all swaps."""
    variance: Array
    """Of the return against the targets'."""

    def cost(self, fixed: float, proportional: float, impact: float) -> Array:
        return fixed * self.swaps + proportional * self.turnover + impact * self.squares


def keep(world: World, rules: Sequence[Rule]) -> Kept:
    """Rules of one kind at a time: bands or pairs."""
    act = by_pairs(rules) if isinstance(rules[0], PairRule) else by_bands(rules, world.looks)
    random = np.random.default_rng(world.seed)
    count, assets = len(rules), len(world.targets)
    steps = int(world.years * DAYS * world.looks)
    scale = np.linalg.cholesky(world.covariance) / (DAYS * world.looks) ** 0.5
    trend = -np.diag(world.covariance) / (2 * DAYS * world.looks)
    weights = np.broadcast_to(world.targets, (count, world.paths, assets)).copy()
    traded = np.zeros((3, count, world.paths))
    variance = np.zeros((count, world.paths))
    for step in range(1, steps + 1):
        weights *= np.exp(random.standard_normal((world.paths, assets)) @ scale.T + trend)
        weights /= weights.sum(2, keepdims=True)
        drifts = weights - world.targets
        act(drifts, traded, step)
        weights = drifts + world.targets
        variance += np.einsum("psi,ij,psj->ps", drifts, world.covariance, drifts)
    return Kept(*traded / world.years, variance / steps)


# --- bands of assets -------------------------------------------------------------------------------------------------


def by_bands(rules: Sequence[Rule], looks: int) -> Any:
    trigger = np.array([rule.trigger for rule in rules])
    destination = np.array([rule.destination for rule in rules])
    whole = np.array([isinstance(rule, BandRule) and rule.whole for rule in rules])
    every = np.array([max(1, rule.every * looks) if isinstance(rule, BandRule) else 1 for rule in rules])

    def act(drifts: Array, traded: Array, step: int) -> None:
        out = (np.abs(drifts) > trigger[:, None]) & (step % every == 0)[:, None, None]
        where = np.nonzero(out.any(2))
        if len(where[0]):
            moved = drifts[where]
            out = out[where] | whole[where[0]][:, None]
            excess = np.where(out, np.maximum(np.abs(moved) - destination[where[0]], 0), 0)
            over, under = np.where(moved > 0, excess, 0), np.where(moved < 0, excess, 0)
            missing = over.sum(1) - under.sum(1)
            under += _help(np.maximum(-moved, 0) - under, missing)
            over += _help(np.maximum(moved, 0) - over, -missing)
            swaps = _matched(over, under)
            traded[0][where] += (swaps > TINY).sum(1)
            traded[1][where] += swaps.sum(1)
            traded[2][where] += (swaps**2).sum(1)
            drifts[where] = moved - over + under

    return act


def _help(room: Array, missing: Array) -> Array:
    """What others take, the one with most room first, until nothing is missing."""
    order = np.argsort(-room, 1)
    sorted_room = np.maximum(np.take_along_axis(room, order, 1), 0)
    before = np.cumsum(sorted_room, 1) - sorted_room
    part = np.clip(np.maximum(missing, 0)[:, None] - before, 0, sorted_room)
    given = np.zeros_like(room)
    np.put_along_axis(given, order, part, 1)
    return given


def _matched(over: Array, under: Array) -> Array:
    """Sizes of the swaps when the largest givers meet the largest takers in turn: steps between both running totals."""
    totals = [np.cumsum(-np.sort(-side, 1), 1) for side in (over, under)]
    return np.diff(np.sort(np.concatenate(totals, 1), 1), axis=1, prepend=0)


# --- bands of pairs --------------------------------------------------------------------------------------------------


def by_pairs(rules: Sequence[Rule]) -> Any:
    trigger = np.array([rule.trigger for rule in rules])[:, None]
    destination = np.array([rule.destination for rule in rules])[:, None]
    assets = trigger.shape[-1]

    def act(drifts: Array, traded: Array, step: int) -> None:  # noqa: ARG001  every look is alike
        for _ in range(assets - 1):
            apart = (drifts[..., :, None] - drifts[..., None, :]) / 2
            opposite = (drifts[..., :, None] > 0) & (drifts[..., None, :] < 0)
            strain = np.where(opposite, apart / trigger, 0).reshape(*drifts.shape[:2], -1)
            best = strain.argmax(2)
            where = np.nonzero(strain.max(2) > 1)
            if not len(where[0]):
                return
            sell, buy = np.divmod(best[where], assets)
            left, right = drifts[*where, sell], drifts[*where, buy]
            to_edge = (left - right) / 2 - destination[where[0], 0, sell, buy]
            part = np.minimum(np.minimum(left, -right), to_edge)
            drifts[*where, sell] -= part
            drifts[*where, buy] += part
            traded[0][where] += 1
            traded[1][where] += part
            traded[2][where] += part**2

    return act
