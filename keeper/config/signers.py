"""With which key a vault's transactions are signed, and where that key is held."""

from __future__ import annotations

from typing import Annotated

from keeper.config.fields import Address, File, Flag, Key, Part, RpcUrl, Seconds, between

WAYS = ("keystore", "remote", "key_file", "key")
"""Where a key may be held; each signer names one."""


class SignerConfig(Part):
    """A key: in an encrypted keystore, with a remote signer, in a file of its own, or, if that is allowed, in a
    variable."""

    address: Address
    keystore: File | None = None
    password_file: File | None = None
    remote: RpcUrl | None = None
    """Answers eth_signTransaction; shown without what may be a token in it."""
    timeout: Annotated[Seconds, between(1, 60, "a duration from 1s to 1m")] = 5
    """How long one answer of `remote` may take."""
    key_file: File | None = None
    key: Key | None = None
    allow_env_key: Flag = False

    @property
    def kind(self) -> str:
        """One of WAYS."""
        return next((way for way in WAYS if getattr(self, way) is not None), "none")
