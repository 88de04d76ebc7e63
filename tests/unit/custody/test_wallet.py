from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.abi import calldata
from keeper.core.calls import Call, Purpose
from keeper.core.chain import VaultView
from keeper.core.plan import Trade
from keeper.core.units import TokenAmount
from keeper.custody.wallet import Wallet
from tests.builders import (
    DAI,
    ETH,
    SWAP_ROUTER02,
    USDC,
    V2_ROUTER,
    WETH,
    address,
    make_view,
    swap_call,
    units,
    usd,
)

WALLET = Wallet((V2_ROUTER, SWAP_ROUTER02), WETH, units(ETH, "0.02"))
SELL = units(WETH, 15)
TRADE = Trade(SELL, USDC, usd(46_800))
SWAP = swap_call(spends=SELL)
KEY = (WETH, V2_ROUTER.address)


def steps(view: VaultView, swap: Call = SWAP) -> list[Purpose]:
    return [call.purpose for call in WALLET.wrap([swap], view).sequence]


# --- wrap ---


def test_wrap__nothing_approved__approves_exactly_then_swaps() -> None:
    first, second = WALLET.wrap([SWAP], make_view()).sequence
    assert second == SWAP
    assert first.data == calldata("approve(address,uint256)", V2_ROUTER.address, SELL.raw)
    assert (first.to, first.value, first.purpose) == (WETH.address, 0, Purpose.APPROVE)
    assert first.text.startswith("approve 15.0000 WETH to the v2 router 0x0000…")


@pytest.mark.parametrize(
    ("approved", "expected"),
    [
        (0, [Purpose.APPROVE, Purpose.SWAP]),
        (SELL.raw, [Purpose.SWAP]),
        (SELL.raw + 1, [Purpose.SWAP]),
        (SELL.raw - 1, [Purpose.REVOKE, Purpose.APPROVE, Purpose.SWAP]),
        (1, [Purpose.REVOKE, Purpose.APPROVE, Purpose.SWAP]),
    ],
)
def test_wrap__allowance__decides_the_next_unmet_step(approved: int, expected: list[Purpose]) -> None:
    assert steps(make_view(allowances={KEY: approved})) == expected


def test_wrap__allowance_of_another_router__does_not_count() -> None:
    view = make_view(allowances={(WETH, SWAP_ROUTER02.address): SELL.raw})
    assert steps(view) == [Purpose.APPROVE, Purpose.SWAP]


def test_wrap__native_coin_counts__wraps_only_what_is_missing() -> None:
    view = make_view(balances={WETH: units(WETH, 14)}, native=2)
    wrap, *_ = WALLET.wrap([SWAP], view).sequence
    assert (wrap.to, wrap.value, wrap.data) == (WETH.address, 10**18, calldata("deposit()"))
    assert wrap.text == "wrap 1.00000 ETH"
    assert steps(view) == [Purpose.WRAP, Purpose.APPROVE, Purpose.SWAP]


def test_wrap__native_coin_does_not_count__never_wraps() -> None:
    bare = Wallet((V2_ROUTER,), None, units(ETH, 0))
    view = make_view(balances={WETH: units(WETH, 14)})
    assert bare.wrap([SWAP], view).next.purpose is Purpose.APPROVE


def test_wrap__sale_of_another_token__needs_no_wrapping() -> None:
    sell = units(USDC, 1000)
    assert steps(make_view(balances={}), swap_call(spends=sell)) == [Purpose.APPROVE, Purpose.SWAP]


def test_wrap__call_that_spends_nothing__goes_alone() -> None:
    assert WALLET.wrap([swap_call()], make_view()).sequence == (swap_call(),)


@given(st.integers(0, 2**128), st.integers(1, 2**128), st.integers(0, 2**128))
def test_wrap__any_state__ends_with_the_swap_and_covers_it_exactly(approved: int, sell: int, held: int) -> None:
    """Invariant: after the sequence the spender could take no more than the larger of the swap and what it had."""
    swap = swap_call(spends=TokenAmount(WETH, sell))
    view = make_view(allowances={KEY: approved}, balances={WETH: TokenAmount(WETH, held)})
    sequence = WALLET.wrap([swap], view).sequence
    assert sequence[-1] == swap
    allowance, balance = approved, held
    for call in sequence[:-1]:
        if call.purpose is Purpose.WRAP:
            balance += call.value
        else:
            assert not (allowance and call.purpose is Purpose.APPROVE), "a non-zero allowance is reset first"
            allowance = int.from_bytes(call.data[36:], "big")
    assert allowance == sell or allowance == approved >= sell
    assert balance >= sell


