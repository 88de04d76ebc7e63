"""The seam for keys that sign 32 bytes and nothing else: a cloud's key service, a hardware module.

Such a service knows no transactions. What it is asked to sign is the digest of one that this keeper has put together,
so the policy in front of it (`signing_policy.py`) is all that stands between the keeper and the key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from keeper.chain.sending.signed import CURVE_ORDER, LARGEST_S, assemble, digest, verify
from keeper.chain.sending.signers import LocalSigner
from keeper.core.errors import SubmitError
from keeper.core.units import Address

SignDigest = Callable[[bytes], tuple[int, int]]
"""32 bytes -> r and s, as the service gives them. Raises SubmitError where it does not answer or refuses."""


def digest_signer(address: Address, sign_digest: SignDigest) -> LocalSigner:
    """A signer whose key is wherever `sign_digest` asks. Such services give either s, and no parity: the smaller s is
    taken, and the parity that leads to `address`."""

    def sign(transaction: Mapping[str, object]) -> bytes:
        r, s = sign_digest(digest(transaction))
        small = min(s, CURVE_ORDER - s) if 0 < s < CURVE_ORDER else LARGEST_S
        even, odd = (assemble(transaction, parity, r, small) for parity in (0, 1))
        try:
            verify(even, transaction, address)
        except SubmitError:
            return odd  # the signer verifies this one in its turn
        return even

    return LocalSigner(address, sign)
