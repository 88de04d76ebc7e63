"""The seam for keys that sign 32 bytes and nothing else: a cloud's key service, a hardware module.

Such a service knows no transactions. What it is asked to sign is the digest of one that this keeper has put together,
so the policy in front of it (`signing_policy.py`) is all that stands between the keeper and the key.
"""

from __future__ import annotations

from collections.abc import Callable

from keeper.chain.sending.signed import CURVE_ORDER, Signature, check_signature
from keeper.chain.sending.signers import LocalSigner
from keeper.core.errors import SubmitError
from keeper.core.units import Address

SignDigest = Callable[[bytes], tuple[int, int]]
"""32 bytes -> r and s, as the service gives them. Raises SubmitError where it does not answer or refuses."""


def digest_signer(address: Address, sign_digest: SignDigest) -> LocalSigner:
    """A signer whose key is wherever `sign_digest` asks. Such services give either s, and no parity: the smaller s is
    taken, and the parity that leads to `address`."""

    def sign(message: bytes) -> Signature:
        r, s = sign_digest(message)
        small = min(s, CURVE_ORDER - s) if 0 < s < CURVE_ORDER else s
        try:
            check_signature((0, r, small), message, address)
        except SubmitError:
            return 1, r, small  # the signer checks this one in its turn
        return 0, r, small

    return LocalSigner(address, sign)