# --- take ---


def test_take__several_trades__only_the_first() -> None:
    other = Trade(units(DAI, 1), USDC, usd(1))
    view = make_view()
    assert WALLET.take([TRADE, other], view) == [replace(TRADE, via=frozenset({view.pools[0].pool.address}))]
    assert WALLET.take([], make_view()) == []


@pytest.mark.parametrize(
    ("approved", "sold"),
    [
        ("0", "15"),
        ("13.499999999999999999", "15"),
        ("13.5", "13.5"),
        ("14.9", "14.9"),
        ("15", "15"),
        ("16", "15"),
    ],
)
def test_take__allowance_covers_nine_tenths__sells_what_is_approved(approved: str, sold: str) -> None:
    (trade,) = WALLET.take([TRADE], make_view(allowances={KEY: units(WETH, approved).raw}))
    assert trade.sell == units(WETH, sold)
    assert trade.notional.raw == usd(46_800).raw * trade.sell.raw // SELL.raw
    assert trade.buy == USDC


def test_take__allowance_of_another_router__is_left_alone() -> None:
    view = make_view(allowances={(WETH, SWAP_ROUTER02.address): units(WETH, 14).raw})
    assert [trade.sell for trade in WALLET.take([TRADE], view)] == [TRADE.sell]


def test_take__no_pool__leaves_the_trade_to_the_routing() -> None:
    assert WALLET.take([TRADE], make_view(pools=[])) == [TRADE]


# --- tidy ---


def test_tidy__nothing_left_over__is_none() -> None:
    assert WALLET.tidy(make_view(allowances={KEY: 0})) is None


@pytest.mark.fault("T32")
def test_tidy__leftover_allowance__is_revoked() -> None:
    calls = WALLET.tidy(make_view(allowances={KEY: 5}))
    assert calls is not None
    assert calls.next.data == calldata("approve(address,uint256)", V2_ROUTER.address, 0)
    assert calls.next.purpose is Purpose.REVOKE
    assert calls.next.text.startswith("revoke the WETH allowance of the v2 router 0x")


def test_tidy__several_leftovers__one_at_a_time_in_a_fixed_order() -> None:
    keys = [(token, router.address) for token in (WETH, USDC) for router in (SWAP_ROUTER02, V2_ROUTER)]
    forth = WALLET.tidy(make_view(allowances=dict.fromkeys(keys, 1)))
    back = WALLET.tidy(make_view(allowances=dict.fromkeys(reversed(keys), 1)))
    assert forth == back
    assert forth is not None
    assert len(forth.sequence) == 1


def test_tidy__spender_that_is_none_of_ours__is_not_touched() -> None:
    assert WALLET.tidy(make_view(allowances={(WETH, address(0x99)): 5})) is None


@pytest.mark.parametrize(
    ("native", "held", "unwrapped"),
    [
        ("0.03", "5", None),
        ("0.029", "5", "0.011"),
        ("0.019", "5", "0.021"),
        ("0", "5", "0.04"),
        ("0.01", "0.005", "0.005"),
        ("0.01", "0", None),
    ],
)
def test_tidy__native_coin_runs_low__unwraps_up_to_twice_the_reserve(
    native: str, held: str, unwrapped: str | None
) -> None:
    calls = WALLET.tidy(make_view(native=native, balances={WETH: units(WETH, held)}))
    if unwrapped is None:
        assert calls is None
        return
    assert calls is not None
    assert calls.next.data == calldata("withdraw(uint256)", units(WETH, unwrapped).raw)
    assert (calls.next.purpose, calls.next.to, calls.next.value) == (Purpose.UNWRAP, WETH.address, 0)


def test_tidy__somebody_else_pays_the_gas__does_not_unwrap() -> None:
    assert WALLET.tidy(make_view(native=0, sender=address(0x5E))) is None


def test_tidy__gas_comes_before_allowances() -> None:
    calls = WALLET.tidy(make_view(native=0, allowances={KEY: 5}))
    assert calls is not None
    assert calls.next.purpose is Purpose.UNWRAP
