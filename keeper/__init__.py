"""keeper: keeps on-chain vaults where they should be, and shows why it did or did not trade."""

__version__ = "0.1.0"
