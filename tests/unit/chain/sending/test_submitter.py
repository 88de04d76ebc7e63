"""The submitter on one fake node: what is written, what is sent, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from keeper.chain.nodes.rpc import TransportFault
from keeper.chain.sending.attempts import Rules
from keeper.chain.sending.fees import FeePolicy
from keeper.chain.sending.simulate import Simulator
from keeper.chain.sending.submitter import Budget, DrySubmitter, LiveSubmitter
from keeper.core.abi import calldata
from keeper.core.calls import Call, Calls, Purpose
from keeper.core.errors import Halted, JournalError, TransientError
from keeper.core.plan import Fees, Simulation
from keeper.core.sending import Expectation, Fill, Intent, Mined, State
from keeper.core.units import USD, Price, TokenAmount, Wei
from tests.builders import ACCOUNT, CHAIN, DAI, ETH, NOW, USDC, WETH, expected_swap, make_view, units, usd
from tests.unit.chain.lives import GWEI, POOL, TARGET, Ears, MemoryJournal, OneNode, PlainSigner, new_intent
from tests.unit.chain.sending.test_receipts import transfer

POLICY = FeePolicy(Wei(90 * GWEI), Wei(9 * GWEI), Wei(GWEI))
FEES = Fees(Wei(3 * GWEI), Wei(GWEI))
PLAIN = Simulation(100, "", (100_000,), {}, 200_000, FEES, sender_code="0x")
VIEW = make_view()
SWAP = Expectation(
    swaps=(expected_swap(units(WETH, 1), units(USDC, 3_100), units(USDC, 3_090), (3_120, "1.56", "18.44")),),
    native_price=Price(ETH, USD, Fraction(3_120)),
)


class Room:
    """A submitter with everything around it."""

    def __init__(
        self,
        *,
        confirmations: int = 1,
        finality: int | None = 10,
        policy: FeePolicy = POLICY,
        relay: Any = None,
        budgets: Mapping[str, Budget] | None = None,
    ) -> None:
        self.events: list[str] = []
        self.journal, self.node = MemoryJournal(self.events), OneNode(self.events)
        self.signer, self.ears, self.stopped = PlainSigner(self.events), Ears(), ""
        self.policy, self.confirmations, self.finality = policy, confirmations, finality
        self.relay, self.budgets = relay, budgets
        self.submitter = self.restart()

    def restart(self) -> LiveSubmitter:
        node: Any = self.node
        self.submitter = LiveSubmitter(
            node,
            self.journal,  # type: ignore[arg-type]
            Simulator(node, self.policy, b""),
            {ACCOUNT: self.signer},
            CHAIN,
            Rules(self.policy, self.confirmations, patience=60, private_for=300 if self.relay else 0),
            finality=self.finality,
            stop=lambda vault: self.stopped,
            alert=self.ears,
            relay=self.relay,
            budgets=self.budgets,
        )
        return self.submitter

    def submit(self, simulation: Simulation = PLAIN, **changes: Any) -> Intent | None:
        send = self.submitter.submit(new_intent(**changes), VIEW, simulation, self.node.nonce)
        return send() if send is not None else None

    @property
    def intent(self) -> Intent:
        return self.journal.intents[1]

    @property
    def state(self) -> State:
        return self.intent.state

    def hash(self, index: int = -1) -> str:
        return self.intent.attempts[index].hash


@pytest.fixture
def room() -> Room:
    return Room()


# --- submitting ------------------------------------------------------------------------------------------------------


def test_submit__accepted__journaled_before_it_is_sent(room: Room) -> None:
    intent = room.submit()
    assert room.events == ["intend", "sign", "attempt swap MAYBE_SENT", "send", "SENT"]
    assert intent is not None and intent.state is State.SENT and intent.nonce == 7
    assert room.signer.signed == [
        {
            "chainId": CHAIN, "nonce": 7, "to": TARGET, "value": 0, "data": b"\x01\x02\x03\x04", "gas": 200_000,
            "type": 2, "maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": GWEI,
        }
    ]  # fmt: skip


def test_submit__a_key_in_this_process__nothing_leaves_before_the_caller_says_so(room: Room) -> None:
    send = room.submitter.submit(new_intent(), VIEW, PLAIN, room.node.nonce)
    assert room.events == ["intend", "sign", "attempt swap MAYBE_SENT"] and not room.node.asked
    assert send is not None and send().state is State.SENT
    assert room.events[3:] == ["send", "SENT"]


def test_submit__a_key_elsewhere__it_is_asked_only_once_the_nonce_is_durable(room: Room) -> None:
    room.signer.is_here = False
    send = room.submitter.submit(new_intent(), VIEW, PLAIN, room.node.nonce)
    assert room.events == ["intend"]
    assert send is not None and send().state is State.SENT
    assert room.events[1:] == ["sign", "attempt swap MAYBE_SENT", "send", "SENT"]


def test_submit__legacy_chain__one_gas_price() -> None:
    room = Room(policy=replace(POLICY, legacy=True))
    room.submit(replace(PLAIN, fees=Fees(Wei(3 * GWEI), None)))
    assert room.signer.signed[0]["gasPrice"] == 3 * GWEI and "type" not in room.signer.signed[0]


@pytest.mark.fault("R2")
@pytest.mark.fault("R25")
@pytest.mark.fault("T1")
@pytest.mark.parametrize(
    "said",
    [
        TransportFault("https://node: no answer in time"),
        "0x" + "ab" * 32,
        "transaction underpriced",
        "nonce too low",
        "mined",
        "txpool is full",
        "tx fee (1.10 ether) exceeds the configured cap (1.00 ether)",
        "execution reverted",
        "rate limit exceeded",
        "header not found",
        "who knows",
    ],
)
def test_submit__ambiguous_answer__maybe_sent_and_then_the_same_bytes(room: Room, said: str | TransportFault) -> None:
    room.node.says = [said]
    intent = room.submit()
    assert intent is not None and intent.state is State.MAYBE_SENT and not room.journal.halts
    room.events.clear()
    busy = room.submitter.settle()
    assert room.events == ["send", "SENT"], "no new signature, no new nonce"
    assert set(busy) == {"treasury", ACCOUNT, POOL}


def test_submit__already_known__sent(room: Room) -> None:
    room.node.says = ["already known"]
    intent = room.submit()
    assert intent is not None and intent.state is State.SENT


@pytest.mark.fault("T4")
@pytest.mark.fault("T8")
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("replacement transaction underpriced", "not ours"),
        ("nonce too high", "missing"),
        ("transaction type not supported", "malformed"),
        ("gapped-nonce tx from delegated accounts", "7702"),
        ("insufficient funds for gas * price + value", "cannot pay"),
    ],
)
def test_submit__answer_that_only_a_person_can_explain__sender_halted(room: Room, said: str, reason: str) -> None:
    room.node.says = [said]
    intent = room.submit()
    assert intent is not None and intent.state is State.MAYBE_SENT
    assert reason in room.journal.halts[ACCOUNT] and reason in room.ears.heard[f"halt:{ACCOUNT}"]
    room.events.clear()
    room.submitter.settle()
    assert "send" not in room.events, "a halted sender sends nothing again"


@pytest.mark.fault("P17")
@pytest.mark.parametrize("writes", [0, 1])
def test_submit__journal_write_fails__nothing_is_sent(room: Room, writes: int) -> None:
    room.journal.broken_after = writes
    with pytest.raises(JournalError):
        room.submit()
    assert "send" not in room.events


@pytest.mark.fault("S10")
def test_submit__signer_refuses__nonce_stays_reserved_and_is_used_later(room: Room) -> None:
    room.signer.refuses = "the device is asleep"
    intent = room.submit()
    assert intent is not None and intent.state is State.RESERVED
    assert room.submitter.settle()["treasury"].startswith("swap of treasury (nonce 7) is RESERVED")
    room.signer.refuses = ""
    room.submitter.settle()
    assert room.state is State.SENT and room.signer.signed[0]["nonce"] == 7


def test_submit__journal_and_chain_disagree_on_the_nonce__sender_halted(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Intent:
        raise Halted("nonce: expected 9, was 7")

    monkeypatch.setattr(room.journal, "intend", refuse)
    assert room.submit() is None
    assert room.journal.halts == {ACCOUNT: "nonce: expected 9, was 7"} and room.events == [f"halt {ACCOUNT}"]


def test_submit__node_lags_behind_the_journal__not_sent_this_time(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Intent:
        raise TransientError("the node lags")

    monkeypatch.setattr(room.journal, "intend", refuse)
    assert room.submit() is None
    assert room.events == [] and "lags" in room.ears.heard["preflight:treasury"]


@pytest.mark.fault("S21")
def test_submit__paused_before_signing__nothing_reserved(room: Room) -> None:
    room.stopped = "paused by ops"
    assert room.submit() is None and room.events == []


@pytest.mark.fault("S21")
def test_submit__paused_between_signing_and_sending__signed_but_not_sent_until_resumed(room: Room) -> None:
    answers = iter(["", "paused by ops"])
    room.submitter._stop = lambda vault: next(answers, "paused by ops")
    intent = room.submit()
    assert intent is not None and intent.state is State.SIGNED and "send" not in room.events
    assert "paused by ops" in room.submitter.settle()["treasury"]
    assert "send" not in room.events
    room.submitter._stop = lambda vault: ""
    room.submitter.settle()
    assert room.events[-3:] == ["MAYBE_SENT", "send", "SENT"] and len(room.intent.attempts) == 1


@pytest.mark.fault("T24")
@pytest.mark.fault("T25")
@pytest.mark.fault("T26")
def test_submit__preflight_objects__no_nonce_used_and_said_once(room: Room) -> None:
    assert room.submit(gas_limit=40_000_000) is None
    assert room.events == [] and "gas limit" in room.ears.heard["preflight:treasury"]


# --- settling --------------------------------------------------------------------------------------------------------


def test_settle__nothing_live__no_request(room: Room) -> None:
    assert room.submitter.settle() == {} and room.node.batches == 0


def test_settle__mined_and_confirmed_at_once__two_requests_and_an_outcome(room: Room) -> None:
    room.submit()
    room.node.mine(room.hash())
    assert room.submitter.settle() == {}
    assert room.events[-3:] == ["MINED", "finish", "CONFIRMED"] and room.node.batches == 2
    assert room.intent.mined == Mined(
        room.hash(), 101, room.node.hash_of(101), NOW + 12, 1, 100_000, Wei(200_000 * GWEI)
    )
    outcome = room.journal.outcomes[0]
    assert (outcome.fill, outcome.reason) == (None, "")


def test_settle__confirmations__busy_until_deep_enough_and_final_at_finality() -> None:
    room = Room(confirmations=3, finality=10)
    room.submit()
    room.node.mine(room.hash())
    assert "1 of 3 confirmations" in room.submitter.settle()["treasury"]
    room.node.pass_blocks(2)
    assert room.submitter.settle() == {} and room.state is State.CONFIRMED
    room.node.pass_blocks(7)
    room.submitter.settle()
    assert room.state is State.CONFIRMED
    room.node.pass_blocks(1)
    room.submitter.settle()
    assert room.state is State.FINAL_OK
    asked = room.node.batches
    assert room.submitter.settle() == {} and room.node.batches == asked, "what is final costs nothing"


def test_settle__finality_by_tag__waits_for_it() -> None:
    room = Room(finality=None)
    room.submit()
    room.node.mine(room.hash())
    room.submitter.settle()
    room.node.pass_blocks(500)
    room.submitter.settle()
    assert room.state is State.CONFIRMED, "without a usable tag nothing is final"
    room.node.finalized = 101
    room.submitter.settle()
    assert room.state is State.FINAL_OK


@pytest.mark.fault("T3")
@pytest.mark.fault("T22")
def test_settle__stuck__bumped_above_the_highest_attempt_and_any_of_them_settles(room: Room) -> None:
    room.submit()
    room.node.pass_blocks(5)
    room.events.clear()
    room.submitter.settle()
    assert room.events == ["sign", "attempt swap MAYBE_SENT", "send", "SENT"]
    room.node.pass_blocks(5)
    room.submitter.settle()
    assert {signed["nonce"] for signed in room.signer.signed} == {7}
    caps = [signed["maxFeePerGas"] for signed in room.signer.signed]
    assert caps == [3_000_000_000, 3_375_000_000, 3_796_875_000]
    room.node.mine(room.hash(1))
    room.submitter.settle()
    assert room.state is State.CONFIRMED and room.intent.mined is not None and room.intent.mined.hash == room.hash(1)


@pytest.mark.fault("T9")
def test_settle__dropped_from_the_pool__same_bytes_again(room: Room) -> None:
    room.submit()
    room.node.pool.clear()
    room.node.pass_blocks(1)
    room.submitter.settle()
    assert room.events[-3:] == ["MAYBE_SENT", "send", "SENT"] and len(room.intent.attempts) == 1


@pytest.mark.fault("T11")
def test_settle__deadline_passed__cancelled_with_the_same_nonce(room: Room) -> None:
    room.submit()
    room.node.pass_blocks(50)
    room.submitter.settle()
    cancel = room.signer.signed[-1]
    assert (cancel["to"], cancel["value"], cancel["data"], cancel["nonce"]) == (ACCOUNT, 0, b"", 7)
    assert room.intent.attempts[-1].purpose is Purpose.CANCEL and room.state is State.SENT
    room.node.mine(room.hash(), gas_used=21_000)
    room.submitter.settle()
    room.node.pass_blocks(10)
    room.submitter.settle()
    assert room.state is State.FINAL_CANCELLED and "cancelled" in room.journal.outcomes[0].reason


@pytest.mark.fault("T12")
@pytest.mark.fault("T13")
def test_settle__original_wins_over_its_cancel__recorded_as_the_trade_it_was(room: Room) -> None:
    room.submit()
    room.node.pass_blocks(50)
    room.submitter.settle()
    room.node.mine(room.hash(0))
    room.submitter.settle()
    room.node.pass_blocks(10)
    room.submitter.settle()
    assert room.state is State.FINAL_OK and room.journal.outcomes[0].reason == ""


def test_settle__never_signed_until_the_deadline__abandoned_without_a_transaction(room: Room) -> None:
    room.signer.refuses = "the device is asleep"
    room.submit()
    room.node.pass_blocks(50)
    assert room.submitter.settle() == {}
    assert room.state is State.FINAL_CANCELLED and "send" not in room.events


@pytest.mark.fault("T18")
@pytest.mark.fault("T19")
@pytest.mark.fault("T20")
def test_settle__reorg_after_confirmation__live_again_and_sent_again(room: Room) -> None:
    room.submit()
    room.node.mine(room.hash())
    room.submitter.settle()
    assert room.state is State.CONFIRMED
    room.node.reorg()
    busy = room.submitter.settle()
    assert "treasury" in busy and room.state is State.SENT and "reorg" in room.ears.heard["reorg:1"]
    room.node.mine(room.hash(), status=0)
    room.submitter.settle()
    assert room.intent.mined is not None and room.intent.mined.status == 0
    room.node.pass_blocks(10)
    room.submitter.settle()
    assert room.state is State.FINAL_REVERTED and len(room.journal.outcomes) == 2


@pytest.mark.fault("R22")
def test_settle__receipt_lost_while_its_block_stands__waits(room: Room) -> None:
    room.submit()
    room.node.mine(room.hash())
    room.submitter.settle()
    room.node.receipts.clear()
    room.events.clear()
    room.submitter.settle()
    assert room.events == [] and room.state is State.CONFIRMED


@pytest.mark.fault("R23")
@pytest.mark.fault("R24")
@pytest.mark.parametrize(
    "lie",
    [
        {"from": TARGET.lower()},
        {"transactionHash": "0x" + "cd" * 32},
        {"blockHash": "0x" + "cd" * 32},
        {"status": None},
        {"effectiveGasPrice": None},
    ],
)
def test_settle__receipt_that_cannot_be_ours__not_believed(room: Room, lie: dict[str, Any]) -> None:
    room.submit()
    room.node.mine(room.hash())
    room.node.receipts[room.hash()] |= lie
    room.submitter.settle()
    room.node.pass_blocks(20)
    room.submitter.settle()
    assert room.state is State.SENT and "doubt:1" in room.ears.heard and not room.journal.halts


@pytest.mark.fault("T6")
@pytest.mark.fault("T7")
def test_settle__nonce_used_by_a_stranger__halted_only_when_final(room: Room) -> None:
    room.submit()
    room.node.pool.clear()
    room.node.used.append(room.node.head)
    assert "waiting" in room.submitter.settle()["treasury"] and room.state is State.SENT
    room.node.pass_blocks(10)
    assert room.submitter.settle() == {}
    assert room.state is State.EXTERNAL and "not in the journal" in room.journal.halts[ACCOUNT]
    assert room.journal.live(CHAIN) == []


def test_settle__no_signer_after_a_restart__watched_but_not_bumped(room: Room) -> None:
    room.submit()
    room.submitter._signers.clear()
    room.node.pass_blocks(10)
    assert "no signer" in room.submitter.settle()["treasury"]
    room.node.mine(room.hash())
    assert room.submitter.settle() == {} and room.state is State.CONFIRMED


@pytest.mark.parametrize("state", ["RESERVED", "SIGNED", "MAYBE_SENT", "SENT"])
def test_settle__restarted_at_any_state__one_nonce_and_an_end(state: str) -> None:
    room = Room()
    answers = iter(["", "paused by ops"] if state == "SIGNED" else [])
    room.submitter._stop = lambda vault: next(answers, "")
    room.journal.broken_after = {"RESERVED": 1, "MAYBE_SENT": 2}.get(state, 99)
    if state in ("SIGNED", "SENT"):
        room.submit()
    else:
        with pytest.raises(JournalError):
            room.submit()
        room.journal.broken_after = -1
    assert room.state == state
    room.restart().settle()
    room.node.mine(room.hash())
    room.submitter.settle()
    room.node.pass_blocks(10)
    room.submitter.settle()
    assert room.state is State.FINAL_OK and {signed["nonce"] for signed in room.signer.signed} == {7}


# --- what the nodes refuse ------------------------------------------------------------------------------------------


@pytest.mark.fault("T8")
def test_broadcast__predecessor_lost__its_bytes_again_and_never_a_new_nonce(room: Room) -> None:
    first = room.submit()
    assert first is not None
    room.node.mine(room.hash())
    room.submitter.settle()
    assert room.state is State.CONFIRMED
    room.node.says = ["nonce too high"]
    sent: list[bytes] = []
    offer = room.node.send_raw
    room.node.send_raw = lambda raw: (sent.append(raw), offer(raw))[1]  # type: ignore[method-assign]
    second = room.submit(cycle=2)
    assert second is not None and second.nonce == 8 and second.state is State.MAYBE_SENT
    assert sent == [second.attempts[0].raw, first.attempts[0].raw], "and no halt: the predecessor explains the gap"
    assert room.journal.halts == {}
    room.submitter.settle()
    assert room.journal.intents[2].state is State.SENT and len(room.signer.signed) == 2


@pytest.mark.fault("T3")
def test_broadcast__refused_against_our_own_attempt__bumped_from_the_highest_in_the_next_block(room: Room) -> None:
    room.submit()
    room.node.pass_blocks(5)
    room.node.says = ["replacement transaction underpriced"]
    room.submitter.settle()
    assert room.state is State.MAYBE_SENT and not room.journal.halts and len(room.intent.attempts) == 2
    room.node.pass_blocks(1)
    room.submitter.settle()
    assert len(room.intent.attempts) == 3 and room.state is State.SENT
    caps = [signed["maxFeePerGas"] for signed in room.signer.signed]
    assert caps == [3_000_000_000, 3_375_000_000, 3_796_875_000]


@pytest.mark.fault("S22")
def test_settle__gas_budget_spent__no_bump_but_a_cancel(room: Room) -> None:
    # 200,000 gas at 3.375 gwei are 2.1 USD; the first attempt's 3 gwei were 1.9 USD.
    room.budgets = {"treasury": (usd(2), 86_400)}
    room.restart()
    room.submit(expect=SWAP)
    room.node.pass_blocks(10)
    room.submitter.settle()
    assert len(room.intent.attempts) == 1
    assert room.journal.asked_history == ["treasury"]
    room.node.pass_blocks(40)
    room.submitter.settle()
    assert room.intent.attempts[-1].purpose is Purpose.CANCEL


# --- outcomes --------------------------------------------------------------------------------------------------------


def _balances(room: Room, sold: int, received: int) -> None:
    """What balanceOf says before and after block 101."""
    for token, delta in ((WETH, -sold), (USDC, received)):
        for number, raw in ((100, 10**30), (101, 10**30 + delta)):
            key = f"{token.address} {'0x' + calldata('balanceOf(address)', ACCOUNT)[:4].hex()} {hex(number)}"
            room.node.calls[key] = "0x" + raw.to_bytes(32, "big").hex()


def _trade(room: Room, received: int, balance: int | None = None, sold: int = 10**18) -> None:
    room.submit(expect=SWAP)
    logs = [transfer(WETH, ACCOUNT, POOL, sold), transfer(USDC, POOL, ACCOUNT, received)]
    room.node.mine(room.hash(), logs=logs)
    if balance is not None:
        _balances(room, sold, balance)
    room.submitter.settle()


def test_settle__trade_confirmed__fill_and_costs_add_up(room: Room) -> None:
    _trade(room, 3_095 * 10**6, 3_095 * 10**6)
    outcome = room.journal.outcomes[0]
    assert outcome.fill is not None and outcome.fill.received == (units(USDC, 3_095),)
    assert outcome.deltas == {WETH: -(10**18), USDC: 3_095 * 10**6}
    assert outcome.gas_value == usd("0.624") and outcome.others_value == usd(5)
    parts = (outcome.fee_value, outcome.impact_value, outcome.others_value)
    total = sum(part.raw for part in parts if part is not None)
    assert TokenAmount(USD, total) == usd(3_120) - usd(3_095), "fee + impact + others = value sold - fill"
    assert not room.journal.halts


@pytest.mark.fault("T17")
@pytest.mark.fault("K1")
@pytest.mark.fault("K2")
@pytest.mark.parametrize(
    ("received", "balance", "sold", "reason"),
    [
        (0, None, 10**18, "without effects"),
        (3_089 * 10**6, None, 10**18, "min_out"),
        (3_095 * 10**6, 3_000 * 10**6, 10**18, "balance changed by 3,000"),
        (3_095 * 10**6, None, 2 * 10**18, "more than"),
    ],
)
def test_settle__success_without_its_effects__vault_halted(
    room: Room, received: int, balance: int | None, sold: int, reason: str
) -> None:
    _trade(room, received, balance, sold)
    assert reason in room.journal.halts["treasury"] and reason in room.journal.outcomes[0].reason
    assert room.state is State.CONFIRMED, "the transaction is what it is"


def test_settle__two_legs_in_one_transaction__fills_netted_by_token_and_checked(room: Room) -> None:
    dai = expected_swap(units(DAI, 500), units(USDC, 499), units(USDC, 498), (500, "0.5", "0.5"))
    room.submit(expect=replace(SWAP, swaps=(*SWAP.swaps, dai)))
    moves = ((WETH, ACCOUNT, POOL, 10**18), (USDC, POOL, ACCOUNT, 3_096 * 10**6))
    more = ((DAI, ACCOUNT, TARGET, 500 * 10**18), (USDC, TARGET, ACCOUNT, 500 * 10**6))
    room.node.mine(room.hash(), logs=[transfer(*move) for move in (*moves, *more)])
    _balances(room, 10**18, 3_596 * 10**6)
    room.submitter.settle()
    outcome = room.journal.outcomes[0]
    assert outcome.fill == Fill((units(WETH, 1), units(DAI, 500)), (units(USDC, 3_596),))
    assert outcome.fee_value == usd("2.06") and outcome.others_value == usd(3) and not room.journal.halts
    assert DAI not in outcome.deltas, "the node does not say"


def test_settle__wrapped_and_sold_in_one_transaction__the_balance_is_not_missed(room: Room) -> None:
    """What is wrapped has no Transfer event: the balance stays while all of it is sold."""
    wrap = Call(WETH.address, calldata("deposit()"), 10**18, Purpose.WRAP, "wrap 1 ETH")
    call = Call(TARGET, b"multi", 0, Purpose.SWAP, "wrap and sell", inner=(wrap, new_intent().call))
    room.submit(expect=SWAP, call=call)
    room.node.mine(
        room.hash(), logs=[transfer(WETH, ACCOUNT, POOL, 10**18), transfer(USDC, POOL, ACCOUNT, 3_095 * 10**6)]
    )
    _balances(room, 0, 3_095 * 10**6)
    room.submitter.settle()
    assert room.journal.outcomes[0].deltas[WETH] == -(10**18) and not room.journal.halts


def _set_up(room: Room, call: Call, answers: Mapping[str, int], coins: tuple[int, int] | None = None) -> None:
    """A call that trades nothing, mined in block 101; `answers` are words by selector and block."""
    for key, word in answers.items():
        selector, block = key.split()
        data = "0x" + calldata(selector, *([ACCOUNT] * (selector.count(",") + 1)))[:4].hex()
        room.node.calls[f"{WETH.address} {data} {hex(int(block))}"] = "0x" + word.to_bytes(32, "big").hex()
    if coins:
        room.node.coins = {100: hex(coins[0]), 101: hex(coins[1])}
    room.submit(call=call)
    room.node.mine(room.hash())
    room.submitter.settle()


APPROVE = Call(WETH.address, calldata("approve(address,uint256)", POOL, 500), 0, Purpose.APPROVE, "approve 500")
WRAP = Call(WETH.address, calldata("deposit()"), 70, Purpose.WRAP, "wrap 70")
UNWRAP = Call(WETH.address, calldata("withdraw(uint256)", 70), 0, Purpose.UNWRAP, "unwrap 70")
ALLOWED, BEFORE, AFTER = "allowance(address,address) 101", "balanceOf(address) 100", "balanceOf(address) 101"
GAS = 200_000 * GWEI
REVOKE = Call(WETH.address, calldata("approve(address,uint256)", POOL, 0), 0, Purpose.REVOKE, "revoke")
BOTH = Call(TARGET, b"multi", 0, Purpose.APPROVE, "wrap, revoke, approve", inner=(WRAP, REVOKE, APPROVE))


@pytest.mark.fault("T17")
@pytest.mark.fault("K5")
@pytest.mark.parametrize(
    ("call", "answers", "coins", "reason"),
    [
        (APPROVE, {ALLOWED: 500}, None, ""),
        (APPROVE, {ALLOWED: 0}, None, "the allowance is 0 raw, expected 500"),
        (APPROVE, {ALLOWED: 501}, None, "the allowance is 501 raw"),
        (APPROVE, {}, None, ""),  # the node has forgotten; nothing speaks against it
        (WRAP, {BEFORE: 5, AFTER: 75}, None, ""),
        (BOTH, {ALLOWED: 500, BEFORE: 5, AFTER: 75}, None, ""),
        (BOTH, {ALLOWED: 0, BEFORE: 5, AFTER: 75}, None, "the allowance is 0 raw, expected 500"),
        (BOTH, {ALLOWED: 500, BEFORE: 5, AFTER: 74}, None, "the tokens changed by 69 raw"),
        (WRAP, {BEFORE: 5, AFTER: 95}, None, ""),  # somebody sent us more in the same block
        (WRAP, {BEFORE: 5, AFTER: 5}, None, "the tokens changed by 0 raw"),
        (UNWRAP, {BEFORE: 75, AFTER: 5}, (10**18, 10**18 + 70 - GAS), ""),
        (UNWRAP, {BEFORE: 75, AFTER: 5}, (10**18, 10**18 - GAS), "the coin changed by 0 wei"),
        (UNWRAP, {BEFORE: 75, AFTER: 1}, (10**18, 10**18 + 70 - GAS), "the tokens changed by -74 raw"),
    ],
)
def test_settle__set_up_without_its_effects__vault_halted(
    room: Room, call: Call, answers: Mapping[str, int], coins: tuple[int, int] | None, reason: str
) -> None:
    _set_up(room, call, answers, coins)
    assert room.state is State.CONFIRMED and reason in room.journal.outcomes[0].reason
    assert bool(room.journal.halts.get("treasury")) == bool(reason)


@pytest.mark.fault("T17")
@pytest.mark.parametrize(
    ("coins", "received", "reason"),
    [
        ((10**18, 2 * 10**18 - GAS), 10**18, ""),
        ((10**18, 10**18 - GAS), 0, "without effects"),
        (None, None, "not known"),
    ],
)
def test_settle__coin_received_for_tokens__known_by_its_balance(
    room: Room, coins: tuple[int, int] | None, received: int | None, reason: str
) -> None:
    swap = expected_swap(units(USDC, 3_100), units(ETH, 1), units(ETH, "0.99"), price=3_100)
    expect = replace(SWAP, swaps=(swap,))
    room.submit(expect=expect)
    if coins:
        room.node.coins = {100: hex(coins[0]), 101: hex(coins[1])}
    room.node.mine(room.hash(), logs=[transfer(USDC, ACCOUNT, POOL, 3_100 * 10**6)])
    room.submitter.settle()
    outcome = room.journal.outcomes[0]
    assert (outcome.fill.received[0].raw if outcome.fill else None) == received and reason in outcome.reason
    assert bool(room.journal.halts) == (reason == "without effects")


@pytest.mark.fault("T14")
def test_settle__out_of_gas__said_so(room: Room) -> None:
    room.submit()
    room.node.mine(room.hash(), status=0, gas_used=200_000)
    room.submitter.settle()
    assert room.journal.outcomes[0].reason.startswith("out of gas") and not room.journal.halts


@pytest.mark.fault("T15")
def test_settle__reverted__reason_by_replay_at_its_block(room: Room) -> None:
    from keeper.chain.nodes.rpc import RpcError

    room.submit()
    room.node.mine(room.hash(), status=0)
    data = "0x" + calldata("Error(string)", "Too little received").hex()
    room.node.calls[f"{TARGET} 0x01020304 {hex(101)}"] = RpcError(3, "execution reverted", data)
    room.submitter.settle()
    assert room.journal.outcomes[0].reason == "Too little received (less than min_out)"
    assert room.journal.outcomes[0].gas_value is None, "no native price was known at decision"


# --- dry -------------------------------------------------------------------------------------------------------------


@pytest.mark.fault("C17")
def test_dry__submit_and_settle__nothing_and_no_place_for_a_signer() -> None:
    class Counts:
        def simulate(self, calls: Calls, view: object) -> Simulation:
            return PLAIN

    dry = DrySubmitter(Counts())  # type: ignore[arg-type]
    assert dry.submit(new_intent(), VIEW, PLAIN, 7) is None and dry.settle() == {}
    assert dry.simulate(Calls((new_intent().call,)), VIEW) is PLAIN
    assert list(vars(dry)) == ["_simulator"]
    takes: Callable[..., DrySubmitter] = DrySubmitter
    with pytest.raises(TypeError):
        takes(Counts(), signers={})
