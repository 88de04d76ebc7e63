"""What a vault is kept at: one file for each kind, and their union."""

from __future__ import annotations

from typing import Annotated

from pydantic import Discriminator, Tag

from keeper.config.kinds import kind_of
from keeper.config.peg import PegConfig
from keeper.config.weights import WeightsConfig

StrategyConfig = Annotated[
    Annotated[WeightsConfig, Tag("kind=weights")] | Annotated[PegConfig, Tag("kind=peg")], Discriminator(kind_of)
]
"""All strategy kinds. Each says its `symbols`, where they stand, and the prices that it brings itself."""
