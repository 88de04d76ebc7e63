"""What changed and was not ours."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from keeper.core.calls import Call, Purpose
from keeper.core.sending import Fill, Intent, Mined, State
from keeper.core.units import USD, Price, Token, TokenAmount
from keeper.journal.flows import Flow, changes_of, compute_flows, compute_gain, value_flow
from tests.builders import ACCOUNT, CHAIN, ETH, NOW, USDC, WETH, address, units, usd
from tests.unit.journal.situations_journal import attempt, outcome, receipt, swap

TOKENS = (WETH, USDC, ETH)
GAS = 10**15


def ours(call: Call | None = None, mined: Mined | None = None, purpose: Purpose = Purpose.SWAP) -> Intent:
    return Intent(
        id=1,
        vault="treasury",
        cycle=1,
        chain_id=CHAIN,
        sender=ACCOUNT,
        nonce=0,
        call=call or swap(),
        gas_limit=1,
        deadline=1,
        pools=(),
        state=State.CONFIRMED,
        created_at=NOW,
        attempts=(attempt(1, purpose),),
        mined=mined or receipt(1),
    )


def test_changes_of__a_fill__are_what_its_transfers_say_and_the_gas() -> None:
    assert changes_of(ours(), outcome(1), ACCOUNT, TOKENS) == {
        ETH: -GAS,
        WETH: -units(WETH, 10).raw,
        USDC: units(USDC, 31_175).raw,
    }


def test_changes_of__reverted_or_cancelled__is_gas_alone() -> None:
    assert changes_of(ours(mined=receipt(1, status=0)), None, ACCOUNT, TOKENS) == {ETH: -GAS}
    assert changes_of(ours(purpose=Purpose.CANCEL), outcome(1), ACCOUNT, TOKENS) == {ETH: -GAS}


def test_changes_of__another_sender_pays__has_no_gas() -> None:
    assert ETH not in changes_of(ours(), outcome(1), address(0xDD), (WETH, USDC))
    assert changes_of(ours(mined=receipt(1, status=0)), None, address(0xDD), TOKENS) == {}


def test_changes_of__without_a_fill__are_the_deltas() -> None:
    found = changes_of(ours(), replace(outcome(1, filled=False), deltas={WETH: 5}), ACCOUNT, TOKENS)
    assert found == {ETH: -GAS, WETH: 5}


def test_changes_of__never_mined__are_none() -> None:
    assert changes_of(replace(ours(), mined=None), None, ACCOUNT, TOKENS) == {}


def test_changes_of__wrap_and_unwrap__move_between_native_and_wrapped() -> None:
    wrap = Call(WETH.address, b"\xd0\xe3\x0d\xb0", 7 * 10**17, Purpose.WRAP, "wrap 0.7 ETH")
    assert changes_of(ours(wrap), None, ACCOUNT, TOKENS) == {ETH: -GAS - 7 * 10**17, WETH: 7 * 10**17}
    data = b"\x2e\x1a\x7d\x4d" + (3 * 10**17).to_bytes(32, "big")
    unwrap = Call(WETH.address, data, 0, Purpose.UNWRAP, "unwrap 0.3 WETH")
    assert changes_of(ours(unwrap), None, ACCOUNT, TOKENS) == {ETH: -GAS + 3 * 10**17, WETH: -3 * 10**17}


def test_changes_of__atomic_call_of_several_steps__each_step_counts_once() -> None:
    wrap = Call(WETH.address, b"\xd0\xe3\x0d\xb0", 7, Purpose.WRAP, "wrap 7")
    atomic = replace(swap(), inner=(wrap, swap(), swap()))
    filled = Fill((TokenAmount(WETH, 5),), (TokenAmount(USDC, 9), TokenAmount(WBTC, 2)))
    safe = address(0x5AFE)
    found = changes_of(ours(atomic), replace(outcome(1), fill=filled), safe, (*TOKENS, WBTC))
    assert found == {ETH: -7, WETH: 7 - 5, USDC: 9, WBTC: 2}


def test_changes_of__coin_sold_in_a_swap__is_counted_by_its_fill_alone() -> None:
    filled = Fill((TokenAmount(ETH, 5),), (TokenAmount(USDC, 9),))
    found = changes_of(ours(swap(value=5)), replace(outcome(1), fill=filled), ACCOUNT, TOKENS)
    assert found == {ETH: -GAS - 5, USDC: 9}


def held(weth: int, usdc: int) -> dict[Token, TokenAmount]:
    return {WETH: TokenAmount(WETH, weth), USDC: TokenAmount(USDC, usdc)}


def test_compute_flows__explained__is_nothing() -> None:
    assert compute_flows(held(100, 50), held(90, 80), [{WETH: -10, USDC: 30}]) == ()


def test_compute_flows__one_unit_too_much__is_a_flow() -> None:
    assert compute_flows(held(100, 50), held(91, 80), [{WETH: -10}, {USDC: 30}]) == (TokenAmount(WETH, 1),)


def test_compute_flows__token_that_a_config_has_just_added__was_not_deposited() -> None:
    assert compute_flows({WETH: TokenAmount(WETH, 1)}, held(1, 1000), []) == ()


@given(
    before=st.tuples(st.integers(0, 1 << 200), st.integers(0, 1 << 200)),
    own=st.lists(st.tuples(st.integers(-(1 << 100), 1 << 100), st.integers(-(1 << 100), 1 << 100)), max_size=5),
    strange=st.tuples(st.integers(-(1 << 100), 1 << 100), st.integers(-(1 << 100), 1 << 100)),
)
def test_compute_flows__any_mix__finds_exactly_the_strange_part(
    before: tuple[int, int], own: list[tuple[int, int]], strange: tuple[int, int]
) -> None:
    after = held(*(before[i] + sum(each[i] for each in own) + strange[i] for i in (0, 1)))
    found = compute_flows(held(*before), after, [{WETH: weth, USDC: usdc} for weth, usdc in own])
    assert {amount.token: amount.raw for amount in found} == {
        token: raw for token, raw in ((WETH, strange[0]), (USDC, strange[1])) if raw
    }


def test_value_flow__without_a_price_in_usd__is_unknown() -> None:
    prices = {WETH: Price(WETH, USD, Fraction(3120)), USDC: Price(USDC, WETH, Fraction(1, 3120))}
    assert value_flow(units(WETH, 2), prices) == usd(6240)
    assert value_flow(units(USDC, 2), prices) is None
    assert value_flow(units(ETH, 2), prices) is None


def test_compute_gain__deposits_and_withdrawals__are_neither_profit_nor_loss() -> None:
    flows = [
        Flow("treasury", NOW, 1, units(USDC, 500), usd(500)),
        Flow("treasury", NOW, 2, units(USDC, -200), usd(-200)),
        Flow("treasury", NOW, 3, units(WBTC, 1), None),
    ]
    assert compute_gain(usd(1000), usd(1290), flows) == usd(-10)


WBTC = Token(CHAIN, address(0xB7C), "WBTC", 8)
