"""Several made-up nodes behind one Rpc: who is asked, what is believed, who is put aside and comes back."""

from typing import Any

import pytest

from keeper.chain.nodes.health import CHECK, FIRST_TERM, SHORT_REST
from keeper.chain.nodes.rpc import Disagreement, Rpc, RpcError
from keeper.core.errors import ConfigError, Unreachable
from tests.unit.chain.fake_node import hash32
from tests.unit.chain.wires import HEAD, HEADER, FakeWire, Hands, fails, header, rpc_of

BALANCE = ("eth_getBalance", ["0xa", "latest"])
PINNED = ("eth_call", [{}, hex(HEAD - 10)])
TICK = [HEADER, BALANCE]


def state(number: int) -> str:
    return "0x" + number.to_bytes(32, "big").hex()


def lies(method: str, params: list[Any], found: Any) -> Any:
    return state(666) if method in ("eth_getBalance", "eth_call") else found


def three() -> tuple[FakeWire, FakeWire, FakeWire]:
    return FakeWire("a"), FakeWire("b"), FakeWire("c")


def counts(*wires: FakeWire) -> list[int]:
    return [len(wire.asked) for wire in wires]


def heard(rpc: Rpc) -> list[str]:
    texts: list[str] = []
    rpc.listen(lambda key, text, is_good: texts.append(text))
    return texts


# --- the steady tick -------------------------------------------------------------------------------------------------


def test_ask__all_of_one_mind__is_one_request_to_each_of_the_quorum() -> None:
    a, b, c = three()
    rpc = rpc_of(Hands(), a, b, c)
    for _ in range(5):
        assert rpc.batch(TICK) == [header(HEAD), state(HEAD)]
    assert counts(a, b, c) == [5, 5, 0]
    assert rpc.requests_made == 10


def test_ask__once_a_minute__looks_at_those_that_nobody_needs() -> None:
    a, b, c = three()
    hands = Hands()
    rpc = rpc_of(hands, a, b, c)
    rpc.batch(TICK)
    hands.seconds += CHECK
    a.head = b.head = c.head = HEAD + 5
    rpc.batch(TICK)
    rpc.batch(TICK)
    assert counts(a, b, c) == [3, 3, 1]


def test_call__of_a_single_method__is_agreed_on_too() -> None:
    a, b, _ = three()
    rpc = rpc_of(Hands(), a, b)
    assert rpc.call(*PINNED) == state(HEAD - 10)
    assert rpc.call(*BALANCE) == state(HEAD)
    assert rpc.call("eth_getBlockByNumber", ["latest", False]) == header(HEAD)
    assert rpc.call("eth_getBlockByNumber", [hex(HEAD + 1), False], nullable=True) is None
    with pytest.raises(Unreachable, match="result was null"):
        rpc.call("eth_getBlockByNumber", [hex(HEAD + 1), False])
    with pytest.raises(RpcError, match="header not found"):
        rpc.call("eth_call", [{}, hex(HEAD + 1)])
    rpc.close()
    assert (a.closed, b.closed) == (True, True)


@pytest.mark.parametrize("quorum", [0, 3])
def test_rpc__quorum_that_cannot_be__is_refused(quorum: int) -> None:
    with pytest.raises(ConfigError, match=rf"main\.quorum: expected 1 to 2, the number of URLs, found {quorum}"):
        rpc_of(Hands(), FakeWire("a"), FakeWire("b"), quorum=quorum)


# --- the same head ---------------------------------------------------------------------------------------------------


@pytest.mark.fault("R17")
@pytest.mark.fault("R18")
def test_ask__heads_differ__is_asked_again_at_the_block_that_the_quorum_has() -> None:
    a, b, _ = three()
    a.head = HEAD + 1
    rpc = rpc_of(Hands(), a, b)
    assert rpc.batch(TICK) == [header(HEAD), state(HEAD)]
    assert counts(a, b) == [2, 2]
    assert a.asked[1] == [("eth_getBlockByNumber", [hex(HEAD), False]), ("eth_getBalance", ["0xa", hex(HEAD)])]


@pytest.mark.fault("R16")
def test_ask__one_is_far_behind__does_not_hold_the_others_back_and_rests() -> None:
    a, b, c = three()
    a.head = HEAD - 8
    rpc = rpc_of(Hands(), a, b, c)
    assert rpc.batch(TICK) == [header(HEAD), state(HEAD)]
    rpc.batch(TICK)
    assert len(b.asked) == 3
    assert len(c.asked) == 3
    assert len(a.asked) == 1


@pytest.mark.fault("R16")
def test_ask__a_stuck_node__is_replaced_and_asked_again_later() -> None:
    a, b, c = three()
    hands = Hands()
    hands.seconds = 300.0
    b.head = c.head = HEAD + 25
    rpc = rpc_of(hands, a, b, c)
    assert rpc.batch(TICK)[1] == state(HEAD + 25)
    rpc.batch(TICK)
    assert counts(a, b, c) == [1, 2, 2]
    a.head = HEAD + 25
    hands.seconds += SHORT_REST
    rpc.batch(TICK)
    assert len(a.asked) == 2


