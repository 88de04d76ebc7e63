"""Fakes for a transaction's life: a journal in memory, one node, a signer without a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eth_utils.crypto import keccak

from keeper.chain.nodes.rpc import RpcError, SendAnswer, TransportFault
from keeper.core.calls import Call, Purpose
from keeper.core.chain import History
from keeper.core.errors import JournalError, SubmitError
from keeper.core.records import NewIntent, Request
from keeper.core.sending import FINAL, Attempt, Expectation, Intent, Mined, Outcome, State
from keeper.core.units import Address
from keeper.journal import rules
from tests.builders import ACCOUNT, CHAIN, NOW, address

TARGET = address(0x7A26E7)
POOL = address(0xB001)
GWEI = 10**9


def new_intent(**changes: Any) -> NewIntent:
    call = Call(TARGET, b"\x01\x02\x03\x04", 0, Purpose.SWAP, "sell 1 WETH")
    plain = NewIntent("treasury", 1, CHAIN, ACCOUNT, ACCOUNT, call, 200_000, NOW + 600, (POOL,), NOW, Expectation())
    return replace(plain, **changes)


class MemoryJournal:
    """Keeps intents by the journal's own rules, and every write in `events`, in order. May break after some writes."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.intents: dict[int, Intent] = {}
        self.news: dict[int, NewIntent] = {}
        self.outcomes: list[Outcome] = []
        self.halts: dict[str, str] = {}
        self.broken_after = -1
        self.asked_history: list[str] = []
        self.inbox: list[Request] = []
        self.answers: dict[int, str] = {}

    def _write(self, event: str) -> None:
        if self.broken_after == 0:
            raise JournalError("disk full")
        self.broken_after -= 1
        self.events.append(event)

    def intend(self, new: NewIntent, chain_nonce: int) -> Intent:
        self._write("intend")
        number = len(self.intents) + 1
        intent = Intent(
            number, new.vault, new.cycle, new.chain_id, new.sender, chain_nonce, new.call, new.gas_limit, new.deadline,
            new.pools, State.RESERVED, new.at,
        )  # fmt: skip
        self.intents[number], self.news[number] = intent, new
        return intent

    def attempt(self, intent: int, attempt: Attempt, leaves: bool = False) -> Intent:
        self._write(f"attempt {attempt.purpose}" + " MAYBE_SENT" * leaves)
        after = rules.signed(self.intents[intent], attempt)
        self.intents[intent] = rules.offered(after) if leaves else after
        return self.intents[intent]

    def advance(self, intent: int, to: State, mined: Mined | None = None, note: str = "") -> Intent:
        after = rules.moved(self.intents[intent], to, mined, note)
        self._write(str(to))
        self.intents[intent] = after
        return self.intents[intent]

    def finish(self, outcome: Outcome) -> None:
        rules.concludable(self.intents[outcome.intent], outcome)
        self._write("finish")
        self.outcomes.append(outcome)

    def live(self, chain_id: int) -> Sequence[Intent]:
        return [intent for intent in self.intents.values() if intent.state not in FINAL]

    def expectation(self, intent: int) -> NewIntent:
        return self.news[intent]

    def halt(self, scope: str, reason: str, now: int) -> None:
        self._write(f"halt {scope}")
        self.halts[scope] = reason

    def halted(self, scope: str) -> str:
        return self.halts.get(scope, "")

    def ask(self, action: str, target: str) -> int:
        self.inbox.append(Request(len(self.inbox) + 1, action, target, "stuck", "ana", NOW))
        return len(self.inbox)

    def requests(self) -> Sequence[Request]:
        return [request for request in self.inbox if request.id not in self.answers]

    def answer(self, request: int, text: str) -> None:
        self.answers[request] = text

    def history(self, vault: str, now: int) -> History:
        self.asked_history.append(vault)
        return History()


