from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.foreign import printable


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("WETH", "WETH"),
        ("stETH−Δ", "stETH−Δ"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb", "a\\nb"),
        ("\u202egnp", "\\u202egnp"),
        ("\u200b", "\\u200b"),
        ("x" * 12, "xxxxxxxxxx…(+2)"),
    ],
)
@pytest.mark.fault("K10")
def test_printable__text_from_a_contract__is_harmless(text: str, safe: str) -> None:
    assert printable(text, 10 if text.startswith("x") else 100) == safe


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])))
def test_printable__what_hides_nothing__is_left_as_it_is(text: str) -> None:
    assert printable(text, max(len(text), 1)) == text


@pytest.mark.fault("S18")
@given(st.text())
def test_printable__any_text__moves_no_cursor(text: str) -> None:
    safe = printable(text)
    assert all(unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in safe)
