"""A new key for a vault: it may begin once the old one's transactions are final, and not before."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.config import Loaded
from keeper.core.errors import ConfigError
from keeper.core.sending import Intent


def require_drained(loaded: Loaded, armed: Sequence[str], unfinished: Sequence[Intent]) -> None:
    """`unfinished` are a chain's live and unfinal intents, `armed` its vaults that send.

    Raises ConfigError where a vault has another sender by now: a transaction of the old one may still be mined, or
    come back after a reorg, and then both would have traded.
    """
    for intent in unfinished:
        if intent.vault in armed and intent.sender != loaded.config.signing_for(intent.vault):
            place = loaded.config.signer_place(intent.vault)
            left = f"nonce {intent.nonce} still {intent.state}"
            expected = f"the signer of {intent.sender}, until its transactions are final (keeper keys rotate)"
            raise ConfigError(str(loaded.path), place, expected, f"another one, with {left}")
