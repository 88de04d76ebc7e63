"""What nodes say to a transaction, and what it means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.send_errors import SendClass, classify, is_delegated

CORPUS = json.loads((Path(__file__).parent / "node_errors.json").read_text("utf-8"))
FATAL = [text for name, text in CORPUS if name == "FATAL"]


@pytest.mark.parametrize(("expected", "message"), CORPUS)
def test_classify__text_of_a_client__its_class(expected: str, message: str) -> None:
    assert classify(message) == SendClass[expected]
    assert classify(f"  {message.upper()} ") == SendClass[expected], "case and blanks must not matter"


@given(st.text(max_size=200))
def test_classify__any_text__some_class(message: str) -> None:
    assert classify(message) in SendClass


@given(st.sampled_from(FATAL), st.text("abcxyz ,.", min_size=3), st.booleans())
def test_classify__fatal_text_inside_another__not_proven_fatal(text: str, other: str, before: bool) -> None:
    wrapped = f"{other}? {text}" if before else f"{text}? {other}"
    assert classify(wrapped) is not SendClass.FATAL


def test_is_delegated__only_texts_about_delegation__true() -> None:
    assert [text for _, text in CORPUS if is_delegated(text)] == [
        "in-flight transaction limit reached for delegated accounts",
        "gapped-nonce tx from delegated accounts",
    ]
