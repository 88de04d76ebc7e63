"""`bench/policy.py` at a small size: the claim it is there for, and that its rules are the product's."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from bench.drifting import BandRule, PairRule, World, by_pairs, keep
from bench.frame import FULL
from bench.policy import SETTINGS, YARDSTICK, against_yardstick, compare, ours, rivals, world
from keeper.core.plan import PairBand
from keeper.strategies.strain import pair_up
from tests.builders import DAI, USDC, WBTC, WETH

SMALL = replace(world(FULL), paths=12, years=3.0, looks=4)


@pytest.fixture(scope="module")
def yardstick() -> dict[str, float]:
    """By how much ours is lower in each setting, median over the paths."""
    found = against_yardstick(compare(SMALL))
    return {setting: float(np.median(line.lower)) for setting, line in found.items()}


@pytest.mark.parametrize("setting", [setting.name for setting in SETTINGS])
def test_ours__against_the_best_tuned_rule__costs_a_fifth_less(setting: str, yardstick: dict[str, float]) -> None:
    assert yardstick[setting] >= 0.20


def test_yardstick__rules__are_at_least_twenty() -> None:
    assert sum(len(rules) for family, rules in rivals().items() if family in YARDSTICK) >= 20


def test_pair_rule__any_drift__trades_what_the_product_would() -> None:
    """One look of the simulation beside `pair_up`, on drifts that a look may find."""
    rule, tokens = ours(SETTINGS[0]), (WETH, USDC, DAI, WBTC)
    targets = dict(zip(tokens, (4000, 3000, 2000, 1000), strict=True))
    bands = [
        PairBand(tokens[i], tokens[j], round(rule.trigger[i, j] * 10_000), round(rule.destination[i, j] * 10_000))
        for i, j in permutations(range(4), 2)
    ]
    random = np.random.default_rng(7)
    traded = 0
    for _ in range(200):
        drift = random.normal(0, 400, 4).round()
        drift -= drift.mean()
        exact = {token: Fraction(float(d)) for token, d in zip(tokens, drift, strict=True)}
        after = dict(exact)
        for pairing in pair_up(bands, exact, targets, lambda _sell, _buy: True):
            after[pairing.sell] = pairing.floor - targets[pairing.sell]
            after[pairing.buy] = pairing.ceiling - targets[pairing.buy]
            traded += 1
        assert _one_look(rule, drift) == pytest.approx([float(after[token]) for token in tokens], abs=1e-6)
    assert traded > 100


def _one_look(rule: PairRule, drift: np.ndarray) -> list[float]:
    """{bps} What one look makes of a drift: found as the difference that trading made."""
    drifts = (drift / 10_000)[None, None].copy()
    by_pairs([rule])(drifts, np.zeros((3, 1, 1)), 1)
    return [float(value) * 10_000 for value in drifts[0, 0]]


def test_keep__one_band__is_traded_as_often_as_the_formula_says() -> None:
    """Two assets of 50 %: trades s²/(h² − m²), turnover s²/(h + m), mean square (h² + m²)/6, each within a tenth."""
    h, m, q = 0.03, 0.01, 0.6
    half = np.array([0.5, 0.5])
    rule = BandRule("both", np.array([h, h]), np.array([m, m]))
    where = World(half, np.diag([q * q, 1e-12]), paths=24, years=6.0, looks=48, seed=3)
    kept = keep(where, [rule])
    s2 = (0.25 * q) ** 2
    wide = h + 0.5826 * (s2 / (365 * 48)) ** 0.5
    assert kept.swaps.mean() == pytest.approx(s2 / (wide**2 - m**2), rel=0.1)
    assert kept.turnover.mean() == pytest.approx(s2 / (wide + m), rel=0.1)
    assert kept.variance.mean() == pytest.approx(q * q * (wide**2 + m**2) / 6, rel=0.1)
