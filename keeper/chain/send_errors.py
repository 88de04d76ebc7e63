"""What a node means when it refuses a transaction. Total: every text has a class, and an unknown one means maybe sent.

Clients and providers word the same refusal differently and share codes between different ones (-32005 is a gas limit
here and a rate limit there), so the lower-cased text decides. Rules stand in order: the first that fits wins.
"""

from __future__ import annotations

import re
from enum import StrEnum


class SendClass(StrEnum):
    """Reactions stand in docs/faults.md, "Node errors". Only FATAL says that this node cannot have taken it."""

    KNOWN = "KNOWN"
    MINED = "MINED"
    NONCE_LOW = "NONCE_LOW"
    REPL = "REPL"
    UNDERPRICED = "UNDERPRICED"
    POOL = "POOL"
    NONCE_HIGH = "NONCE_HIGH"
    FUNDS = "FUNDS"
    FATAL = "FATAL"
    FEECAP = "FEECAP"
    REVERT = "REVERT"
    RATE = "RATE"
    NODE = "NODE"
    UNKNOWN = "UNKNOWN"


_FATAL = (
    # Proven by the clients' sources: each is said before a transaction reaches any pool. Whole texts, so that a longer
    # text that happens to hold one of them stays UNKNOWN.
    r"failed to decode (signed )?transaction",
    r"intrinsic gas too (low|high)( -- tx\.gas_limit > env\.block\.gas_limit|: gas \d+, minimum needed \d+)?",
    r"intrinsic gas exceeds gas limit",
    r"(transaction gas limit )?exceeds block gas limit",
    r"transaction's gas limit \d+ exceeds block's gas limit \d+",
    r"max priority fee per gas higher than max fee per gas(:.*)?",
    r"gas uint64 overflow|gasuintoverflow",
    r"rlptoolong|rlp: .*",
    r"gas limit is too high|gas limit reached|gaslimitexceeded",
    r"(max )?initcode (too large|size exceeded)(:.*)?",
    r"(oversized data|input data too large)(:.*)?",
    r"invalid chain ?id( for signer: have \d+ want \d+)?",
    r"invalid sender",
    r"negative value",
    r"transaction type not supported(:.*)?",
    r"only replay-protected \(eip-155\) transactions allowed over rpc",
    r"transaction gas limit too high \(cap: \d+, tx: \d+\)",
    r"failed to recover sender",
    r"transaction invalid",
)

_RULES: tuple[tuple[SendClass, str], ...] = (
    (SendClass.FATAL, "|".join(f"^(?:{text})$" for text in _FATAL)),
    (
        SendClass.KNOWN,
        r"already ?known|known transaction|same hash|already imported|ownnoncealreadyused|already in .*pool",
    ),
    (SendClass.MINED, r"^mined$|already mined"),
    # Before REPL: what geth says of a gapped transaction that would push out one that can be mined.
    (SendClass.POOL, r"future transaction tries to replace pending"),
    (SendClass.REPL, r"replacement|another transaction with same nonce|could not replace|replace existing"),
    (SendClass.NONCE_HIGH, r"nonce (is )?too (high|distant)|too distant from current|lower nonce exists|nonce gap"),
    (SendClass.NONCE_LOW, r"nonce (is )?too low|oldnonce|nonce has already been used|invalid nonce.*expected nonce"),
    (SendClass.FUNDS, r"insufficient (funds|balance)|upfront cost exceeds|overdraws|insufficientfunds"),
    (SendClass.FEECAP, r"exceeds the configured cap|fee cap exceeded"),
    (
        SendClass.POOL,
        r"pool is full|pool full|account limit exceeded|spammer|type conflict|dropped due to limit|delegated account"
        r"|too many transactions in the queue|reserved$|already reserved",
    ),
    (
        SendClass.UNDERPRICED,
        r"underpriced|less than block base fee|below current base fee|(gas price|fee|feepergas) (is )?too low"
        r"|feetoolow",
    ),
    (SendClass.REVERT, r"execution reverted|^reverted|always failing transaction"),
    (
        SendClass.RATE,
        r"rate.?limit|too many requests|compute units|request count exceeded|quota|capacity exceeded|throttl",
    ),
    (
        SendClass.NODE,
        r"sync|header not found|missing trie node|timed? ?out|indexing is in progress|not ready|unknown block"
        r"|block not found|state .*(not available|is not found|unavailable)|pruned|no backend|bad gateway|overloaded",
    ),
)

_TABLE = tuple((name, re.compile(pattern)) for name, pattern in _RULES)


def classify(message: str) -> SendClass:
    """The class of a node's text."""
    text = message.strip().lower()
    return next((name for name, pattern in _TABLE if pattern.search(text)), SendClass.UNKNOWN)


def is_delegated(message: str) -> bool:
    """The node treats our key as an account with EIP-7702 code: somebody else may be able to act for it."""
    return "delegated account" in message.lower()
