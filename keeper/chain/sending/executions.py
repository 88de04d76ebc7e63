"""What a Safe has done with its nonces: whether its owners executed a proposal, by which transaction, what it moved.

Only final blocks count: what is not final yet may be taken back, and a vault waits for that long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eth_utils.crypto import keccak

from keeper.chain.nodes.headers import parse_block, quantity
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.sending.outcomes import Found, fetch_outcome
from keeper.chain.sending.receipts import Receipt, parse_receipt
from keeper.core.abi import calldata
from keeper.core.chain import Block
from keeper.core.errors import TransientError
from keeper.core.plan import Fees
from keeper.core.records import NewIntent, Proposal
from keeper.core.sending import Attempt, Intent, Mined, State
from keeper.core.units import Address, Wei

EXECUTED = "0x" + keccak(text="ExecutionSuccess(bytes32,uint256)").hex()
"""Topic of the Safe's log. The hash is its first topic in 1.4.1, and the first word of its data in 1.3.0."""
RANGE = 1_000
"""{blocks} Of one request for logs: few providers refuse as many."""
NONCE = calldata("nonce()")


@dataclass(frozen=True, slots=True)
class Standing:
    """A chain's head and final block, and each Safe's nonce at both."""

    head: Block
    final: int
    nonces: Mapping[Address, int]
    final_nonces: Mapping[Address, int]


@dataclass(frozen=True, slots=True)
class Execution:
    """What owners executed: the transaction that carried it, and what it moved. Its gas was theirs: it costs the vault
    nothing."""

    mined: Mined
    found: Found


def fetch_standing(rpc: Rpc, safes: Sequence[Address], finality: int | None) -> Standing:
    """`finality` is a depth in blocks, or None for the node's `finalized` tag. Two requests.

    Raises TransientError where the node does not say, Unreachable where none answers.
    """
    tags = ["latest", *(["finalized"] if finality is None else [])]
    heads = [parse_block(raw, 0) for raw in rpc.batch([("eth_getBlockByNumber", [tag, False]) for tag in tags])]
    final = heads[0].number - finality if finality is not None else heads[-1].number
    places = [(safe, at) for safe in safes for at in (heads[0].number, max(final, 0))]
    asked = [("eth_call", [{"to": safe, "data": "0x" + NONCE.hex()}, hex(at)]) for safe, at in places]
    nonces = [_nonce(safe, answer) for (safe, _), answer in zip(places, rpc.batch(asked), strict=True)]
    return Standing(
        heads[0], final, dict(zip(safes, nonces[::2], strict=True)), dict(zip(safes, nonces[1::2], strict=True))
    )


def fetch_execution(rpc: Rpc, proposals: Sequence[Proposal], final: int) -> tuple[Proposal, Execution] | None:
    """Which of these, of one Safe and one nonce, was executed, oldest first: by its hash; else the last of them, where
    a transaction of the Safe did exactly the same, as from another tool's file of the same calls. None where nothing
    of this happened up to block `final`.

    Raises TransientError where the node does not say, Unreachable where none answers.
    """
    first, last = proposals[0].proposed, proposals[-1]
    logs = list(_logs(rpc, first.new.account, first.block_number, final))
    for proposal in proposals:
        for log in logs:
            if proposal.hash.lower() in (_topic(log, 1), str(log.get("data", ""))[:66].lower()):
                return proposal, _execution(rpc, proposal.proposed.new, str(log["transactionHash"]))
    for log in logs:
        execution = _execution(rpc, last.proposed.new, str(log["transactionHash"]))
        if _is_the_same(execution, last.proposed.new):
            return last, execution
    return None


def _is_the_same(execution: Execution, new: NewIntent) -> bool:
    """To the last unit of what is sold, and no less than each floor."""
    fill = execution.found.outcome.fill
    if execution.found.wrong or fill is None or not new.expect.swaps:
        return False
    return {amount.token: amount for amount in fill.sold} == dict(new.expect.sells)


def _logs(rpc: Rpc, safe: Address, first: int, last: int) -> Iterator[Mapping[str, Any]]:
    for start in range(first, last + 1, RANGE):
        span = {"fromBlock": hex(start), "toBlock": hex(min(start + RANGE - 1, last))}
        found = rpc.call("eth_getLogs", [{"address": safe, "topics": [EXECUTED], **span}])
        if not isinstance(found, list) or not all(isinstance(log, dict) and "transactionHash" in log for log in found):
            raise TransientError(f"logs of Safe {safe}: expected a list of logs, found something else")
        yield from (log for log in found if str(log.get("address", "")).lower() == safe.lower())


def _topic(log: Mapping[str, Any], index: int) -> str:
    topics = log.get("topics") or []
    return str(topics[index]).lower() if len(topics) > index else ""


def _execution(rpc: Rpc, new: NewIntent, hash_: str) -> Execution:
    attempt = Attempt(hash_.lower(), b"", Fees(Wei(0), Wei(0)), new.call.purpose, new.at)
    raw = rpc.call("eth_getTransactionReceipt", [hash_])
    sender = Address(str(raw.get("from", ""))) if isinstance(raw, dict) else new.account
    receipt = parse_receipt(raw, attempt, sender)
    if not isinstance(receipt, Receipt):
        raise TransientError(f"receipt of {hash_}: {receipt.reason if receipt else 'the node has none'}")
    block = parse_block(rpc.call("eth_getBlockByNumber", [hex(receipt.block_number), False]), 0)
    mined = replace(receipt.mined(block.timestamp), gas_cost=Wei(0))
    intent = Intent(
        id=0,
        vault=new.vault,
        cycle=new.cycle,
        chain_id=new.chain_id,
        sender=new.account,
        nonce=0,
        call=new.call,
        gas_limit=mined.gas_used + 1,
        deadline=new.deadline,
        pools=new.pools,
        state=State.MINED,
        created_at=new.at,
        attempts=(attempt,),
        mined=mined,
    )
    return Execution(mined, fetch_outcome(rpc, intent, new, receipt, mined))


def _nonce(safe: Address, answer: Any) -> int:
    if isinstance(answer, RpcError):
        raise TransientError(f"nonce of Safe {safe}: {answer}")
    return quantity(answer, f"nonce of Safe {safe}")
