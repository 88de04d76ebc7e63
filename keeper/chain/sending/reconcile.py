"""Whether journal and chain agree on every nonce that a key ever used: asked before it signs again, and hourly.

A nonce that nobody can explain means one of four things: the key is used elsewhere, the journal is an old copy, the
journal is new, or a transaction of an earlier process still waits. None of them may be guessed at, so the sender halts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.nodes.headers import quantity
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.core.errors import TransientError
from keeper.core.sending import Intent
from keeper.core.units import Address

MARK = "nonces: "
"""Begins every reason that `adopt` can put right."""

DELEGATION = "0xef0100"
"""Code of an account that let another contract act for it (EIP-7702)."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the journal knows of one sender: the nonce after the last that it accounts for, None where it knows none,
    and the nonces of its intents that are not final."""

    following: int | None
    unfinished: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class OnChain:
    """What the chain says of one sender: its next nonce at the head, its next nonce with the pool, and its code."""

    next_nonce: int
    pending: int
    code: str = "0x"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a sender must halt, and what helps. `adoptable`: a person may account for the nonces with `--adopt`."""

    reason: str
    adoptable: bool = False


def ledger_of(following: int | None, intents: Sequence[Intent], sender: Address) -> Ledger:
    """`intents` are the chain's live and unfinal ones."""
    return Ledger(following, frozenset(intent.nonce for intent in intents if intent.sender == sender))


def fetch_senders(rpc: Rpc, senders: Sequence[Address]) -> Mapping[Address, OnChain]:
    """One request. Raises Unreachable, or TransientError where an answer is no nonce or no code."""
    asked: list[tuple[str, list[Any]]] = []
    for sender in senders:
        asked.append(("eth_getTransactionCount", [sender, "latest"]))
        asked.append(("eth_getTransactionCount", [sender, "pending"]))
        asked.append(("eth_getCode", [sender, "latest"]))
    answers = rpc.batch(asked) if asked else []
    if failed := next((answer for answer in answers if isinstance(answer, RpcError)), None):
        raise failed
    return {sender: _on_chain(answers[3 * i : 3 * i + 3]) for i, sender in enumerate(senders)}


def why_coded(code: str) -> str:
    """Why the key of an account with this code must not sign, or an empty string."""
    return "" if code in ("0x", "0x0") else _delegated(code.lower())


def _on_chain(answers: Sequence[Any]) -> OnChain:
    latest, pending, code = answers
    if not isinstance(code, str) or not code.startswith("0x"):
        raise TransientError("sender: expected its code, found something else")
    found = quantity(latest, "nonce")
    # A node without a pool of its own answers with less, or the same: then nothing is known to be pending.
    return OnChain(found, max(found, quantity(pending, "pending nonce")), code.lower())


def examine(ledger: Ledger, chain: OnChain) -> Doubt | None:
    """None where every nonce is explained. Pure."""
    if coded := why_coded(chain.code):
        return Doubt(coded)
    following = ledger.following or 0
    if chain.pending > max(following, chain.next_nonce):
        return _foreign_pending(chain, max(following, chain.next_nonce))
    if ledger.following is None and chain.next_nonce:
        return Doubt(
            f"{MARK}this journal is new to the sender, which has used {chain.next_nonce} nonces: a deleted journal, or "
            "a key with a past. Restore the journal; or, if nothing of a keeper is on its way, start with --adopt",
            adoptable=True,
        )
    if chain.next_nonce > following:
        return Doubt(
            f"{MARK}the journal accounts for nonces below {following}, the chain has used those below "
            f"{chain.next_nonce}: the key is used elsewhere, or this journal is an old copy. Restore the newest copy; "
            "or, if you know what the others did (keeper verify lists them), start with --adopt",
            adoptable=True,
        )
    lost = sorted(set(range(chain.next_nonce, following)) - ledger.unfinished)
    if lost:
        return Doubt(
            f"{MARK}nonce {lost[0]} was final and the chain's next is {chain.next_nonce}: a node far behind, a reorg "
            "past finality, or another chain behind the same id. Compare with an explorer, then clear this halt"
        )
    return None


def _delegated(code: str) -> str:
    if code.startswith(DELEGATION):
        target = code[len(DELEGATION) : len(DELEGATION) + 40]
        return (
            f"the key has given its account to the code at 0x{target} (EIP-7702): whoever made it do so may hold the "
            "key. Move the funds to a new one"
        )
    return "the sender is a contract: expected an account without code, as keys have. Check its address"


def _foreign_pending(chain: OnChain, following: int) -> Doubt:
    return Doubt(
        f"{MARK}the pool holds transactions of the sender up to nonce {chain.pending - 1}, the journal knows of none "
        f"from {following} on: they are of an earlier process, or of somebody else. Wait until they are mined, or "
        "replace them with the wallet that sent them; then start with --adopt"
    )
