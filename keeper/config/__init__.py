"""The configuration: one frozen tree, read once, every value with its origin."""

from keeper.config.load import Loaded, load, show
from keeper.config.tree import Config

__all__ = ["Config", "Loaded", "load", "show"]
