"""Journal and chain agree on every nonce, or the reason says which and what helps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.nodes.rpc import RpcError
from keeper.chain.sending.reconcile import MARK, Ledger, OnChain, examine, fetch_senders, ledger_of
from keeper.core.errors import TransientError
from keeper.core.sending import Intent, State
from tests.builders import ACCOUNT, CHAIN, address
from tests.unit.chain.lives import new_intent

OTHER = address(0x07)


def ledger(following: int | None, *unfinished: int) -> Ledger:
    return Ledger(following, frozenset(unfinished))


@pytest.mark.parametrize(
    ("journal", "chain"),
    [
        (ledger(None), OnChain(0, 0)),
        (ledger(7), OnChain(7, 7)),
        (ledger(8, 7), OnChain(7, 7)),  # ours, not sent yet, or dropped
        (ledger(8, 7), OnChain(7, 8)),  # ours, pending
        (ledger(8, 7), OnChain(8, 8)),  # ours, mined while nobody looked
        (ledger(9, 7, 8), OnChain(7, 9)),  # a reorg took the confirmed one back
        (ledger(9, 7), OnChain(9, 9)),
    ],
)
def test_examine__every_nonce_explained__none(journal: Ledger, chain: OnChain) -> None:
    assert examine(journal, chain) is None


@pytest.mark.parametrize(
    ("journal", "chain", "said", "adoptable"),
    [
        pytest.param(
            ledger(None), OnChain(5, 5), "has used 5 nonces: a deleted journal", True, marks=pytest.mark.fault("P21")
        ),
        pytest.param(ledger(None), OnChain(0, 2), "up to nonce 1", False, marks=pytest.mark.fault("T23")),
        pytest.param(ledger(7), OnChain(7, 9), "up to nonce 8", False, marks=pytest.mark.fault("T23")),
        pytest.param(ledger(7), OnChain(9, 9), "this journal is an old copy", True, marks=pytest.mark.fault("P20")),
        pytest.param(ledger(8, 7), OnChain(10, 10), "the key is used elsewhere", True, marks=pytest.mark.fault("P16")),
        pytest.param(ledger(9, 8), OnChain(7, 7), "nonce 7 was final", False, marks=pytest.mark.fault("T21")),
        pytest.param(
            ledger(7), OnChain(7, 7, "0xef0100" + "ab" * 20), "0x" + "ab" * 20, False, marks=pytest.mark.fault("S15")
        ),
        pytest.param(ledger(None), OnChain(0, 0, "0x6000"), "is a contract", False, marks=pytest.mark.fault("S15")),
    ],
)
def test_examine__a_nonce_that_nobody_explains__says_which_and_what_helps(
    journal: Ledger, chain: OnChain, said: str, adoptable: bool
) -> None:
    doubt = examine(journal, chain)
    assert doubt is not None and said in doubt.reason and doubt.adoptable is adoptable
    assert ("--adopt" in doubt.reason) or not adoptable
    assert doubt.reason.startswith(MARK) or chain.code != "0x"


@given(st.none() | st.integers(0, 12), st.sets(st.integers(0, 12)), st.integers(0, 12), st.integers(0, 4))
def test_examine__anything__silent_only_where_chain_and_journal_account_for_the_same_nonces(
    following: int | None, unfinished: set[int], used: int, waiting: int
) -> None:
    known = ledger(following, *unfinished)
    if examine(known, OnChain(used, used + waiting)) is None:
        assert used + waiting <= (following or 0), "nothing used or pending that the journal does not know"
        assert set(range(used, following or 0)) <= unfinished, "nothing final that the chain does not have"


def test_ledger__unfinished_of_this_sender_only() -> None:
    def of(number: int, nonce: int, sender: Any) -> Intent:
        new = new_intent(sender=sender)
        return Intent(
            number, "treasury", 1, CHAIN, sender, nonce, new.call, 1, 1, (), State.SENT, 1
        )  # fmt: skip

    assert ledger_of(9, [of(1, 8, ACCOUNT), of(2, 3, OTHER)], ACCOUNT) == ledger(9, 8)


class Node:
    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def batch(self, requests: Any) -> list[Any]:
        assert len(requests) == len(self.answers)
        return self.answers


def test_fetch__two_senders__one_request_and_a_pool_never_below_the_head() -> None:
    node: Any = Node("0x7", "0x9", "0x", "0x5", "0x3", "0xEF0100" + "AB" * 20)
    assert fetch_senders(node, [ACCOUNT, OTHER]) == {
        ACCOUNT: OnChain(7, 9),
        OTHER: OnChain(5, 5, "0xef0100" + "ab" * 20),
    }


@pytest.mark.fault("R12")
@pytest.mark.parametrize("answers", [("0x7", RpcError(1, "no"), "0x"), ("0x7", "0x7", 3), (7, "0x7", "0x")])
def test_fetch__answer_missing__nothing_is_guessed(answers: tuple[Any, ...]) -> None:
    node: Any = Node(*answers)
    with pytest.raises(TransientError):
        fetch_senders(node, [ACCOUNT])


def test_fetch__nobody_armed__no_request() -> None:
    node: Any = Node()
    assert fetch_senders(node, []) == {}
