"""What a vault is kept at: one file for each kind, and their union."""

from __future__ import annotations

from keeper.config.weights import WeightsConfig

StrategyConfig = WeightsConfig
"""All strategy kinds. Once there are two, a union with tags as `prices.SourceConfig` is. Each says its `symbols`."""
