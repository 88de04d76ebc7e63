"""What several nodes' answers to one batch add up to. Pure.

Every item is voted on by itself. What a decision or a balance rests on must be the same from `quorum` nodes and from
more of them than any other answer; a node that does not know (null, an error of its own) does not vote. What nodes may
honestly see differently (fees that others paid, their own pool, how far they have finalized) is settled without blame.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.nodes.headers import parse_tip, quantity
from keeper.chain.nodes.messages import Request, RpcError
from keeper.core.errors import TransientError
from keeper.core.foreign import printable

Ballots = Mapping[str, Sequence[Any]]
"""Provider -> its answers, in the order of the requests."""

HEADER = ("number", "hash", "parentHash", "timestamp", "baseFeePerGas", "gasLimit")
RECEIPT = (
    "transactionHash",
    "blockHash",
    "blockNumber",
    "from",
    "to",
    "status",
    "gasUsed",
    "effectiveGasPrice",
    "l1Fee",
)
LOG = ("address", "topics", "data")
SIMULATED = ("status", "gasUsed", "returnData")
"""What is read of each; clients differ in what else they tell."""

_BLOCKS = ("eth_getBlockByNumber", "eth_getBlockByHash")
_SETTLED_TAGS = ("finalized", "safe")
MAX_TOLD = 60


class Disagreement(TransientError):
    """Too few nodes say the same, and neither side can be believed. Nothing is decided from it."""


@dataclass(frozen=True, slots=True)
class Split:
    """An item without a winner."""

    text: str


@dataclass(frozen=True, slots=True)
class Tally:
    """`answers` in the order of the requests, a Split where there is no winner. `odd` says who was outvoted, and in
    what; `forked` who has another block at the same height, which honest nodes have too. `open`: somebody spoke
    without finding enough who say the same, so more nodes could settle it."""

    answers: tuple[Any, ...]
    odd: Mapping[str, str]
    forked: Mapping[str, str]
    open: bool

    @property
    def split(self) -> str:
        """The first item without a winner, or an empty string."""
        return next((answer.text for answer in self.answers if isinstance(answer, Split)), "")


def tally(requests: Sequence[Request], ballots: Ballots, quorum: int) -> Tally:
    answers, odd, forked, is_open = [], dict[str, str](), dict[str, str](), False
    for index, request in enumerate(requests):
        said = {name: ballot[index] for name, ballot in ballots.items()}
        verdict = _settle(request, said, quorum)
        answers.append(verdict.answer)
        is_open = is_open or verdict.open
        for name, reason in verdict.outvoted.items():
            blamed = forked if request[0] in _BLOCKS and _hash(said[name]) != _hash(verdict.answer) else odd
            blamed.setdefault(name, reason)
    # On another fork the state differs with the block: that is no second offence.
    only_odd = {name: why for name, why in odd.items() if name not in forked}
    return Tally(tuple(answers), only_odd, forked, is_open)


def is_unanimous(requests: Sequence[Request], ballots: Ballots) -> bool:
    """Nobody contradicts anybody, the silent included."""
    for index, request in enumerate(requests):
        if _soft(request) is None and len({_key(request, ballot[index]) for ballot in ballots.values()}) > 1:
            return False
    return True


@dataclass(frozen=True, slots=True)
class _Verdict:
    """On one item: the answer, or a Split; and who was outvoted."""

    answer: Any
    outvoted: Mapping[str, str]
    open: bool = False


def _settle(request: Request, said: Mapping[str, Any], quorum: int) -> _Verdict:
    if soft := _soft(request):
        return _Verdict(soft(list(said.values()), quorum), {})
    votes: dict[str, list[str]] = {}
    for name, answer in said.items():
        key = _key(request, answer)
        if key is not None:
            votes.setdefault(key, []).append(name)
    ranked = sorted(votes.values(), key=len, reverse=True)
    if ranked and len(ranked[0]) >= quorum and (len(ranked) == 1 or len(ranked[1]) < len(ranked[0])):
        winner = said[ranked[0][0]]
        others = [name for names in ranked[1:] for name in names]
        return _Verdict(winner, {name: _told(request, {ranked[0][0]: winner, name: said[name]}) for name in others})
    return _Verdict(_unsettled(request, said, ranked), {}, open=bool(ranked))


def _unsettled(request: Request, said: Mapping[str, Any], ranked: Sequence[Sequence[str]]) -> Any:
    if len(ranked) > 1:
        text = _told(request, {names[0]: said[names[0]] for names in ranked[:2]})
        # A receipt in doubt concerns one transaction, which waits; anything else concerns the whole tick.
        return RpcError(None, text) if request[0] == "eth_getTransactionReceipt" else Split(text)
    if error := next((answer for answer in said.values() if isinstance(answer, RpcError)), None):
        return error
    if ranked:
        silent = next((name for name, answer in said.items() if answer is None), None)
        there = ranked[0][0]
        return RpcError(None, _told(request, {there: said[there]} | ({silent: None} if silent else {})))
    return None


def _told(request: Request, answers: Mapping[str, Any]) -> str:
    said = " and ".join(f"{name} says {_short(answer)}" for name, answer in answers.items())
    return f"nodes disagree on {request[0]}: {said}"


def _short(answer: Any) -> str:
    if isinstance(answer, RpcError):
        return f"“{printable(answer.message, MAX_TOLD)}”"
    if isinstance(answer, dict) and "hash" in answer:
        return f"block {printable(str(answer.get('number')), 20)} {printable(str(answer['hash']), 70)}"
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return printable(text, MAX_TOLD) + (f" ({len(text)} characters)" if len(text) > MAX_TOLD else "")


# --- what is compared ------------------------------------------------------------------------------------------------


def _key(request: Request, answer: Any) -> str | None:
    """The text by which two answers are the same; None where a node does not vote."""
    if isinstance(answer, RpcError):
        # A call that reverts says something about the chain; every other error says something about the node.
        return "reverts" if answer.code == 3 or "revert" in answer.message.lower() else None
    if answer is None:
        return None
    if isinstance(answer, str):
        return f'"{answer.lower()}"'  # as below, without going over a packed answer twice
    if request[0] in _BLOCKS:
        answer = _fields(answer, HEADER)
    elif request[0] == "eth_getTransactionReceipt":
        answer = _receipt(answer)
    elif request[0] == "eth_simulateV1":
        answer = _simulated(answer)
    return json.dumps(answer, sort_keys=True).lower()


def _fields(answer: Any, names: Sequence[str]) -> Any:
    return {name: answer.get(name) for name in names} if isinstance(answer, dict) else answer


def _each(answer: Any, names: Sequence[str]) -> Any:
    return [_fields(item, names) for item in answer] if isinstance(answer, list) else answer


def _receipt(answer: Any) -> Any:
    kept = _fields(answer, RECEIPT)
    return kept | {"logs": _each(answer.get("logs"), LOG)} if isinstance(answer, dict) else kept


def _simulated(answer: Any) -> Any:
    """The error text of a failed call is the client's own; its revert data is not."""
    if not isinstance(answer, list):
        return answer
    return [_each(block.get("calls"), SIMULATED) if isinstance(block, dict) else block for block in answer]


