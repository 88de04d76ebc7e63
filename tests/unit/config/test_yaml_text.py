"""YAML as text: nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.config.yaml_text import parse
from keeper.core.errors import ConfigError


@pytest.mark.fault("C10")
@pytest.mark.parametrize(
    "scalar",
    ["NO", "off", "null", "~", "010", "0o17", "0x12", "1e18", "1_000", "12:30:45", "2026-01-01", "1.0", ".inf"],
)
def test_parse__plain_scalar__stays_the_text_it_is(scalar: str) -> None:
    assert parse(f"key: {scalar}\n", "f").tree == {"key": scalar}


def test_parse__lines__are_those_of_the_keys() -> None:
    document = parse("a:\n  b:\n    - x\n    - y\nc: {d: z}\n", "f.yaml")
    assert document.where(("a", "b", 1)) == "f.yaml:4"
    assert document.where(("c", "d", "more")) == "f.yaml:5"
    assert document.where(("z",)) == "f.yaml"


def test_parse__alias__repeats_its_anchor() -> None:
    assert parse("a: &limits {x: 1}\nb: *limits\n", "f").tree["b"] == {"x": "1"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "f:3: a: expected each key once, found it again (first on line 1)"),
        ("- a\n", "f:1: file: expected a mapping with chains and vaults, found a list"),
        ("a: {<<: {b: 1}}\n", "f:1: a: expected no merge key, found <<"),
        ("a: !!python/object:os.system x\n", "f:1: a: expected no tag, found a tag"),
        ("? [a, b]\n: c\n", "f: file: expected a plain key, found a list"),
        ("a: 1\n---\nb: 2\n", "f:2: file: expected well-formed YAML, found a fault: found another document"),
    ],
    ids=["twice", "list", "merge", "tag", "complex-key", "two-documents"],
)
def test_parse__what_is_not_wanted__one_line(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "f")
    assert str(caught.value) == line


def test_parse__alias_of_itself_or_bomb__refused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    for text in ("a: &a [*a]\n", bomb):
        with pytest.raises(ConfigError, match="a file of sensible depth and size"):
            parse(text, "f")


def test_parse__broken_file__error_does_not_quote_it() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("rpc: *https-secret-token\n", "f")
    assert "secret" not in str(caught.value)


@given(st.text(max_size=60))
def test_parse__any_text__a_tree_of_texts_or_one_line(text: str) -> None:
    try:
        parse(text, "f")
    except ConfigError as error:
        assert "\n" not in str(error)
