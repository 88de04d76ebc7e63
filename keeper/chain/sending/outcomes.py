"""What became of a confirmed transaction: fill, balances, costs, or why it failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.sending.attempts import ending
from keeper.chain.sending.effects import balance_request, fetch_missing_effects, figure_of
from keeper.chain.sending.receipts import Receipt, costs_of, fill_of, missing_effects
from keeper.chain.sending.reverts import decode_revert
from keeper.core.errors import TransientError
from keeper.core.foreign import printable
from keeper.core.records import NewIntent
from keeper.core.sending import Fill, Intent, Mined, Outcome, State
from keeper.core.units import Address, Token, TokenAmount

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
    fill = fill_of(receipt.logs, new.expect, new.account)
    if fill is None:
        missing = fetch_missing_effects(rpc, intent.call, new.account, intent.sender, mined)
        return Found(_outcome(intent, new, mined, reason=missing), missing)
    deltas = _fetch_deltas(rpc, (fill.sold.token, fill.received.token), new.account, mined.block_number)
    deltas = {token: _without_gas(token, delta, intent, new, mined) for token, delta in deltas.items()}
    fill = _with_native(fill, deltas)
    if fill is None:
        return Found(
            _outcome(intent, new, mined, reason="its fill is not known: the node has no balances of its block")
        )
    wrong = missing_effects(fill, new.expect, deltas)
    costs = costs_of(fill, mined.gas_cost, new.expect)
    outcome = Outcome(
        intent=intent.id,
        state=State.CONFIRMED,
        mined=mined,
        fill=fill,
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


def _without_gas(token: Token, delta: int, intent: Intent, new: NewIntent, mined: Mined) -> int:
    """The native coin's change, as far as it is not gas that the account itself paid."""
    return delta + mined.gas_cost if token.is_native and new.account == intent.sender else delta


def _with_native(fill: Fill, deltas: Mapping[Token, int]) -> Fill | None:
    """The native coin has no Transfer logs: its balance tells. None where the node does not have it any more."""
    sold, received = fill.sold.token, fill.received.token
    if (sold.is_native and sold not in deltas) or (received.is_native and received not in deltas):
        return None
    if sold.is_native:
        fill = replace(fill, sold=TokenAmount(sold, -deltas[sold]))
    if received.is_native:
        fill = replace(fill, received=TokenAmount(received, deltas[received]))
    return fill


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
    return next((reason for reason in reasons if reason), "reverted; a replay at its block succeeds")


def revert_reason(error: RpcError) -> str:
    """Nodes give revert data as a string, or wrapped in an object; some only a message."""
    data = error.data.get("data") if isinstance(error.data, dict) else error.data
    try:
        found = unhex(data, "revert data")
    except TransientError:
        found = b""
    return decode_revert(found) if found else printable(error.message, 200)