# --- what nodes may see differently ----------------------------------------------------------------------------------


def _soft(request: Request) -> Callable[[list[Any], int], Any] | None:
    method, params = request
    if method == "eth_feeHistory":
        return lambda said, _: _middle(said, parse_tip)
    if method == "eth_gasPrice":
        return lambda said, _: _middle(said, _figure)
    if method == "eth_getTransactionByHash":
        return _pooled
    if method in _BLOCKS and params and params[0] in _SETTLED_TAGS:
        return _settled
    return None


def _middle(said: list[Any], measure: Callable[[Any], int | None]) -> Any:
    """The answer in the middle; of two the higher, which makes a trade dearer to allow, never cheaper."""
    measured = [(figure, answer) for answer in said if (figure := measure(answer)) is not None]
    if not measured:
        return next((answer for answer in said if answer is not None), None)
    return sorted(measured, key=lambda pair: pair[0])[len(measured) // 2][1]


def _pooled(said: list[Any], quorum: int) -> Any:
    """Held by the nodes only where `quorum` say so: one that hides or censors it costs another broadcast."""
    held = [answer for answer in said if isinstance(answer, dict)]
    hashes = [str(answer.get("hash")).lower() for answer in held]
    return next((answer for answer, found in zip(held, hashes, strict=True) if hashes.count(found) >= quorum), None)


def _settled(said: list[Any], quorum: int) -> Any:
    """As far as `quorum` nodes have come."""
    numbered = [(number, answer) for answer in said if (number := head_number(answer)) is not None]
    ranked = sorted(numbered, key=lambda pair: pair[0], reverse=True)
    if len(ranked) >= quorum:
        return ranked[quorum - 1][1]
    return next((answer for answer in said if isinstance(answer, RpcError)), None)


def _figure(answer: Any) -> int | None:
    try:
        return quantity(answer, "figure")
    except TransientError:
        return None


def _hash(answer: Any) -> str:
    return str(answer.get("hash")).lower() if isinstance(answer, dict) else ""


def head_number(answer: Any) -> int | None:
    return _figure(answer.get("number")) if isinstance(answer, dict) else None


def head_time(answer: Any) -> int | None:
    """{Unix s}"""
    return _figure(answer.get("timestamp")) if isinstance(answer, dict) else None
