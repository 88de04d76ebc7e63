"""Whether a simulation failed because the key may not do it, though others may. Pure."""

from __future__ import annotations

_REFUSALS = ("NoMembership", "NotAuthorized", "Roles: ", "GS020", "GS025", "GS026", "GS104")
"""How the reasons begin, in our own words (chain/sending/reverts.py): a modifier knows no such member, a role does not
allow it, the Safe wants more signatures, the signer is no owner of it, the caller is none of its modules."""


def lacks_right(failure: str) -> bool:
    """Nothing rests on this but who is asked: what people are asked to sign is simulated anew, as their Safe's own."""
    return any(refusal in failure for refusal in _REFUSALS)
