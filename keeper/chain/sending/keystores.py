"""Encrypted keystores (Web3 Secret Storage, version 3), as geth and others write them: made, opened, and asked whose.

eth-account is imported only when a key is really opened: it takes longer to load than most commands take to run.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, cast

from eth_utils.address import to_checksum_address

from keeper.chain.sending.private_files import read_private, write_private
from keeper.chain.sending.signed import CURVE_ORDER
from keeper.core.errors import ConfigError
from keeper.core.units import Address

SCRYPT_N = 1 << 18
"""Geth's default: a guess costs about a second and 256 MB."""
MIN_SCRYPT_N = 1 << 13
"""What the weakest of the common tools writes (Foundry); geth's default is 2^18."""
MIN_PBKDF2_ROUNDS = 10_000

PASSWORD_BYTES = 32


def make_password() -> bytes:
    """One that nobody has to remember."""
    return secrets.token_urlsafe(PASSWORD_BYTES).encode()


def create_keystore(path: Path, password: bytes, where: str = "keys") -> Address:
    """Makes a key that nobody has seen, and writes it encrypted. Returns the key's address.

    Raises ConfigError where the path is taken.
    """
    from eth_account import Account

    key = (1 + secrets.randbelow(CURVE_ORDER - 1)).to_bytes(32, "big")
    address = Address(Account.from_key(key).address)
    keystore = Account.encrypt(key, password.decode(), kdf="scrypt", iterations=SCRYPT_N)
    if decrypt(keystore, password, path, where) != key:
        raise ConfigError(str(path), where, "a keystore that its password opens", "another")
    write_private(path, json.dumps(keystore).encode(), where)
    return address


def read_keystore(path: Path, where: str) -> dict[str, Any]:
    """Raises ConfigError where it is none, is open to others, or could be guessed too cheaply (FAULTS S7)."""
    try:
        found = json.loads(read_private(path, where))
        crypto = {str(key).lower(): value for key, value in found.items()}["crypto"]
        kdf, params = str(crypto["kdf"]), crypto["kdfparams"]
        strong = params["n"] >= MIN_SCRYPT_N if kdf == "scrypt" else params["c"] >= MIN_PBKDF2_ROUNDS
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(str(path), where, "a keystore (JSON, version 3)", "something else") from None
    if not strong:
        raise ConfigError(str(path), where, "a keystore with a strong key derivation", f"a weak {kdf}")
    return cast(dict[str, Any], found)


def decrypt(keystore: dict[str, Any], password: bytes, path: Path, where: str) -> bytes:
    """The key. Raises ConfigError, which never holds a part of the password."""
    from eth_account import Account

    try:
        return bytes(Account.decrypt(keystore, password.decode()))
    except (ValueError, KeyError, TypeError, NotImplementedError):
        # One attempt, no echo: the operator corrects the file and starts again.
        raise ConfigError(str(path), where, "a keystore that its password opens", "another password") from None


def written_address(keystore: dict[str, Any]) -> Address | None:
    """Whose key it says it holds; None where it does not say. Only the password proves it."""
    text = str(keystore.get("address", "")).removeprefix("0x")
    if len(text) != 40 or text.strip("0123456789abcdefABCDEF"):
        return None
    return Address(to_checksum_address("0x" + text))


def proven_address(keystore: dict[str, Any], password: bytes, path: Path, where: str = "keys") -> Address:
    """Whose key it holds. Raises ConfigError where the password is another one."""
    from eth_account import Account

    return Address(Account.from_key(decrypt(keystore, password, path, where)).address)
