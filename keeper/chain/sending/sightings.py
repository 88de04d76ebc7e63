"""One request about everything live: head, nonces, receipts, pool; a second one only where something was just mined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from keeper.chain.nodes.headers import parse_block, parse_next_base_fee, parse_tip, quantity
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.sending.attempts import Seen, is_mined
from keeper.chain.sending.fees import forecast
from keeper.chain.sending.receipts import Receipt, heard_failure, parse_receipt
from keeper.core.calls import Purpose
from keeper.core.chain import Block, Unusable
from keeper.core.errors import TransientError
from keeper.core.foreign import printable
from keeper.core.sending import Intent
from keeper.core.units import Address, Wei

MEDIAN = 50


def fee_history(percentile: int) -> tuple[str, str, str, list[int]]:
    """The tips that the last five blocks paid at this percentile of their gas, and the next block's base fee."""
    return ("eth_feeHistory", "0x5", "latest", [percentile])


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the node says of one intent, with the receipt itself."""

    seen: Seen
    receipt: Receipt | None = None
    doubts: tuple[str, ...] = ()
    """Answers that had to be thrown away, and why."""


@dataclass(slots=True)
class _Questions:
    """Requests of one batch, each asked once, found again by what was asked."""

    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    def ask(self, method: str, *params: Any) -> None:
        if (method, list(params)) not in self.asked:
            self.asked.append((method, list(params)))

    def answer(self, method: str, *params: Any) -> Any:
        """None where it was null, an error, or never asked."""
        request = (method, list(params))
        found = self.answers[self.asked.index(request)] if request in self.asked else None
        return None if isinstance(found, RpcError) else found

    def failure(self, method: str, *params: Any) -> str:
        """What the node said instead of an answer; empty where it answered, or was not asked."""
        request = (method, list(params))
        found = self.answers[self.asked.index(request)] if request in self.asked else None
        return printable(found.message, 200) if isinstance(found, RpcError) else ""

    def send(self, rpc: Rpc) -> None:
        self.answers = rpc.batch(self.asked, nullable=True) if self.asked else []


def fetch_sightings(
    rpc: Rpc,
    intents: Sequence[Intent],
    finality: int | None,
    stop: Callable[[Intent], str],
    *,
    legacy: bool = False,
    percentile: int = MEDIAN,
) -> Mapping[int, Sighting]:
    """By intent id. `finality` is a depth in blocks, or None for the node's `finalized` tag; `percentile` is which of
    the tips that recent blocks paid counts as the going one.

    `stop` says why nothing new of an intent may be broadcast.

    Raises TransientError where the node gives no head, Unreachable where none answers.
    """
    fees = ("eth_gasPrice",) if legacy else fee_history(percentile)
    first = _first_questions(rpc, intents, finality, fees)
    head = _block(first.answer("eth_getBlockByNumber", "latest", False))
    if head is None:
        raise TransientError("settling: the node gave no usable head")
    finalized = _finalized(first, head, finality)
    parsed = {intent.id: _receipts(intent, first) for intent in intents}
    nonces = {intent.sender: _nonce(first, intent.sender, "latest") for intent in intents}
    second = _second_questions(rpc, intents, parsed, nonces, finalized)
    market = _market(first.answer(*fees), head, legacy)
    return {
        intent.id: _sighting(
            intent, head, finalized, nonces[intent.sender], parsed[intent.id], first, second, stop, market
        )
        for intent in intents
    }


def _first_questions(rpc: Rpc, intents: Sequence[Intent], finality: int | None, fees: tuple[Any, ...]) -> _Questions:
    questions = _Questions()
    questions.ask("eth_getBlockByNumber", "latest", False)
    if finality is None:
        questions.ask("eth_getBlockByNumber", "finalized", False)
    questions.ask(*fees)
    for intent in intents:
        questions.ask("eth_getTransactionCount", intent.sender, "latest")
        for attempt in intent.attempts:
            questions.ask("eth_getTransactionReceipt", attempt.hash)
        if intent.attempts and not is_mined(intent):
            questions.ask("eth_getTransactionByHash", intent.attempts[-1].hash)
        if intent.mined is not None and is_mined(intent):
            questions.ask("eth_getBlockByNumber", hex(intent.mined.block_number), False)
    questions.send(rpc)
    return questions


def _second_questions(
    rpc: Rpc,
    intents: Sequence[Intent],
    parsed: Mapping[int, tuple[Receipt | None, tuple[str, ...]]],
    nonces: Mapping[Address, int],
    finalized: int,
) -> _Questions:
    """Asked only where the first answers leave something open: the block of a new receipt, a nonce nobody explains."""
    questions = _Questions()
    for intent in intents:
        receipt, _ = parsed[intent.id]
        if receipt is not None and _is_news(intent, receipt):
            questions.ask("eth_getBlockByNumber", hex(receipt.block_number), False)
        elif receipt is None and nonces[intent.sender] > intent.nonce and finalized >= 0:
            questions.ask("eth_getTransactionCount", intent.sender, hex(finalized))
            for attempt in intent.attempts:
                questions.ask("eth_getTransactionByHash", attempt.hash)
    questions.send(rpc)
    return questions


def _sighting(
    intent: Intent,
    head: Block,
    finalized: int,
    nonce: int,
    parsed: tuple[Receipt | None, tuple[str, ...]],
    first: _Questions,
    second: _Questions,
    stop: Callable[[Intent], str],
    market: tuple[Wei | None, Wei | None],
) -> Sighting:
    receipt, doubts = parsed
    final_nonce = second.answer("eth_getTransactionCount", intent.sender, hex(finalized)) if finalized >= 0 else None
    seen = Seen(
        head=head.number,
        now=head.timestamp,
        nonce=nonce,
        finalized=finalized,
        # A receipt that could not be believed, or that is missing though the node has us in a block, may still be ours:
        # then the nonce is no proof of a stranger.
        final_nonce=None
        if final_nonce is None or doubts or _is_ours(intent, second)
        else quantity(final_nonce, "nonce"),
        pooled=bool(intent.attempts) and _is_pooled(intent, first),
        base_fee=market[0],
        tip=market[1],
        stopped=stop(intent),
    )
    if intent.mined is not None and is_mined(intent):
        block = _block(first.answer("eth_getBlockByNumber", hex(intent.mined.block_number), False))
        seen = replace(seen, block_stands=block is None or block.hash == intent.mined.block_hash.lower())
    if receipt is None:
        return Sighting(seen, None, doubts)
    number = hex(receipt.block_number)
    found = second.answer("eth_getBlockByNumber", number, False) or first.answer("eth_getBlockByNumber", number, False)
    block = _block(found)
    if block is None or block.hash != receipt.block_hash:
        was = block.hash if block else "nothing"
        doubt = f"receipt of {receipt.hash}: expected block {receipt.block_hash} at {receipt.block_number}, was {was}"
        return Sighting(seen, None, (*doubts, doubt))
    return Sighting(replace(seen, mined=receipt.mined(block.timestamp)), receipt, doubts)


def _is_news(intent: Intent, receipt: Receipt) -> bool:
    """Mined in another block than the one that the first request asked for."""
    known = intent.mined if is_mined(intent) else None
    return known is None or known.block_number != receipt.block_number


def _receipts(intent: Intent, questions: _Questions) -> tuple[Receipt | None, tuple[str, ...]]:
    """The receipt of whichever own attempt has one, and what had to be thrown away."""
    found: Receipt | None = None
    doubts = []
    for attempt in intent.attempts:
        failure = questions.failure("eth_getTransactionReceipt", attempt.hash)
        receipt = parse_receipt(questions.answer("eth_getTransactionReceipt", attempt.hash), attempt, intent.sender)
        if isinstance(receipt, Receipt):
            found = receipt if attempt.purpose is Purpose.CANCEL else heard_failure(receipt, intent.call, intent.sender)
        elif isinstance(receipt, Unusable):
            doubts.append(receipt.reason)
        elif failure:
            doubts.append(f"receipt of {attempt.hash}: {failure}")
    return found, tuple(doubts)


def _is_pooled(intent: Intent, questions: _Questions) -> bool:
    """The node gives our latest attempt back, by its hash."""
    latest = intent.attempts[-1].hash
    found = questions.answer("eth_getTransactionByHash", latest)
    return isinstance(found, dict) and str(found.get("hash", "")).lower() == latest.lower()


def _is_ours(intent: Intent, questions: _Questions) -> bool:
    """The node has one of our attempts in a block, or does not say: it was asked because no receipt came."""
    asked = [("eth_getTransactionByHash", attempt.hash) for attempt in intent.attempts]
    found = [questions.answer(*question) for question in asked]
    is_in_block = any(isinstance(each, dict) and each.get("blockHash") for each in found)
    return is_in_block or any(questions.failure(*question) for question in asked)


def _nonce(questions: _Questions, sender: Address, tag: str) -> int:
    found = questions.answer("eth_getTransactionCount", sender, tag)
    if not isinstance(found, str):
        raise TransientError(f"settling: the node gave no nonce of {sender}")
    return quantity(found, "nonce")


def _market(answer: Any, head: Block, legacy: bool) -> tuple[Wei | None, Wei | None]:
    """The next block's base fee and the going tip; on a legacy chain the gas price that the node suggests."""
    if legacy:
        return head.base_fee, None if answer is None else Wei(quantity(answer, "gas price"))
    return forecast(head.base_fee, parse_next_base_fee(answer)), parse_tip(answer)


def _finalized(questions: _Questions, head: Block, finality: int | None) -> int:
    if finality is not None:
        return head.number - finality
    block = _block(questions.answer("eth_getBlockByNumber", "finalized", False))
    return block.number if block is not None and block.number <= head.number else -1


def _block(raw: Any) -> Block | None:
    """None where it is missing or damaged. The chain id is the caller's business; none is compared here."""
    try:
        return parse_block(raw, 0)
    except TransientError:
        return None