@pytest.mark.fault("R16")
def test_ask__all_stuck__is_unreachable_with_every_reason() -> None:
    hands = Hands()
    hands.seconds = 300.0
    with pytest.raises(Unreachable, match=r"found 0: a: its head is 300 s old, allowed 120 s; b: its head is 300 s"):
        rpc_of(hands, FakeWire("a"), FakeWire("b")).batch(TICK)


@pytest.mark.fault("R34")
def test_ask__one_claims_a_head_of_the_future__is_left_out() -> None:
    a, b, c = three()
    a.head = HEAD + 10
    rpc = rpc_of(Hands(), a, b, c)
    assert rpc.batch(TICK) == [header(HEAD), state(HEAD)]
    assert counts(a, b, c) == [1, 1, 1]


# --- liars -----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("R34")
@pytest.mark.parametrize("liar", [0, 1, 2])
def test_ask__one_of_three_lies__the_other_two_decide(liar: int) -> None:
    wires = three()
    wires[liar].spoil = lies
    hands = Hands()
    rpc = rpc_of(hands, *wires)
    told = heard(rpc)
    assert rpc.batch(TICK) == [header(HEAD), state(HEAD)]
    assert rpc.batch([PINNED]) == [state(HEAD - 10)]
    if liar < 2:
        assert "is not believed for 600 s: nodes disagree on eth_getBalance" in told[0]
        asked = len(wires[liar].asked)
        rpc.batch(TICK)
        assert len(wires[liar].asked) == asked


@pytest.mark.fault("R34")
def test_ask__standby_that_lies__is_known_before_it_is_needed() -> None:
    a, b, c = three()
    c.spoil = lies
    hands = Hands()
    rpc = rpc_of(hands, a, b, c)
    told = heard(rpc)
    hands.seconds += CHECK
    a.head = b.head = c.head = HEAD + 5
    assert rpc.batch(TICK)[1] == state(HEAD + 5)
    assert "main: c is not believed" in told[0]
    b.fault = fails("b is down")
    with pytest.raises(Unreachable, match=r"main: expected answers of 2 nodes, found 1: b is down"):
        rpc.batch(TICK)


@pytest.mark.fault("R20")
@pytest.mark.fault("R34")
def test_ask__two_contradict_each_other__nothing_is_decided_and_both_are_named() -> None:
    a, b, _ = three()
    b.spoil = lies
    rpc = rpc_of(Hands(), a, b)
    for _ in range(2):
        with pytest.raises(Disagreement, match=r"main: nodes disagree on eth_getBalance: a says 0x0+.* and b says 0x0"):
            rpc.batch(TICK)
    assert heard(rpc) == []


@pytest.mark.fault("R34")
def test_ask__liar_tells_the_truth_again__is_believed_only_after_it_was_compared() -> None:
    a, b, c = three()
    a.spoil = lies
    hands = Hands()
    rpc = rpc_of(hands, a, b, c)
    told = heard(rpc)
    rpc.batch(TICK)
    hands.seconds += FIRST_TERM
    a.head = b.head = c.head = HEAD + 50
    rpc.batch(TICK)  # still lying: compared, not counted
    assert "not believed for 2400 s" in told[1]
    a.spoil = None
    hands.seconds += 4 * FIRST_TERM
    a.head = b.head = c.head = HEAD + 250
    assert rpc.batch(TICK)[1] == state(HEAD + 250)
    assert told[2] == "main: a says the same as the others again, and is believed"
    assert len(told) == 3


@pytest.mark.fault("R20")
def test_ask__one_on_another_fork__rests_without_a_quarantine() -> None:
    def forks(method: str, params: list[Any], found: Any) -> Any:
        if method == "eth_getBlockByNumber":
            return header(HEAD, 5)
        return lies(method, params, found)

    a, b, c = three()
    a.spoil = forks
    hands = Hands()
    rpc = rpc_of(hands, a, b, c)
    told = heard(rpc)
    assert rpc.batch(TICK) == [header(HEAD), state(HEAD)]
    a.spoil = None
    hands.seconds += SHORT_REST
    rpc.batch(TICK)
    assert told == []
    assert len(a.asked) == 3


@pytest.mark.fault("R34")
def test_ask__quorum_of_three_of_five__two_liars_move_nothing() -> None:
    wires = [FakeWire(label) for label in "abcde"]
    wires[0].spoil = wires[1].spoil = lies
    rpc = rpc_of(Hands(), *wires, quorum=3)
    assert rpc.batch(TICK) == [header(HEAD), state(HEAD)]
    rpc.batch(TICK)
    assert [len(wire.asked) for wire in wires[:2]] == [2, 2]


# --- failing ones ----------------------------------------------------------------------------------------------------


@pytest.mark.fault("R1")
@pytest.mark.fault("R5")
@pytest.mark.fault("R7")
@pytest.mark.fault("R9")
@pytest.mark.parametrize("status", [None, 429, 500, 503, 525, 200])
def test_ask__one_fails__another_takes_its_place_in_the_same_tick(status: int | None) -> None:
    a, b, c = three()
    a.fault = fails("a is down", status)
    rpc = rpc_of(Hands(), a, b, c)
    assert rpc.batch(TICK) == [header(HEAD), state(HEAD)]
    assert counts(a, b, c) == [1, 1, 1]


