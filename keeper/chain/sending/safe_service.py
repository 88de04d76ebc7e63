"""The Safe Transaction Service of a chain: what owners have queued there, which the chain itself does not tell.

Nothing is decided by its answer and nothing sent to it: it is told to people beside what they are asked to sign.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from keeper.chain.nodes.transport import Endpoint, TransportFault
from keeper.core.units import Address

TIMEOUT = 5.0
"""{s} A proposal does not wait longer for a mere remark."""
MAX_BODY = 1_000_000
"""Bytes. Twenty transactions are far below."""
MOST = 20


class SafeService:
    """One service by its base URL. Never raises: whatever it does not say is said to be unknown."""

    def __init__(self, url: str) -> None:
        """Raises ConfigError where the URL is none, or is plain http to a remote host."""
        self._endpoint = Endpoint(url, timeout=TIMEOUT, max_body=MAX_BODY)

    def queued(self, safe: Address, nonce: int, mine: Collection[str]) -> str:
        """What else waits there from this nonce of the Safe on, in a clause; `mine` are hashes that are ours."""
        asked = f"executed=false&nonce__gte={nonce}&limit={MOST}"
        try:
            answer = self._endpoint.fetch(f"/api/v1/safes/{safe}/multisig-transactions/?{asked}")
            others = [each for each in _listed(answer) if str(each.get("safeTxHash", "")).lower() not in mine]
            nonces = sorted({int(each["nonce"]) for each in others})
        except TransportFault as fault:
            return f"what is queued in the Safe is not known: {fault}"
        except (KeyError, TypeError, ValueError):
            return f"what is queued in the Safe is not known: {self._endpoint.label} answered something else"
        if not nonces:
            return ""
        return f"people have queued other transactions of this Safe, at nonce {', '.join(map(str, nonces))}"


def _listed(answer: Any) -> list[dict[str, Any]]:
    """Raises KeyError or TypeError where it is no list of transactions."""
    found = answer["results"]
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise TypeError("results")
    return found
