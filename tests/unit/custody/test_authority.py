"""What a thief of the key could take, for each kind of custody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.authority import WorstLoss
from keeper.core.chain import Read, Unusable, VaultView
from keeper.core.units import Address, Token, TokenAmount
from keeper.custody.authority import NOT_COUNTED, gas_money, safe_reads
from keeper.custody.envelope import Envelope
from keeper.custody.roles import NO_SCOPES, Allowance, RoleMember, role_key
from keeper.custody.wallet import Wallet
from tests.builders import ACCOUNT, ETH, USDC, V2_ROUTER, WETH, address, make_view, market, units, usd
from tests.unit.custody.safes import (
    BARE,
    BATCHER,
    DAY,
    ENVELOPES,
    KEY,
    MEMBER,
    MODIFIER,
    MODULE,
    OWNER,
    SAFE,
    THROUGH,
    answers,
    atomic,
    safe_view,
    words,
)
from tests.unit.custody.test_contract import CONTRACT, terms

WALLET = Wallet((V2_ROUTER,), WETH, units(ETH, "0.02"))
ALL, COIN = usd(2_000_000), usd(3_120)
"""Of the view, and the coin that the Safe has and that the key has."""


def rights(threshold: int = 2, owner: int = 0, module: int = 0) -> dict[Read, bytes]:
    """What the Safe says of the key."""
    return dict(zip(safe_reads(SAFE, KEY), map(words, (threshold, owner, module)), strict=True))


def seen(envelope: Envelope, extra: Mapping[Read, bytes], **changes: object) -> VaultView:
    view = safe_view(envelope, answers(envelope) | dict(extra))
    return replace(view, **changes)  # type: ignore[arg-type]


def loss(found: WorstLoss | Unusable) -> WorstLoss:
    assert isinstance(found, WorstLoss), found
    return found


def figures(found: WorstLoss | Unusable) -> list[TokenAmount]:
    found = loss(found)
    return [found.per_transaction.value, found.per_day.value, found.total.value]


# --- wallet ----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("S14")
def test_wallet__everything__and_its_gas_money_beside_it() -> None:
    found = loss(WALLET.authority(make_view()))
    assert figures(found) == [ALL] * 3
    assert (found.gas, found.gas_value, found.day) == (units(ETH, 1), COIN, ALL + COIN)
    assert found.notes == (NOT_COUNTED,)


def test_gas_money__coin_that_counts_as_the_vaults__counts_once() -> None:
    view = make_view([units(WETH, 10)], balances={WETH: units(WETH, "9.5")})
    assert gas_money(view) == units(ETH, "0.5")


@pytest.mark.parametrize("missing", [WETH, ETH])
def test_wallet__a_price_that_is_unusable__gives_no_figure(missing: Token) -> None:
    view = make_view(prices={WETH: market(WETH, 3120), USDC: market(USDC, 1)})
    stale = Unusable("stale")
    if missing == ETH:
        view = replace(view, native_price=stale)
    else:
        view = replace(view, prices={**view.prices, missing: stale})
    assert WALLET.authority(view) == Unusable(f"price of {missing.symbol}: stale")


def test_wallet__nothing_of_a_token_without_a_price__needs_none() -> None:
    view = make_view([units(WETH, 1), units(USDC, 0)], {WETH: market(WETH, 3120), USDC: Unusable("stale")})
    assert figures(WALLET.authority(view)) == [COIN] * 3


# --- Safe ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("envelope", ENVELOPES)
@pytest.mark.parametrize(("said", "why"), [(rights(1, 1), "an owner of a 1-of-n"), (rights(2, 0, 1), "a module")])
def test_safe__an_owner_alone_or_a_module__has_everything_however_it_is_configured(
    envelope: Envelope, said: dict[Read, bytes], why: str
) -> None:
    found = loss(atomic(envelope).authority(seen(envelope, said)))
    assert figures(found) == [ALL + COIN] * 3, "the coin of the Safe too"
    assert why in found.total.reason and "full authority" in found.total.reason


@pytest.mark.parametrize("envelope", [OWNER, BARE])
@pytest.mark.parametrize("said", [rights(1, 0), rights(2, 1)])
def test_safe__no_owner_or_not_alone__has_nothing_but_its_gas_money(
    envelope: Envelope, said: dict[Read, bytes]
) -> None:
    found = loss(envelope.authority(seen(envelope, said)))
    assert figures(found) == [usd(0)] * 3
    assert found.day == COIN


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_safe__that_does_not_answer__gives_no_figure(envelope: Envelope) -> None:
    for read in envelope.authority_reads[:3]:
        view = seen(envelope, rights())
        assert isinstance(envelope.authority(replace(view, extra={**view.extra, read: None})), Unusable)


def test_module__of_others__could_let_it_take_everything_as_long_as_it_is_enabled() -> None:
    found = loss(THROUGH.authority(seen(THROUGH, rights())))
    assert figures(found) == [ALL + COIN] * 3
    assert f"{MODULE[:6]}…" in found.total.reason
    disabled = {read: words(0) for read in THROUGH.reads}
    assert figures(THROUGH.authority(seen(THROUGH, rights() | disabled))) == [usd(0)] * 3


# --- Roles -----------------------------------------------------------------------------------------------------------

OWNED = {MEMBER.authority_reads[3]: words(0xA11CE)}
BOTH = RoleMember(
    SAFE, KEY, MODIFIER, role_key("r"), BATCHER, ((WETH, role_key("weth-out")), (USDC, role_key("usdc-out")))
)


def allowance(balance: int, most: int = 0, refill: int = 0, period: int = 0) -> bytes:
    return words(refill, most, period, balance, 0)


def in_role(weth: bytes, usdc: bytes, **changes: object) -> VaultView:
    amounts = dict(zip(BOTH.reads[3:], (weth, usdc), strict=True))
    return seen(BOTH, rights() | OWNED | amounts, **changes)


ONE, THOUSAND = 10**18, 1_000 * 10**6


@pytest.mark.parametrize(
    ("weth", "usdc", "expected"),
    [
        (allowance(10 * ONE), allowance(THOUSAND), (32_200, 32_200, 32_200)),  # for one use
        (allowance(0), allowance(0), (0, 0, 0)),
        # Full, and refilled: ten more each day, or each hour.
        (allowance(10 * ONE, 10 * ONE, 10 * ONE, DAY), allowance(0), (31_200, 62_400, 1_287_000)),
        (allowance(10 * ONE, 10 * ONE, ONE, 3_600), allowance(0), (31_200, 106_080, 1_287_000)),
        # Half used up: whoever waits finds it full.
        (allowance(5 * ONE, 10 * ONE, 10 * ONE, DAY), allowance(0), (31_200, 62_400, 1_287_000)),
        # More than there is.
        (allowance(10**30), allowance(10**30), (2_000_000, 2_000_000, 2_000_000)),
    ],
)
def test_roles__allowances__are_lost_as_a_whole(weth: bytes, usdc: bytes, expected: tuple[int, int, int]) -> None:
    found = loss(BOTH.authority(in_role(weth, usdc)))
    assert figures(found) == [usd(each) for each in expected]
    assert "Roles knows no prices" in found.per_transaction.reason or found.per_transaction.reason == "there is no more"
    assert found.notes == (NO_SCOPES, NOT_COUNTED)


def test_roles__what_routers_may_take_already__needs_no_allowance() -> None:
    standing = {(WETH, V2_ROUTER.address): 2 * ONE}
    found = loss(BOTH.authority(in_role(allowance(ONE), allowance(0), allowances=standing)))
    assert found.per_transaction.value == usd(3 * 3_120)


def test_roles__a_token_without_allowance__may_go_as_a_whole() -> None:
    found = loss(MEMBER.authority(seen(MEMBER, rights() | OWNED | {MEMBER.reads[3]: allowance(ONE)})))
    assert found.per_transaction.value == usd(3_120 + 713_000)
    assert "all USDC, for which no allowance is configured" in found.per_transaction.reason


def test_roles__an_allowance_that_cannot_be_read__bounds_nothing() -> None:
    view = in_role(allowance(ONE), allowance(0))
    found = BOTH.authority(replace(view, extra={**view.extra, BOTH.reads[3]: None}))
    assert figures(found)[0] == usd(1_287_000)


@pytest.mark.parametrize("owner", [words(int(KEY, 16)), None])
def test_roles__whose_modifier_the_key_owns_or_may_own__everything(owner: bytes | None) -> None:
    view = in_role(allowance(ONE), allowance(0))
    found = loss(BOTH.authority(replace(view, extra={**view.extra, BOTH.authority_reads[3]: owner})))
    assert figures(found) == [ALL + COIN] * 3
    assert "owns" in found.total.reason


def test_roles__a_modifier_that_is_not_enabled__nothing() -> None:
    view = in_role(allowance(ONE), allowance(0))
    found = BOTH.authority(replace(view, extra={**view.extra, BOTH.reads[1]: words(0)}))
    assert figures(found) == [usd(0)] * 3


@given(
    *[st.integers(0, 50)] * 3,
    st.integers(0, 10),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=20),
)
def test_most__whatever_a_thief_does_in_a_window__no_more_is_used(
    refill: int, most: int, balance: int, period: int, steps: list[tuple[int, int]]
) -> None:
    allowance, now, used = Allowance(refill, most, period, balance, 0), 0, []
    for wait, wanted in steps:
        now += wait
        taken = min(wanted, allowance.left(now))
        refilled_at = now - (now - allowance.timestamp) % period if period else 0
        allowance = Allowance(refill, most, period, allowance.left(now) - taken, refilled_at)
        used.append((now, taken))
    for start, _ in used:
        for window in (0, 1, 7, 20):
            bound = Allowance(refill, most, period, balance, 0).most(window)
            assert bound is not None
            assert sum(taken for at, taken in used if start <= at <= start + window) <= bound


# --- contract --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keeper", "sender", "expected", "why"),
    [
        (ACCOUNT, ACCOUNT, (1_000, 2_728, 2_000_000), "100 bps of a capacity of $100,000.00, at feed prices"),
        (ACCOUNT, address(1), (2_003_120, 2_003_120, 2_003_120), "the key is the vault's owner, who may withdraw"),
        (address(2), ACCOUNT, (0, 0, 0), "the key is not the vault's keeper"),
    ],
)
def test_contract__that_is_a_reference_vault__bounds_the_loss_itself(
    keeper: Address, sender: Address, expected: tuple[int, int, int], why: str
) -> None:
    view = replace(make_view(), extra=terms(keeper), sender=sender)
    found = loss(CONTRACT.authority(view))
    assert figures(found) == [usd(each) for each in expected]
    assert found.per_transaction.reason == why


def test_contract__of_which_nothing_is_known__everything() -> None:
    found = loss(CONTRACT.authority(make_view()))
    assert figures(found) == [ALL] * 3
    assert "not known here" in found.total.reason