@pytest.mark.fault("R21")
def test_ask__one_has_no_such_state__a_third_is_asked_at_the_same_block() -> None:
    a, b, c = three()
    b.spoil = lambda method, params, found: {"error": "missing trie node"} if method == "eth_call" else found
    rpc = rpc_of(Hands(), a, b, c)
    assert rpc.batch([PINNED]) == [state(HEAD - 10)]
    assert counts(a, b, c) == [1, 1, 1]
    assert heard(rpc) == []


@pytest.mark.fault("R31")
def test_ask__all_down_for_hours__asks_each_seldom_grows_nothing_and_recovers() -> None:
    a, b, c = three()
    hands = Hands()
    rpc = rpc_of(hands, a, b, c)
    for wire in (a, b, c):
        wire.fault = fails(f"{wire.label} is down")
    for _ in range(3_600):
        hands.seconds += 1
        with pytest.raises(Unreachable, match="expected answers of 2 nodes"):
            rpc.batch(TICK)
    assert max(counts(a, b, c)) < 500
    for wire in (a, b, c):
        wire.fault, wire.head = None, HEAD + 300
    hands.seconds += 10
    assert rpc.batch(TICK)[1] == state(HEAD + 300)


@pytest.mark.fault("R6")
@pytest.mark.fault("R8")
@pytest.mark.parametrize("status", [401, 402, 403, 404, 410])
def test_ask__dead_provider__is_told_of_once_and_left_alone(status: int) -> None:
    a, b, c = three()
    a.fault = fails(f"HTTP {status}", status)
    rpc = rpc_of(Hands(), a, b, c)
    told = heard(rpc)
    for _ in range(10):
        rpc.batch(TICK)
    assert len(a.asked) == 1
    assert len(told) == 1


# --- sending ---------------------------------------------------------------------------------------------------------


@pytest.mark.fault("R25")
@pytest.mark.fault("R35")
def test_send__to_all__and_one_that_says_another_hash_is_not_believed() -> None:
    a, b, c = three()
    raw = b"\x02"
    ours = "0xf2ee15ea639b73fa3db9b34a245bdfa015c260c598b211bf05a1ecc4b3e3b4f2"
    a.spoil = b.spoil = lambda method, params, found: ours
    rpc = rpc_of(Hands(), a, b, c)
    told = heard(rpc)
    answers = rpc.send_raw(raw)
    assert [answer.result for answer in answers] == [ours, ours, hash32(1)]
    assert counts(a, b, c) == [1, 1, 1]
    assert f"c is not believed for 600 s: it took {ours} and said {hash32(1)}" in told[0]


@pytest.mark.fault("R35")
def test_send__one_rests__it_is_left_out_and_where_all_rest_none_is() -> None:
    a, b, _ = three()
    hands = Hands()
    rpc = rpc_of(hands, a, b, quorum=1)
    a.fault = fails("HTTP 403", 403)
    assert rpc.batch(TICK)[1] == state(HEAD)
    assert [answer.url for answer in rpc.send_raw(b"\x02")] == ["b"]
    b.fault = fails("HTTP 403", 403)
    assert [answer.url for answer in rpc.send_raw(b"\x02")] == ["b"]
    assert [answer.url for answer in rpc.send_raw(b"\x02")] == ["a", "b"]


# --- a quorum of one -------------------------------------------------------------------------------------------------


@pytest.mark.fault("R16")
def test_read__quorum_of_one_and_a_stuck_node__goes_to_the_next() -> None:
    a, b, _ = three()
    hands = Hands()
    hands.seconds = 300.0
    b.head = HEAD + 25
    rpc = rpc_of(hands, a, b, quorum=1)
    assert rpc.batch(TICK)[1] == state(HEAD + 25)
    b.head, hands.seconds = HEAD, 300.0 + SHORT_REST
    # All stuck: the observer, which knows what is allowed, says so.
    assert rpc.batch(TICK)[1] == state(HEAD)


@pytest.mark.fault("R5")
def test_read__single_url_that_rests__fails_at_once_with_the_reason() -> None:
    a = FakeWire("a")
    a.fault = fails("a: HTTP 429", 429, "30")
    rpc = rpc_of(Hands(), a, quorum=1)
    for reason in ("a: HTTP 429", r"a: HTTP 429 \(asked again in 30 s\)"):
        with pytest.raises(Unreachable, match=f"main: no node answers: {reason}$"):
            rpc.batch(TICK)
    assert len(a.asked) == 1


def test_rpc__two_keys_of_one_host__are_two_providers() -> None:
    rpc = Rpc("main", ["https://node.example/v1/AAAAAAAA", "https://node.example/v1/BBBBBBBB"], quorum=2)
    assert rpc.urls == ["https://node.example", "https://node.example (2)"]
    rpc.close()
