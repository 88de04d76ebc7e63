"""What several nodes' answers add up to."""

from __future__ import annotations

import pytest

from keeper.chain.nodes.rpc import RpcError, SendAnswer, TransportFault
from keeper.chain.sending.broadcasts import read_answers

HASH = "0x" + "ab" * 32


def answers(*said: str | None) -> list[SendAnswer]:
    """A hash, an error's text, or None for a time-out."""
    found = []
    for number, text in enumerate(said):
        result: str | RpcError | TransportFault
        if text is None:
            result = TransportFault("no answer in time")
        else:
            result = text if text.startswith("0x") else RpcError(-32000, text)
        found.append(SendAnswer(f"https://node{number}", result))
    return found


@pytest.mark.fault("R3")
@pytest.mark.fault("R25")
@pytest.mark.parametrize(
    ("said", "taken", "halts"),
    [
        ((HASH,), True, False),
        (("already known",), True, False),
        ((None, HASH), True, False),
        ((None, None), False, False),
        (("intrinsic gas too low",), False, True),
        (("intrinsic gas too low", None), False, False),  # the other one may have taken it
        (("intrinsic gas too low", HASH), True, False),
        (("nonce too high",), False, True),
        (("nonce too high", "nonce too low"), False, False),
        (("replacement transaction underpriced", HASH), True, False),
        (("replacement transaction underpriced", "txpool is full"), False, True),
        (("0x" + "cd" * 32,), False, False),
        ((), False, False),
    ],
)
def test_read_answers__several_nodes__taken_if_any_has_our_bytes(
    said: tuple[str | None, ...], taken: bool, halts: bool
) -> None:
    heard = read_answers(answers(*said), HASH, attempts=1, predecessor=False)
    assert (heard.taken, bool(heard.halt)) == (taken, halts)


def test_read_answers__own_earlier_attempt_is_pooled__no_stranger() -> None:
    said = answers("replacement transaction underpriced")
    assert read_answers(said, HASH, attempts=2, predecessor=False).halt == ""


def test_read_answers__gap_with_a_live_predecessor__explained() -> None:
    assert read_answers(answers("nonce too high"), HASH, attempts=1, predecessor=True).halt == ""


@pytest.mark.parametrize(
    ("said", "outbid", "gap"),
    [
        (("replacement transaction underpriced",), True, False),
        (("transaction underpriced", None), True, False),
        (("transaction underpriced", HASH), False, False),
        (("nonce too high", None), False, True),
        (("nonce too high", HASH), False, False),
        (("txpool is full",), False, False),
    ],
)
def test_read_answers__too_low_or_gapped__said_so_unless_taken(
    said: tuple[str | None, ...], outbid: bool, gap: bool
) -> None:
    heard = read_answers(answers(*said), HASH, attempts=2, predecessor=True)
    assert (heard.outbid, heard.gap, heard.halt) == (outbid, gap, "")


@pytest.mark.fault("T26")
def test_read_answers__cannot_pay__halts_for_the_first_attempt_only() -> None:
    poor = "insufficient funds for gas * price + value"
    assert "cannot pay" in read_answers(answers(poor, None), HASH, attempts=1, predecessor=False).halt
    assert read_answers(answers(poor, HASH), HASH, attempts=1, predecessor=False).halt == ""
    assert read_answers(answers(poor, "txpool is full"), HASH, attempts=1, predecessor=False).halt == ""
    assert read_answers(answers(poor), HASH, attempts=2, predecessor=False).halt == ""


def test_read_answers__another_hash__alert_names_the_node() -> None:
    heard = read_answers(answers("0x" + "cd" * 32), HASH, attempts=1, predecessor=False)
    assert "https://node0: transaction hash: expected" in heard.alert


def test_read_answers__hostile_text__harmless() -> None:
    heard = read_answers(answers("\x1b[2Jgone\n" * 100), HASH, attempts=1, predecessor=False)
    assert "\x1b" not in heard.alert and "\n" not in heard.said and len(heard.said) < 400
