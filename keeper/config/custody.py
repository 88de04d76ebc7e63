"""Who holds the funds."""

from __future__ import annotations

from typing import Literal

from keeper.config.fields import Address, Name, Part
from keeper.core.units import Address as CoreAddress


class WalletConfig(Part):
    """The funds lie in the account of the key itself. Without a signer the vault can only be dry."""

    kind: Literal["wallet"]
    signer: Name | None = None
    address: Address | None = None
    native: Literal["count", "ignore"] = "count"
    """Whether native coin above the gas reserve counts as its wrapped token."""

    @property
    def account(self) -> CoreAddress | None:
        """Where the funds lie; None where that is the signer's own account."""
        return self.address


CustodyConfig = WalletConfig
"""All custody kinds. Once there are two, a union with tags as `prices.SourceConfig` is."""
