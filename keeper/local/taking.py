"""Takes signed transactions into the embedded chain, or refuses them in geth's words. One block for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth.abc import SignedTransactionAPI, StateAPI
from eth.exceptions import VMError
from eth.vm.forks.shanghai import ShanghaiVM
from eth_typing import Address as Account
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException  # type: ignore[import-untyped]

from keeper.local.evm import GAS_LIMIT, Ask, Evm, Transaction
from keeper.local.node_error import SERVER_ERROR, NodeError
from keeper.local.parsing import parse_ask, parse_quantity

LEGACY, ACCESS_LIST, DYNAMIC_FEE = 0, 1, 2
LARGEST = 128 * 1024
"""Bytes of one transaction that geth's pool takes."""


def refusal(text: str) -> NodeError:
    return NodeError(SERVER_ERROR, text)


def decode_transaction(raw: bytes, chain_id: int) -> Transaction:
    """Types 0 and 2, signed for this chain. Raises NodeError."""
    if not raw or (raw[0] < 0x80 and raw[0] not in (ACCESS_LIST, DYNAMIC_FEE)) or raw[0] == ACCESS_LIST:
        raise refusal("transaction type not supported")
    if len(raw) > LARGEST:
        raise refusal(f"oversized data: transaction size {len(raw)}, limit {LARGEST}")
    try:
        signed = ShanghaiVM.get_transaction_builder().decode(raw)
        signed.check_signature_validity()
        sender = signed.sender
    except (RLPException, ValidationError, VMError, ValueError, TypeError) as error:
        raise refusal(f"rlp: cannot decode transaction: {type(error).__name__}") from None
    if signed.chain_id is None:
        raise refusal("only replay-protected (EIP-155) transactions allowed over RPC")
    if signed.chain_id != chain_id:
        raise refusal(f"invalid chain id for signer: have {signed.chain_id} want {chain_id}")
    if signed.access_list:
        raise refusal("access lists are not supported")
    kind = DYNAMIC_FEE if raw[0] == DYNAMIC_FEE else LEGACY
    return _read(signed, sender, keccak(raw), kind)


def _read(signed: SignedTransactionAPI, sender: Account, digest: bytes, kind: int) -> Transaction:
    cap, tip = signed.max_fee_per_gas, signed.max_priority_fee_per_gas
    ask = Ask(sender, signed.to or None, signed.data, signed.value, signed.gas, cap)
    return Transaction(digest, ask, signed.nonce, kind, cap, tip, (signed.y_parity, signed.r, signed.s))


def trusted_transaction(evm: Evm, fields: Mapping[str, Any], tip: int) -> Transaction:
    """The transaction of an account that needs no signature here: `eth_sendTransaction`."""
    ask = parse_ask(fields)
    nonce = evm.state_at(evm.head).get_nonce(ask.sender)
    cap = parse_quantity(fields.get("maxFeePerGas") or fields.get("gasPrice") or hex(2 * evm.base_fee + tip))
    tip = min(cap, parse_quantity(fields.get("maxPriorityFeePerGas") or hex(tip)))
    # No signature, so no encoding to hash: whatever tells it apart from every other one will do.
    parts = (ask.sender, ask.to or b"", nonce.to_bytes(8, "big"), ask.value.to_bytes(32, "big"), ask.data)
    return Transaction(keccak(b"trusted" + b"".join(parts)), ask, nonce, DYNAMIC_FEE, cap, tip)


def check(evm: Evm, transaction: Transaction, state: StateAPI) -> None:
    """Everything a node looks at before it lets a transaction into its pool. Raises NodeError.

    There is no pool here, so what a node would keep for later (a nonce gap, a fee below the base fee) is refused too.
    """
    ask = transaction.ask
    who = "0x" + ask.sender.hex()
    if evm.find(transaction.hash) is not None:
        raise refusal("already known")
    if ask.gas > GAS_LIMIT:
        raise refusal("exceeds block gas limit")
    if transaction.tip_cap > transaction.fee_cap:
        tip, cap = transaction.tip_cap, transaction.fee_cap
        raise refusal(
            f"max priority fee per gas higher than max fee per gas: address {who}, "
            f"maxPriorityFeePerGas: {tip}, maxFeePerGas: {cap}"
        )
    nonce = state.get_nonce(ask.sender)
    if transaction.nonce < nonce:
        raise refusal(f"nonce too low: next nonce {nonce}, tx nonce {transaction.nonce}")
    if transaction.nonce > nonce:
        raise refusal(f"nonce too high: address {who}, tx: {transaction.nonce} state: {nonce}")
    if transaction.fee_cap < evm.base_fee:
        raise refusal(
            f"max fee per gas less than block base fee: address {who}, "
            f"maxFeePerGas: {transaction.fee_cap}, baseFee: {evm.base_fee}"
        )
    if ask.gas < ask.intrinsic:
        raise refusal(f"intrinsic gas too low: gas {ask.gas}, minimum needed {ask.intrinsic}")
    cost, balance = ask.gas * transaction.fee_cap + ask.value, state.get_balance(ask.sender)
    if cost > balance:
        raise refusal(
            f"insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {cost - balance}"
        )
