"""What became of a confirmed transaction: fill, balances, costs, or why it failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.sending.attempts import ending
from keeper.chain.sending.effects import balance_request, fetch_missing_effects, figure_of
from keeper.chain.sending.receipts import Receipt, costs_of, fill_of, missing_effects, moved
from keeper.chain.sending.reverts import decode_revert
from keeper.core.calls import Call
from keeper.core.errors import TransientError
from keeper.core.foreign import printable
from keeper.core.module_calls import FAILED_QUIETLY, says_it_failed
from keeper.core.records import NewIntent
from keeper.core.sending import Intent, Mined, Outcome, State
from keeper.core.units import Address, Token
from keeper.core.wrapping import wrapped_by

OUT_OF_GAS = "out of gas: used all of its gas limit"


@dataclass(frozen=True, slots=True)
class Found:
    """An outcome, and why the vault must halt: a success without its effects, or an empty string."""

    outcome: Outcome
    wrong: str = ""


def fetch_outcome(rpc: Rpc, intent: Intent, new: NewIntent, receipt: Receipt, mined: Mined) -> Found:
    """At most one request. Raises Unreachable where no node answers."""
    kind = ending(intent, mined)
    if kind is State.FINAL_CANCELLED:
        return Found(_outcome(intent, new, mined, reason="cancelled: replaced by a transfer of nothing to itself"))
    if kind is State.FINAL_REVERTED:
        return Found(_outcome(intent, new, mined, reason=_fetch_reason(rpc, intent, mined)))
    if not new.expect.swaps:
        missing = fetch_missing_effects(rpc, intent.call, new.account, intent.sender, intent.nonce, mined)
        return Found(_outcome(intent, new, mined, reason=missing), missing)
    return _traded(rpc, intent, new, receipt, mined)


def _traded(rpc: Rpc, intent: Intent, new: NewIntent, receipt: Receipt, mined: Mined) -> Found:
    """A trade is what its Transfer logs say of every token, and the balances must bear them out."""
    tokens = tuple(dict.fromkeys((*new.expect.sells, *new.expect.quotes)))
    deltas = _fetch_deltas(rpc, tokens, new.account, mined.block_number)
    deltas = {token: _by_trading(token, delta, intent, new, mined) for token, delta in deltas.items()}
    if any(token.is_native and token not in deltas for token in tokens):
        return Found(
            _outcome(intent, new, mined, reason="its fill is not known: the node has no balances of its block")
        )
    # The native coin has no Transfer logs: its balance tells.
    changes = {t: deltas[t] if t.is_native else moved(receipt.logs, t, new.account) for t in tokens}
    wrong = missing_effects(changes, new.expect, deltas)
    costs = costs_of(changes, mined.gas_cost, new.expect)
    outcome = Outcome(
        intent=intent.id,
        state=State.CONFIRMED,
        mined=mined,
        fill=fill_of(changes, new.expect),
        gas_value=costs.gas,
        fee_value=costs.fee,
        impact_value=costs.impact,
        others_value=costs.others,
        reason=wrong,
        deltas=deltas,
    )
    return Found(outcome, wrong)


def _outcome(intent: Intent, new: NewIntent, mined: Mined, reason: str = "") -> Outcome:
    gas = costs_of(None, mined.gas_cost, new.expect).gas
    return Outcome(intent.id, State.CONFIRMED, mined, gas_value=gas, reason=reason)


def _fetch_deltas(rpc: Rpc, tokens: tuple[Token, ...], account: Address, block: int) -> dict[Token, int]:
    """{raw} of the account's balances over the whole block. A token whose balance the node no longer has is absent."""
    asked = [(token, at) for token in tokens for at in (block - 1, block)]
    answers = rpc.batch([balance_request(token, account, at) for token, at in asked])
    balances = {key: figure_of(answer) for key, answer in zip(asked, answers, strict=True)}
    deltas = {}
    for token in tokens:
        before, after = balances[token, block - 1], balances[token, block]
        if before is not None and after is not None:
            deltas[token] = after - before
    return deltas


def _by_trading(token: Token, delta: int, intent: Intent, new: NewIntent, mined: Mined) -> int:
    """A balance's change without the transaction's own wrapping, and without gas that the account itself paid."""
    paid = mined.gas_cost if token.is_native and new.account == intent.sender else 0
    return delta + paid - wrapped_by(intent.call).get(token.address, 0)


def _fetch_reason(rpc: Rpc, intent: Intent, mined: Mined) -> str:
    """Replays the call at its block (its time counts for deadlines), then at the block before (closest to the state
    that it met). A replay that succeeds proves nothing, so the reason stays open."""
    if mined.gas_used >= intent.gas_limit:
        return f"{OUT_OF_GAS} ({intent.gas_limit:,})"
    call = {
        "from": intent.sender,
        "to": intent.call.to,
        "data": "0x" + intent.call.data.hex(),
        "value": hex(intent.call.value),
        "gas": hex(intent.gas_limit),
    }
    blocks = (mined.block_number, mined.block_number - 1)
    answers = rpc.batch([("eth_call", [call, hex(at)]) for at in blocks])
    reasons = [revert_reason(answer) for answer in answers if isinstance(answer, RpcError)]
    if any(_is_quiet_failure(intent.call, answer) for answer in answers):
        reasons.append(FAILED_QUIETLY)
    return next((reason for reason in reasons if reason), "reverted; a replay at its block succeeds")


def _is_quiet_failure(call: Call, answer: Any) -> bool:
    try:
        return says_it_failed(call, unhex(answer, "answer"))
    except TransientError:
        return False


def revert_reason(error: RpcError) -> str:
    """Nodes give revert data as a string, or wrapped in an object; some only a message."""
    data = error.data.get("data") if isinstance(error.data, dict) else error.data
    try:
        found = unhex(data, "revert data")
    except TransientError:
        found = b""
    return decode_revert(found) if found else printable(error.message, 200)
