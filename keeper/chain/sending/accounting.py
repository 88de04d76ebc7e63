"""Every nonce that a sender ever used, and who answers for it: an intent of the journal, a person, or nobody."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.nodes.headers import quantity
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.core.errors import TransientError
from keeper.core.sending import LIVE, UNFINAL, Intent, State
from keeper.core.units import Address

CHUNK = 100
"""Hashes in a request."""


@dataclass(frozen=True, slots=True)
class Count:
    """A sender's next nonce on chain, and with what waits in the node's pool."""

    latest: int
    pending: int


@dataclass(frozen=True, slots=True)
class Account:
    """One nonce, and its explanation. `intent` is the journal's number of it, where it is one."""

    nonce: int
    explained: bool
    text: str
    intent: int | None = None


def fetch_count(rpc: Rpc, sender: Address) -> Count:
    """Raises TransientError where the node does not say, Unreachable where none answers."""
    answers = rpc.batch([("eth_getTransactionCount", [sender, tag]) for tag in ("latest", "pending")])
    if any(isinstance(answer, RpcError) for answer in answers):
        raise TransientError(f"the node gave no nonce of {sender}")
    latest, pending = (quantity(answer, "nonce") for answer in answers)
    return Count(latest, max(latest, pending))


def fetch_mined(rpc: Rpc, intents: Sequence[Intent]) -> frozenset[str]:
    """Hashes of attempts that are in a block, as far as the node knows.

    A node may have pruned old receipts, or never built an index of transactions: then it knows less than is true.
    """
    mined = set()
    for hashes in _chunks([attempt.hash for intent in intents for attempt in intent.attempts]):
        for hash_, answer in zip(hashes, _ask(rpc, "eth_getTransactionReceipt", hashes), strict=True):
            if isinstance(answer, dict) and answer.get("blockHash"):
                mined.add(hash_)
        missing = [hash_ for hash_ in hashes if hash_ not in mined]
        for hash_, answer in zip(missing, _ask(rpc, "eth_getTransactionByHash", missing), strict=True):
            if isinstance(answer, dict) and answer.get("blockHash"):
                mined.add(hash_)
    return frozenset(mined)


def _ask(rpc: Rpc, method: str, hashes: Sequence[str]) -> Sequence[Any]:
    return rpc.batch([(method, [hash_]) for hash_ in hashes], nullable=True) if hashes else []


def _chunks(hashes: Sequence[str]) -> list[Sequence[str]]:
    return [hashes[at : at + CHUNK] for at in range(0, len(hashes), CHUNK)]


# --- who answers for what: pure --------------------------------------------------------------------------------------


def account(
    intents: Collection[Intent], adopted: int, adopter: str, count: Count, mined: frozenset[str]
) -> list[Account]:
    """Each nonce up to the last that chain, pool or journal knows, in order.

    `intents` are those of one sender that used a nonce; `adopted` is the nonce below which `adopter` answers for what
    is no intent of ours (0 where nobody does).
    """
    by_nonce = {intent.nonce: intent for intent in intents}
    last = max([count.pending, *(nonce + 1 for nonce in by_nonce)])
    found = []
    for nonce in range(last):
        intent = by_nonce.get(nonce)
        if intent is not None and (line := _by_intent(intent, count, mined)).explained:
            found.append(line)
        elif nonce < adopted:
            found.append(Account(nonce, True, f"adopted by {adopter}"))
        elif intent is not None:
            found.append(line)
        else:
            where = "used on chain" if nonce < count.latest else "pending at the node"
            found.append(Account(nonce, False, f"{where}, by no transaction of this journal"))
    return found


def _by_intent(intent: Intent, count: Count, mined: frozenset[str]) -> Account:
    own = next((attempt.hash for attempt in intent.attempts if attempt.hash in mined), "")
    said = f"intent {intent.id}, {intent.call.purpose} of {intent.vault}, {intent.state}"
    used = intent.nonce < count.latest
    if intent.state is State.EXTERNAL:
        return Account(intent.nonce, False, f"{said}: used by a transaction that is not in the journal", intent.id)
    if used and not own:
        return Account(intent.nonce, False, f"{said}: used, but none of its attempts is on chain", intent.id)
    if not used and intent.state not in LIVE | UNFINAL:
        return Account(intent.nonce, False, f"{said}: but the chain has not used it", intent.id)
    return Account(intent.nonce, True, f"{said}{f' {own}' if own else ''}", intent.id)
