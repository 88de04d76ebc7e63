"""What nodes say to a transaction, and what it means."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.sending.send_errors import NOT_TAKEN, SendClass, classify, is_delegated

CORPUS = json.loads((Path(__file__).parent / "node_errors.json").read_text("utf-8"))
PAIRS = [pytest.param(e["class"], e["message"], id=f"{e['client']}: {e['message'][:40]}") for e in CORPUS]
FATAL = [entry["message"] for entry in CORPUS if entry["class"] == "FATAL" and entry["client"] != "wrapped"]
FUZZED = int(os.environ.get("KEEPER_FUZZED_ERRORS", "100000"))
EVERYDAY = (
    "the a node of for your was in at by an request transaction account gas price block nonce value failed refused was "
    "chain sender data expected found relay bundle builder upstream gateway backend shard region policy plugin module "
    "please later again contact support unexpected condition while handling try other something went wrong call"
)
WORDS = EVERYDAY.split()


@pytest.mark.fault("R13")
@pytest.mark.parametrize(("expected", "message"), PAIRS)
def test_classify__text_of_a_client__its_class(expected: str, message: str) -> None:
    assert classify(message) == SendClass[expected]
    assert classify(f"  {message.upper()} ") == SendClass[expected], "case and blanks must not matter"


def test_corpus__every_entry__names_its_client_and_source_once() -> None:
    assert all(entry["client"] and entry["source"] for entry in CORPUS)
    assert len({(entry["client"], entry["message"]) for entry in CORPUS}) == len(CORPUS)
    assert len([entry for entry in CORPUS if entry["source"] != "seen in the field"]) >= 100
    assert {entry["class"] for entry in CORPUS} == set(SendClass)


@pytest.mark.parametrize("code", [None, -32000, -32003, -32005, "SERVER_ERROR"])
@pytest.mark.parametrize("prefix", ["rpc error: ", "rpc error: code = Unknown desc = ", "Error: ", "-32000: "])
def test_classify__prefixes_and_codes__change_nothing(prefix: str, code: int | str | None) -> None:
    for entry in CORPUS:
        if entry["message"] and entry["class"] != "UNKNOWN":
            message = prefix + entry["message"]
            assert classify(message, code) == SendClass[entry["class"]], message


def test_classify__nested_json__the_message_inside() -> None:
    for entry in CORPUS:
        if entry["message"] and not entry["message"].startswith("{"):
            inner = json.dumps({"error": {"code": -32000, "message": entry["message"]}})
            assert classify(json.dumps({"message": inner})) == SendClass[entry["class"]], inner


@pytest.mark.parametrize(
    ("message", "code", "expected"),
    [
        ("slow down, friend", 429, SendClass.RATE),
        ("nonce too low", 429, SendClass.NONCE_LOW),  # the text knows better
        ("limit exceeded", -32005, SendClass.UNKNOWN),  # a rate limit for one client, a gas limit for another
        ("it did not work", 3, SendClass.REVERT),
        ("it did not work", "429", SendClass.UNKNOWN),
    ],
)
def test_classify__code__only_where_the_text_is_unknown(message: str, code: int | str, expected: SendClass) -> None:
    assert classify(message, code) is expected


@given(st.text(max_size=200), st.none() | st.integers() | st.text(max_size=5))
def test_classify__any_text__some_class(message: str, code: int | str | None) -> None:
    assert classify(message, code) in SendClass


def test_classify__enormous_or_deep_text__is_answered_at_once() -> None:
    for message in ("{" * 1_000_000, "[" * 1_000_000, "a " * 500_000, '{"message":' * 5_000 + "1" + "}" * 5_000):
        assert classify(message) is SendClass.UNKNOWN


@pytest.mark.fault("invariant 19")
def test_classify__fuzzed_unknown_texts__all_maybe_sent() -> None:
    chance = random.Random(19)
    unsafe = {text: found for text in _unknown(chance, FUZZED) if (found := classify(text)) is not SendClass.UNKNOWN}
    assert unsafe == {}


@pytest.mark.fault("invariant 19")
def test_classify__mangled_fatal_texts__never_proven_fatal() -> None:
    chance = random.Random(20)
    for _ in range(FUZZED // 10):
        words = chance.choice(FATAL).split()
        words.insert(chance.choice((0, len(words))), f"({chance.choice(WORDS)} {chance.choice(WORDS)})")
        assert classify(" ".join(words), chance.choice((None, -32000, 3))) not in NOT_TAKEN, words


@given(st.sampled_from(FATAL), st.text("abcxyz ,.", min_size=3), st.booleans())
def test_classify__fatal_text_inside_another__not_proven_fatal(text: str, other: str, before: bool) -> None:
    wrapped = f"{other}? {text}" if before else f"{text}? {other}"
    assert classify(wrapped) not in NOT_TAKEN


def test_is_delegated__only_texts_about_code_at_the_key__true() -> None:
    assert {entry["message"] for entry in CORPUS if is_delegated(entry["message"])} == {
        "in-flight transaction limit reached for delegated accounts",
        "gapped-nonce tx from delegated accounts",
        "delegation nonce gap",
        "delegation authority has pending transaction",
        "sender not an eoa",
        "sender is not an EOA",
        next(entry["message"] for entry in CORPUS if entry["message"].startswith("processing response")),
    }


def _unknown(chance: random.Random, count: int) -> list[str]:
    """Texts that no client is known to say: sentences about transactions, letters, and any characters at all."""
    kinds = (
        lambda: " ".join(chance.choices(WORDS, k=chance.randint(5, 14))),
        lambda: "".join(chance.choices("abcdefghijklmnopqrstuvwxyz  _-:.0123456789", k=chance.randint(0, 60))),
        lambda: "".join(chr(chance.randrange(0x20, 0x2FFF)) for _ in range(chance.randint(1, 40))),
        lambda: json.dumps({"code": chance.randint(-33000, 500), "message": " ".join(chance.choices(WORDS, k=7))}),
    )
    return [kinds[number % len(kinds)]() for number in range(count)]
