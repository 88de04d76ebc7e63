"""What a node means when it refuses a transaction. Total: every text has a class, and an unknown one means maybe sent.

Clients and providers word the same refusal differently and share codes between different ones (-32005 is a gas limit
here and a rate limit there), so the lower-cased text decides, and a code only where the text is unknown. Rules stand
in order: the first that fits wins. FATAL is the only class that says "not taken", so its rules fit whole texts only:
a proven refusal inside a longer text that nobody has looked at stays UNKNOWN.
"""

from __future__ import annotations

import json
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


NOT_TAKEN = frozenset({SendClass.FATAL})
"""Every other class may have been sent, whatever it sounds like."""

_FATAL = (
    # Proven by the clients' sources: each is said before a transaction reaches any pool.
    r"failed to decode (signed )?transaction|(transaction data is empty|empty transaction data)",
    r"intrinsic ?gas( too (low|high)( -- tx\.gas_limit > env\.block\.gas_limit)?)?(: gas \d+, minimum needed \d+)?",
    r"insufficient gas for floor data gas cost(: gas \d+, minimum needed \d+)?",
    r"intrinsic gas exceeds gas limit",
    r"(transaction gas limit )?exceeds block gas limit|exceeds maximum per-transaction gas limit",
    r"transaction's gas limit \d+ exceeds block's gas limit \d+",
    r"transaction gas limit is greater than the block gas limit, gas_limit: \d+, cap: \d+",
    r"transaction gas limit too high \(cap: \d+, tx: \d+\)|gas limit too high\. max: \d+",
    r"gas limit is too high|gas limit reached|gaslimitexceeded",
    r"txgaslimitcapexceeded: gas limit \d+ exceeded cap of \d+",
    r"max priority fee per gas (higher than|exceeds) max fee per gas(: address 0x[0-9a-f]{40}, [\w :,]+)?",
    r"max (priority )?fee per gas higher than 2\^256-1(: address 0x[0-9a-f]{40}, [\w :,]+)?",
    r"invalidmaxpriorityfeepergas: cannot be higher than maxfeepergas",
    r"gas uint64 overflow|gasuintoverflow|transaction cost overflow",
    r"rlp: (expected|input|value|element|non-canonical|too few) [a-z0-9 .*\[\]-]+(, decoding into \([a-z.]+\)\.\w+)?",
    r"rlptoolong",
    r"(max )?initcode (too large|size exceeded)(: code size \d+,? limit \d+)?",
    r"transaction's size \d+ exceeds max_init_code_size \d+",
    r"oversized data(: transaction size \d+, limit \d+)?|input data too large|transaction too large",
    r"invalid chain ?id( for signer)?(: have \d+ want \d+|, expected: \d+ got: \d+)?|wrong chainid",
    r"invalidtxchainid: expected \d+, got \d*|chainid is required|chainid not supported",
    r"incompatible eip-155 transaction, signed for another chain",
    r"only replay-protected \(eip-155\) transactions allowed over rpc",
    r"invalid sender(: invalid (transaction v, r, s values|chain id for signer: have \d+ want \d+))?",
    r"invalid (transaction )?signature|invalidtxsignature: signature is invalid|failed to recover sender",
    r"invalid sender\. can't start a transaction from a non-account",
    r"sender (is )?not an eoa(: address 0x[0-9a-f]{40}, [\w :,]+)?",
    r"negative value|nonce has max value",
    r"transaction type not supported(: (tx )?type \d+ [a-z ,]+)?|invalid transaction type|unsupported transaction type",
    r"fork supporting this transaction type is not activated yet",
    r"transaction invalid(, [a-z]+: [a-z0-9 .,='_]+)?",
)

