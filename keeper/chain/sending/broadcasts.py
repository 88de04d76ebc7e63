"""What the nodes' answers to a broadcast add up to. Pure."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from keeper.chain.nodes.rpc import RpcError, SendAnswer
from keeper.chain.sending.send_errors import SendClass, classify, is_delegated
from keeper.core.foreign import printable


@dataclass(frozen=True, slots=True)
class Heard:
    """`taken`: a node has exactly our bytes. `halt`: why the sender must stop, or an empty string. `alert`: what a
    person should know. Not taken never means not sent."""

    taken: bool
    said: str
    halt: str = ""
    alert: str = ""
    outbid: bool = False
    """It offers too little: against the market, or against an own attempt that the pool holds."""
    gap: bool = False
    """A node misses a nonce below this one."""


_WORTH_AN_ALERT = frozenset({SendClass.FUNDS, SendClass.FEECAP, SendClass.UNKNOWN, SendClass.FATAL})


def read_answers(answers: Sequence[SendAnswer], expected_hash: str, *, attempts: int, predecessor: bool) -> Heard:
    """`attempts` is how many of this intent exist; `predecessor` says that a lower nonce of the
    sender is not final yet."""
    classes: list[SendClass] = []
    said, alerts, taken = [], [], False
    for answer in answers:
        if isinstance(answer.result, str):
            if answer.result.lower() == expected_hash.lower():
                taken = True
                said.append(f"{answer.url}: accepted")
            else:
                found = printable(answer.result, 80)
                alerts.append(f"{answer.url}: transaction hash: expected {expected_hash}, was {found}")
        elif isinstance(answer.result, RpcError):
            kind = classify(answer.result.message, answer.result.code)
            classes.append(kind)
            text = f"{answer.url}: {kind}: {printable(answer.result.message, 200)}"
            said.append(text)
            taken = taken or kind is SendClass.KNOWN
            if kind in _WORTH_AN_ALERT:
                alerts.append(text)
            if is_delegated(answer.result.message):
                return Heard(taken, text, f"the sender carries delegated code (EIP-7702)? {text}", text)
        else:
            # A time-out, a broken answer: it may have been taken.
            said.append(f"{answer.url}: {printable(str(answer.result), 200)}")
    kinds = set(classes)
    unanimous = len(classes) == len(answers)
    return Heard(
        taken,
        "; ".join(said or alerts),
        halt="" if taken else _reason_to_halt(kinds, unanimous, attempts, predecessor),
        alert="; ".join(alerts),
        outbid=not taken and not kinds.isdisjoint({SendClass.REPL, SendClass.UNDERPRICED}),
        gap=not taken and SendClass.NONCE_HIGH in kinds,
    )


def _reason_to_halt(kinds: Set[SendClass], unanimous: bool, attempts: int, predecessor: bool) -> str:
    if SendClass.REPL in kinds and attempts == 1:
        return "the pool holds another transaction with this nonce, and it is not ours"
    if kinds == {SendClass.FUNDS} and attempts == 1:
        # Enough was there when it was signed, so the coin went elsewhere since. A replacement that cannot be paid for
        # is another matter: what it would replace still stands.
        return "no node takes it, as the sender cannot pay for it any more: send it native coin, then clear this halt"
    if unanimous and kinds == {SendClass.FATAL}:
        return "every node calls the transaction malformed: a fault of the keeper or of its configuration"
    if unanimous and kinds == {SendClass.NONCE_HIGH} and not predecessor:
        return "a nonce below this one is missing, and no transaction of the journal explains it"
    return ""
