"""Whoever holds the funds of a market's vault."""

from __future__ import annotations

from typing import NamedTuple

from keeper.core.units import Address


class Holder(NamedTuple):
    account: Address
    text: str
    """The vault's `custody` in the configuration."""
    between: Address | None = None
    """The contract that the key calls in place of the account."""
