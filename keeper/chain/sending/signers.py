"""Keys: read from guarded files, held where nothing prints them, and checked after every signature.

What the key signs is the digest of a transaction that signed.py puts together, as for keys that live elsewhere. What
does it is imported only when a key is really opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from keeper.chain.sending.keystores import decrypt, read_keystore
from keeper.chain.sending.private_files import read_private
from keeper.chain.sending.signed import CURVE_ORDER, Signature, address_of, assemble, check_signature, digest
from keeper.core.development import ACCOUNTS
from keeper.core.errors import ConfigError, SubmitError
from keeper.core.units import Address

LOCAL_CHAINS = frozenset({1337, 31337})
Sign = Callable[[bytes], Signature]
"""Of the 32 bytes of a digest. Raises SubmitError."""


class LocalSigner:
    """A key in this process. The key lives only inside a closure: no attribute, repr, vars or pickle gives it away.

    Guarantees that what comes out was signed by `address` and says exactly what was asked, as it sees no more of it
    than its digest. Does not judge what it signs; guards do that.
    """

    __slots__ = ("_address", "_chain_ids", "_sign", "is_here")

    def __init__(
        self, address: Address, sign: Sign, chain_ids: frozenset[int] | None = None, *, is_here: bool = False
    ) -> None:
        """`chain_ids` are those it signs for; None where that is somebody else's to say. `is_here`: `sign` asks nobody
        outside this process."""
        self._address, self._sign, self._chain_ids, self.is_here = address, sign, chain_ids, is_here

    @property
    def address(self) -> Address:
        return self._address

    def sign(self, transaction: Mapping[str, object]) -> bytes:
        """The raw signed transaction: EIP-1559 where it has `maxFeePerGas`, else legacy. Raises SubmitError."""
        if self._chain_ids is not None and transaction.get("chainId") not in self._chain_ids:
            raise SubmitError(f"signer {self._address}: chain {transaction.get('chainId')} is not one of its own")
        message = digest(transaction)
        signature = self._sign(message)
        check_signature(signature, message, self._address)
        return assemble(transaction, *signature)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied or pickled")


class KeySigner(LocalSigner):
    """A key as 64 hex digits in a file of its own."""

    __slots__ = ()

    def __init__(self, path: Path, expected: Address, chain_ids: frozenset[int], *, where: str = "signers") -> None:
        """`chain_ids` are those it will sign for. Raises ConfigError, which never holds a part of the key."""
        key = _digits(read_private(path, where).strip(), str(path), where)
        super().__init__(*_open(key, path, expected, chain_ids, where), is_here=True)


class EnvSigner(LocalSigner):
    """A key out of the environment, where that was explicitly allowed: every process of the same user can read it."""

    __slots__ = ()

    def __init__(self, text: str, expected: Address, chain_ids: frozenset[int], *, where: str = "signers") -> None:
        """Raises ConfigError, which never holds a part of the key."""
        key = _digits(text.strip().encode(), "environment", where)
        super().__init__(*_open(key, Path("environment"), expected, chain_ids, where), is_here=True)


def _digits(text: bytes, source: str, where: str) -> bytes:
    digits = text[2:] if text.startswith(b"0x") else text
    if len(digits) != 64 or digits.strip(b"0123456789abcdefABCDEF"):
        raise ConfigError(source, where, "64 hex digits", f"{len(text)} bytes of something else")
    return bytes.fromhex(digits.decode())


class KeystoreSigner(LocalSigner):
    """A key in an encrypted keystore (Web3 Secret Storage, version 3), its password in another guarded file."""

    __slots__ = ()

    def __init__(
        self,
        path: Path,
        password_file: Path,
        expected: Address,
        chain_ids: frozenset[int],
        *,
        where: str = "signers",
    ) -> None:
        """Raises ConfigError, which never holds a part of the key or the password."""
        keystore = read_keystore(path, where)
        password = read_private(password_file, where).rstrip(b"\r\n")
        key = decrypt(keystore, password, path, where)
        super().__init__(*_open(key, path, expected, chain_ids, where), is_here=True)


def _open(
    key: bytes, path: Path, expected: Address, chain_ids: frozenset[int], where: str
) -> tuple[Address, Sign, frozenset[int]]:
    import coincurve

    if not 0 < int.from_bytes(key, "big") < CURVE_ORDER:
        raise ConfigError(str(path), where, "a private key", "a number that is none")
    private = coincurve.PrivateKey(key)
    address = address_of(private.public_key)
    if address != expected:
        raise ConfigError(str(path), where, f"the key of {expected}", f"the key of {address}")
    refuse_public(address, chain_ids, str(path), where)

    def sign(message: bytes) -> Signature:
        signed = private.sign_recoverable(message, hasher=None)  # r, s and parity: 32, 32 and 1 bytes
        return signed[64], int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:64], "big")

    return address, sign, chain_ids


def refuse_public(address: Address, chain_ids: frozenset[int], source: str, where: str) -> None:
    """Raises ConfigError where everybody has the key and a chain is not local (FAULTS C18)."""
    if address in ACCOUNTS and not chain_ids <= LOCAL_CHAINS:
        chains = ", ".join(str(chain) for chain in sorted(chain_ids - LOCAL_CHAINS))
        raise ConfigError(source, where, "a key of your own", f"a public development key, for chain {chains}")
