"""Made-up prices: `gbm seed=7 years=3`, `jumps …`, `depeg …`. The same words give the same path on every machine.

Every token that is not a dollar follows a geometric Brownian motion without expected gain; two are correlated through
one common factor. `jumps` adds sudden moves of all of them; `depeg` lets the dollars sag and come back.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from keeper.backtest.prices import Prices
from keeper.core.backtests import YEAR
from keeper.core.errors import ConfigError

KINDS = ("gbm", "jumps", "depeg")
START = 1_735_689_600
"""2025-01-01 00:00 UTC"""
JUMP = 0.08
"""Standard deviation of a sudden move."""
SAG_DAYS = 2.0
"""Half of what a dollar has lost comes back in so many days."""
STEPS = 5_000_000
_KEYS: Mapping[str, tuple[float, float, float]] = {
    # name: default, least, most
    "seed": (1, 0, 2**53),
    "years": (1, 0.002, 30),
    "step": (300, 1, 86_400),
    "volatility": (0.7, 0.0, 5),
    "correlation": (0.6, 0.0, 1),
    "jumps": (6, 0.0, 1_000),
    "depegs": (2, 0.0, 100),
    "depth": (0.1, 0.001, 0.9),
}
"""`step` in seconds; `jumps` and `depegs` a year; `depth` is how much of a dollar is lost at worst."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a path is drawn."""

    kind: str
    figures: Mapping[str, float]
    text: str

    def __getitem__(self, name: str) -> float:
        return self.figures[name]

    @property
    def steps(self) -> int:
        return int(self["years"] * YEAR / self["step"])


def parse(text: str) -> Recipe:
    """Raises ConfigError: one line."""
    kind, *words = text.split() or [""]
    if kind not in KINDS:
        raise ConfigError("command", "--synthetic", f"one of {', '.join(KINDS)}, then key=value", text or "nothing")
    figures = {name: default for name, (default, _, _) in _KEYS.items()}
    for word in words:
        name, _, value = word.partition("=")
        if name not in _KEYS:
            raise ConfigError("command", "--synthetic", f"keys among {', '.join(_KEYS)}", word)
        figures[name] = _figure(word, name, value)
    recipe = Recipe(kind, figures, text)
    if not 2 <= recipe.steps <= STEPS:
        raise ConfigError("command", "--synthetic", f"2 to {STEPS:,} steps", f"{recipe.steps:,}")
    return recipe


def _figure(word: str, name: str, value: str) -> float:
    _, least, most = _KEYS[name]
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not least <= found <= most or (name in ("seed", "step") and found != int(found)):
        raise ConfigError("command", "--synthetic", f"{name} from {least:g} to {most:g}", word)
    return found


def draw(recipe: Recipe, symbols: Sequence[str], dollars: frozenset[str], starts: Mapping[str, float]) -> Prices:
    """A path for `symbols`; `dollars` are those that should be worth one. `starts` in USD, 100 where there is none."""
    source = random.Random(int(recipe["seed"]))  # noqa: S311  paths, not secrets
    step = int(recipe["step"])
    moving = [symbol for symbol in symbols if symbol not in dollars]
    move = _mover(recipe, source, len(moving))
    sag = _sagger(recipe, source) if recipe.kind == "depeg" else lambda: 1.0
    logs = [math.log(starts.get(symbol, 100.0)) for symbol in moving]
    rows = []
    for index in range(recipe.steps + 1):
        if index:
            logs = [now + by for now, by in zip(logs, move(), strict=True)]
        found = dict(zip(moving, map(math.exp, logs), strict=True))
        dollar = sag()
        rows.append(tuple(found.get(symbol, dollar) for symbol in symbols))
    times = range(START, START + step * len(rows), step)
    return Prices(tuple(symbols), times, rows, recipe.text)


def _mover(recipe: Recipe, source: random.Random, count: int) -> Callable[[], list[float]]:
    """Changes of the logarithms in one step; the mean makes the price itself expect no gain."""
    part = recipe["step"] / YEAR
    common = math.sqrt(recipe["correlation"]) * recipe["volatility"] * math.sqrt(part)
    own = math.sqrt(1 - recipe["correlation"]) * recipe["volatility"] * math.sqrt(part)
    trend = -(recipe["volatility"] ** 2) / 2 * part
    chance = recipe["jumps"] * part if recipe.kind == "jumps" else 0.0
    gauss = source.gauss

    def move() -> list[float]:
        shared = trend + common * gauss(0.0, 1.0)
        if chance and source.random() < chance:
            shared += JUMP * gauss(0.0, 1.0) - JUMP**2 / 2
        return [shared + own * gauss(0.0, 1.0) for _ in range(count)]

    return move


def _sagger(recipe: Recipe, source: random.Random) -> Callable[[], float]:
    """What a dollar is worth: now and then part of it is gone at once, and comes back day by day."""
    chance = recipe["depegs"] * recipe["step"] / YEAR
    back = math.exp(-math.log(2) * recipe["step"] / (SAG_DAYS * 86_400))
    lost = 0.0

    def sag() -> float:
        nonlocal lost
        lost *= back
        if source.random() < chance:
            lost = max(lost, recipe["depth"] * (0.5 + source.random() / 2))
        return 1.0 - lost

    return sag
