"""Out and in again: the same noun, to the last unit."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.calls import Call, Purpose
from keeper.core.sending import Expectation, Fill
from keeper.core.units import USD, Address, Price, Token, TokenAmount, Wei
from keeper.journal import codec
from tests.builders import ETH, USDC, WETH, address, expected_swap, units
from tests.unit.journal.situations_journal import expectation, receipt

SEVERAL = Expectation(
    (
        expected_swap(units(WETH, 10), units(USDC, 31_000), units(USDC, 30_900), (31_200, "15.6", "184.4")),
        expected_swap(units(USDC, 9_000), units(ETH, 3), units(ETH, "2.9"), (9_000, 9, -9), Fraction(9_001, 3)),
    )
)

raws = st.integers(-(1 << 256), 1 << 256)
tokens = st.builds(
    Token,
    st.integers(0, 1 << 40),
    st.integers(0, (1 << 160) - 1).map(address),
    st.text(max_size=12),
    st.integers(0, 36),
)
amounts = st.builds(TokenAmount, tokens, raws)


def same_text(token: Token, other: Token) -> bool:
    """Symbol and decimals too, which equality leaves out."""
    return (token.symbol, token.decimals) == (other.symbol, other.decimals)


@given(amounts)
def test_amount__any__survives(amount: TokenAmount) -> None:
    found = codec.amount_in(json.loads(codec.dumps(codec.amount_out(amount))))
    assert found == amount
    assert found is not None
    assert same_text(found.token, amount.token)


@given(tokens, st.fractions())
def test_price__any__survives(token: Token, ratio: Fraction) -> None:
    price = Price(token, USD, ratio)
    assert codec.price_in(json.loads(codec.dumps(codec.price_out(price)))) == price


@given(st.binary(max_size=200), st.integers(0, (1 << 256) - 1), st.sampled_from(Purpose), st.none() | amounts)
def test_call__any__survives(data: bytes, value: int, purpose: Purpose, spends: TokenAmount | None) -> None:
    call = Call(Address(address(7)), data, value, purpose, "text with “quotes” and \n lines", spends)
    assert codec.call_in(json.loads(codec.dumps(codec.call_out(call)))) == call


@given(st.dictionaries(tokens, raws, max_size=5))
def test_by_token__any_order__is_the_same_text(values: dict[Token, int]) -> None:
    backwards = dict(reversed(values.items()))
    assert codec.dumps(codec.by_token_out(values)) == codec.dumps(codec.by_token_out(backwards))
    assert {token: int(raw) for token, raw in codec.by_token_in(codec.by_token_out(values)).items()} == values


@pytest.mark.parametrize("expect", [expectation(), Expectation(), SEVERAL])
def test_expectation__full_or_empty__survives(expect: Expectation) -> None:
    assert codec.expectation_in(json.loads(codec.dumps(codec.expectation_out(expect)))) == expect


def test_expectation__not_in_usd__is_refused() -> None:
    swap = replace(SEVERAL.swaps[0], fee_value=units(USDC, 1))
    with pytest.raises(TypeError, match="expected USD, was USDC"):
        codec.expectation_out(Expectation((swap,)))


def test_mined_and_fill__large__survive() -> None:
    mined = replace(receipt(), gas_cost=Wei(1 << 100))
    assert codec.mined_in(json.loads(codec.dumps(codec.mined_out(mined)))) == mined
    fill = Fill((units(WETH, 10), units(ETH, 1)), (units(USDC, 5),))
    assert codec.fill_in(json.loads(codec.dumps(codec.fill_out(fill)))) == fill
    assert (codec.mined_in(None), codec.fill_in(None), codec.amount_in(None), codec.price_in(None)) == (None,) * 4


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes"])
def test_dumps__what_json_cannot_say__is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        codec.dumps({"value": value})