@dataclass
class OneNode:
    """A node with one pool and one chain of blocks. `says` are its next answers to a send; a text is an error."""

    events: list[str]
    head: int = 100
    now: int = NOW
    base_fee: int | None = GWEI
    used: list[int] = field(default_factory=list)
    """In which blocks the sender's nonces from 7 on were used."""
    finalized: int | None = None
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    pool: dict[str, bytes] = field(default_factory=dict)
    replaced: dict[int, str] = field(default_factory=dict)
    says: list[str | TransportFault] = field(default_factory=list)
    calls: dict[str, Any] = field(default_factory=dict)
    """Answers to `eth_call` by `to data[:10] block`, most exact key first."""
    coins: dict[int, str] = field(default_factory=dict)
    """The account's native balance by block."""
    code: str = "0x"
    """Of the sender."""
    batches: int = 0
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)

    def hash_of(self, number: int) -> str:
        return self.replaced.get(number, "0x" + number.to_bytes(32, "big").hex())

    def nonce_at(self, number: int) -> int:
        return 7 + sum(block <= number for block in self.used)

    @property
    def nonce(self) -> int:
        return self.nonce_at(self.head)

    def mine(self, raw_hash: str, *, status: int = 1, logs: Sequence[Any] = (), gas_used: int = 100_000) -> None:
        self.head += 1
        self.now += 12
        self.used.append(self.head)
        self.pool.clear()
        self.receipts[raw_hash] = {
            "transactionHash": raw_hash,
            "from": ACCOUNT.lower(),
            "blockNumber": hex(self.head),
            "blockHash": self.hash_of(self.head),
            "status": hex(status),
            "gasUsed": hex(gas_used),
            "effectiveGasPrice": hex(2 * GWEI),
            "logs": list(logs),
        }

    def pass_blocks(self, count: int, seconds: int = 12) -> None:
        self.head += count
        self.now += count * seconds

    def reorg(self) -> None:
        """The head's block is replaced, and what it held is gone."""
        self.replaced[self.head] = "0x" + "ee" * 32
        gone = [h for h, receipt in self.receipts.items() if int(receipt["blockNumber"], 16) == self.head]
        for raw_hash in gone:
            del self.receipts[raw_hash]
            self.used.remove(self.head)

    # --- the transport's face ---

    def batch(self, requests: Sequence[tuple[str, list[Any]]], *, nullable: bool = False) -> list[Any]:
        assert requests, "an empty batch must not be sent"
        self.batches += 1
        return [self._answer(method, params) for method, params in requests]

    def call(self, method: str, params: list[Any], *, nullable: bool = False) -> Any:
        answer = self._answer(method, params)
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def send_raw(self, raw: bytes) -> list[SendAnswer]:
        self.events.append("send")
        raw_hash = "0x" + keccak(raw).hex()
        said = self.says.pop(0) if self.says else raw_hash
        if said == raw_hash or said == "already known":
            self.pool = {raw_hash: raw}
        if isinstance(said, TransportFault) or said.startswith("0x"):
            return [SendAnswer("https://node", said)]
        return [SendAnswer("https://node", RpcError(-32000, said))]

    def _answer(self, method: str, params: list[Any]) -> Any:
        self.asked.append((method, params))
        if method == "eth_getBlockByNumber":
            if params[0] == "finalized":
                return RpcError(-32000, "no such tag") if self.finalized is None else self._block(self.finalized)
            return self._block(self.head if params[0] == "latest" else int(params[0], 16))
        if method == "eth_getTransactionCount":
            return hex(self.nonce if params[1] == "latest" else self.nonce_at(int(params[1], 16)))
        if method == "eth_getCode":
            return self.code
        if method == "eth_getTransactionReceipt":
            return self.receipts.get(params[0])
        if method == "eth_getTransactionByHash":
            return {"hash": params[0]} if params[0] in self.pool else None
        if method == "eth_feeHistory":
            return {"reward": [[hex(GWEI)]] * 5}
        if method == "eth_gasPrice":
            return hex(3 * GWEI)
        if method == "eth_getBalance":
            return self.coins.get(int(params[1], 16), RpcError(-32000, "missing trie node"))
        if method == "eth_call":
            key = f"{params[0]['to']} {params[0]['data'][:10]} {params[1]}"
            return self.calls.get(key, RpcError(-32000, "missing trie node"))
        raise AssertionError(f"unexpected {method}")

    def _block(self, number: int) -> dict[str, Any] | None:
        if number > self.head:
            return None
        return {
            "number": hex(number),
            "hash": self.hash_of(number),
            "parentHash": self.hash_of(number - 1),
            "timestamp": hex(self.now - 12 * (self.head - number)),
            "gasLimit": hex(30_000_000),
            **({} if self.base_fee is None else {"baseFeePerGas": hex(self.base_fee)}),
        }


@dataclass
class PlainSigner:
    """Writes what it was asked to sign down as text; no key."""

    events: list[str]
    address: Address = ACCOUNT
    is_here: bool = True
    refuses: str = ""
    signed: list[Mapping[str, object]] = field(default_factory=list)

    def sign(self, transaction: Mapping[str, object]) -> bytes:
        if self.refuses:
            raise SubmitError(self.refuses)
        self.events.append("sign")
        self.signed.append(dict(transaction))
        return repr(sorted(transaction.items(), key=str)).encode()


@dataclass
class Ears:
    """Hears alerts."""

    heard: dict[str, str] = field(default_factory=dict)

    def alert(self, key: str, text: str) -> None:
        self.heard[key] = text
