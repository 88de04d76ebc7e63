"""How clients word the same refusals. Each is what the client's own source says, figures filled in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Refusal(StrEnum):
    KNOWN = "known"
    NONCE_LOW = "nonce_low"
    NONCE_HIGH = "nonce_high"
    REPLACEMENT = "replacement"
    UNDERPRICED = "underpriced"
    FUNDS = "funds"
    FULL = "full"
    GAS_LIMIT = "gas_limit"
    INTRINSIC = "intrinsic"
    TIP = "tip"
    CHAIN_ID = "chain_id"
    DECODE = "decode"


_GETH = {
    Refusal.KNOWN: "already known",
    Refusal.NONCE_LOW: "nonce too low: next nonce {state}, tx nonce {nonce}",
    Refusal.REPLACEMENT: "replacement transaction underpriced",
    Refusal.UNDERPRICED: "transaction underpriced: gas tip cap {tip}, minimum needed {floor}",
    Refusal.FUNDS: "insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {over}",
    Refusal.FULL: "txpool is full",
    Refusal.GAS_LIMIT: "exceeds block gas limit",
    Refusal.INTRINSIC: "intrinsic gas too low: gas {gas}, minimum needed 21000",
    Refusal.TIP: "max priority fee per gas higher than max fee per gas",
    Refusal.CHAIN_ID: "invalid chain id for signer: have {have} want {want}",
    Refusal.DECODE: "rlp: expected input list for types.LegacyTx",
}

TEXTS: Mapping[str, Mapping[Refusal, str]] = {
    "geth": _GETH,
    "reth": _GETH
    | {Refusal.UNDERPRICED: "transaction underpriced", Refusal.DECODE: "failed to decode signed transaction"},
    "erigon": _GETH
    | {
        Refusal.NONCE_LOW: "nonce too low",
        Refusal.UNDERPRICED: "underpriced",
        Refusal.FUNDS: "insufficient funds",
        Refusal.FULL: "pending sub-pool is full",
    },
    "nethermind": _GETH
    | {
        Refusal.KNOWN: "AlreadyKnown",
        Refusal.NONCE_LOW: "OldNonce",
        Refusal.REPLACEMENT: "ReplacementNotAllowed",
        Refusal.UNDERPRICED: "FeeTooLow",
        Refusal.FUNDS: "InsufficientFunds",
        Refusal.GAS_LIMIT: "GasLimitExceeded",
    },
    "besu": _GETH
    | {
        Refusal.KNOWN: "Known transaction",
        Refusal.NONCE_LOW: "Nonce too low",
        Refusal.NONCE_HIGH: "Transaction nonce is too distant from current sender nonce",
        Refusal.REPLACEMENT: "Replacement transaction underpriced",
        Refusal.UNDERPRICED: "Gas price below configured minimum gas price",
        Refusal.FUNDS: "Upfront cost exceeds account balance",
        Refusal.INTRINSIC: "Intrinsic gas exceeds gas limit",
    },
    "anvil": _GETH
    | {
        Refusal.KNOWN: "transaction already imported",
        Refusal.NONCE_LOW: "nonce too low",
        Refusal.FUNDS: "Insufficient funds for gas * price + value",
        Refusal.INTRINSIC: "intrinsic gas too low",
        Refusal.DECODE: "Failed to decode transaction",
    },
}