_RULES: tuple[tuple[SendClass, str], ...] = (
    (
        SendClass.KNOWN,
        r"already ?known|\bknown transaction|same hash|already imported|ownnoncealreadyused"
        r"|\b(transaction|tx) (is )?already (exists )?in (the |tx )?(mem|tx)?(pool|cache)",
    ),
    (SendClass.MINED, r"^mined$|\balready mined"),
    # Before NONCE_HIGH and REPL: what geth says of a gapped transaction that would push out one that can be mined, and
    # what clients say to keys with delegated code.
    (
        SendClass.POOL,
        r"future transaction tries to replace pending|delegated (account|sender)|cannot be delegated|\bdelegation\b"
        # A second copy of our own bytes meets the first: no stranger, so not REPL.
        r"|insertion of another transaction with the same nonce is in progress",
    ),
    (
        SendClass.REPL,
        r"\breplacement|another transaction with same nonce|could not replace|replace existing"
        r"|replaced by transaction with higher tip",
    ),
    (
        SendClass.NONCE_HIGH,
        r"nonce (is )?too (high|distant|far in)|too distant from current|lower nonce exists|nonce ?gap\b"
        r"|noncetoofarinfuture",
    ),
    (SendClass.NONCE_LOW, r"nonce (is )?too low|\boldnonce\b|nonce has already been used"),
    (
        SendClass.FUNDS,
        r"insufficient (funds|balance)|upfront cost exceeds|overdraws|cause overdraft|insufficientfunds"
        r"|not enough (funds|balance)",
    ),
    (SendClass.FEECAP, r"exceeds the configured cap|fee cap exceeded"),
    (
        SendClass.POOL,
        r"pool is full|pool full|\bqueue full|account limit exceeded|\bspammer\b|type conflict|dropped due to limit"
        r"|too many transactions in the queue|(address|authority) already reserved|pool size constraints"
        r"|conflicts with existing transaction",
    ),
    (
        SendClass.UNDERPRICED,
        r"underpriced|less than block base fee|below (current base fee|configured minimum gas price|chain minimum)"
        r"|gas price below minimum|(gas price|\bfee|feepergas) (is )?too low|\bfeetoolow",
    ),
    (
        SendClass.REVERT,
        r"execution reverted|^reverted|always failing transaction|failed to validate the transaction",
    ),
    (
        SendClass.RATE,
        r"rate.?limit|too many requests|compute units|request (rate|count) exceeded|\bquota\b|\bthrottl"
        r"|capacity (limit )?exceeded|credits limited to",
    ),
    (
        SendClass.NODE,
        r"\bsync\b.*progress|\bsyncing\b|not (yet )?(in )?sync(ed)?\b|header not found|missing trie node|timed? ?out\b"
        r"|timeout expired|indexing is in progress|\bnot ready\b|unknown block|block not found|server shutting down"
        r"|state .*(not available|is not found|unavailable)|\bpruned\b|no backend|bad gateway|\boverloaded\b"
        r"|temporarily not available|any of the forwarding targets|not supported by this endpoint|pool not enabled",
    ),
)

_CODES = {429: SendClass.RATE, 3: SendClass.REVERT}
"""Only those that no client uses for anything else."""

_FATAL_TEXT = re.compile("|".join(f"(?:{text})" for text in _FATAL))
_TABLE = tuple((name, re.compile(pattern)) for name, pattern in _RULES)

_PREFIX = re.compile(
    r"(rpc error|server error|returned error|internal[ _]error|invalid|error|err|fee_too_low|already_exists|stale)"
    r": (code = \w+ desc = )?"
    r"|(tx: )?\[0x[0-9a-f]{64}\]:? |-?\d{1,6}: "
)
_DEEPEST = 6
_LONGEST = 10_000
"""Characters that are looked at. What a node means stands at the start; the rest would only cost time."""


def classify(message: str, code: int | str | None = None) -> SendClass:
    """The class of a node's text. `code` is asked only where the text is unknown, and never says "not taken"."""
    message = message[:_LONGEST]
    bare = _bare(message)
    if _FATAL_TEXT.fullmatch(bare):
        return SendClass.FATAL
    whole = message.strip().lower()
    for name, pattern in _TABLE:
        if pattern.search(bare) or pattern.search(whole):
            return name
    return _CODES.get(code, SendClass.UNKNOWN) if isinstance(code, int) else SendClass.UNKNOWN


def is_delegated(message: str) -> bool:
    """The node treats our key as an account with code (EIP-7702): somebody else may be able to act for it."""
    return (
        re.search(r"delegated (account|sender)|cannot be delegated|\bdelegation\b|not an eoa", message.lower())
        is not None
    )


def _bare(message: str) -> str:
    """What is left without quotes, a wrapping JSON-RPC error, and the prefixes that clients and gateways put before."""
    text = message.lower()
    for _ in range(_DEEPEST):
        before = text
        text = _unwrapped(text.strip(" \t\r\n\"'`"))
        text = text[found.end() :] if (found := _PREFIX.match(text)) else text
        if text == before:
            break
    return text.strip().rstrip(".")


def _unwrapped(text: str) -> str:
    """The message inside a JSON error, where the whole text is one."""
    if not (text.startswith("{") and text.endswith("}")):
        return text
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    inner = found.get("error", found.get("message"))
    if isinstance(inner, dict):
        inner = inner.get("message")
    return inner if isinstance(inner, str) else text
