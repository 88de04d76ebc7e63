from dataclasses import replace
from fractions import Fraction

import pytest

from keeper.core.abi import calldata
from keeper.core.calls import Purpose
from keeper.core.chain import Needs, Read, Unusable
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import LimitExceeded, NoLiquidity, Paused, Pool, Router
from keeper.core.units import TokenAmount
from keeper.venues.erc4626 import Erc4626, Erc4626Pin, Erc4626State
from keeper.venues.facts import Facts
from tests.builders import ACCOUNT, CHAIN, DAI, NOW, address, token

ASSET = token("ASSET", 6, 0xA1)
SHARE = token("SHARE", 9, 0x4626)
VAULT = SHARE.address
POOL = Pool(
    CHAIN,
    "erc4626",
    VAULT,
    (ASSET, SHARE),
    Fraction(0),
    VAULT,
    Router("erc4626", VAULT, (ASSET.address, VAULT)),
    details=(("offset", 3), ("unfloored", 1)),
)
VENUE = Erc4626((ACCOUNT,))
MAX = (1 << 256) - 1


def words(*figures: int) -> bytes:
    return b"".join(figure.to_bytes(32, "big") for figure in figures)


def answer(
    assets: int, supply: int, *, virtual: bool = True, limits: tuple[int, int, int] = (MAX, 0, 0)
) -> dict[Read, bytes | None]:
    """As a vault with these totals does. `limits` are maxDeposit, maxRedeem and the account's shares."""
    shares, per = (supply + 1_000, assets + 1) if virtual else (supply, assets)
    found: dict[Read, bytes | None] = {}
    for read in VENUE.reads(POOL, None):
        amount = int.from_bytes(read.data[4:36], "big")
        figures = {
            "totalAssets()": assets,
            "totalSupply()": supply,
            "previewDeposit(uint256)": amount * shares // per,
            "previewRedeem(uint256)": amount * per // shares,
            "maxDeposit(address)": limits[0],
            "maxRedeem(address)": limits[1],
            "balanceOf(address)": limits[2],
        }
        by_selector = {calldata(name)[:4] if name.endswith("()") else name: value for name, value in figures.items()}
        (value,) = (value for name, value in by_selector.items() if _selector(name) == read.data[:4])
        found[read] = words(value)
    return found


def _selector(name: str | bytes) -> bytes:
    if isinstance(name, bytes):
        return name
    return calldata(name, 0 if "uint256" in name else address(1))[:4]


def state_of(answers: dict[Read, bytes | None]) -> Erc4626State:
    found = VENUE.decode(POOL, answers)
    assert isinstance(found, Erc4626State), found
    return found


@pytest.mark.parametrize("virtual", [True, False])
def test_quote__of_a_vault_that_earned_a_tenth__rounds_down_both_ways(virtual: bool) -> None:
    state = state_of(answer(1_100_000, 10**9, virtual=virtual))
    shares, per = (10**9 + 1_000, 1_100_001) if virtual else (10**9, 1_100_000)
    assert state.out_for(TokenAmount(ASSET, 777), SHARE) == TokenAmount(SHARE, 777 * shares // per)
    assert state.out_for(TokenAmount(SHARE, 777_777), ASSET) == TokenAmount(ASSET, 777_777 * per // shares)
    assert state.in_for(TokenAmount(SHARE, 777), ASSET) == TokenAmount(ASSET, -(-777 * per // shares))
    assert state.in_for(TokenAmount(ASSET, 777), SHARE) == TokenAmount(SHARE, -(-777 * shares // per))
    there, back = state.marginal(ASSET, SHARE), state.marginal(SHARE, ASSET)
    assert isinstance(there, Fraction)
    assert isinstance(back, Fraction)
    assert there == Fraction(shares, per)
    assert there * back == 1


def test_quote__of_an_empty_vault__takes_its_first_deposit() -> None:
    state = state_of(answer(0, 0))
    assert state.out_for(TokenAmount(ASSET, 5), SHARE) == TokenAmount(SHARE, 5_000)
    refusal = NoLiquidity("the vault has issued no shares")
    assert state.out_for(TokenAmount(SHARE, 5), ASSET) == state.marginal(SHARE, ASSET) == refusal
    assert state.out_for(TokenAmount(DAI, 5), ASSET) == NoLiquidity("does not trade DAI for ASSET")


@pytest.mark.parametrize(
    ("limits", "deposit", "redeem"),
    [
        ((MAX, 500, 500), None, None),
        ((100, 500, 500), LimitExceeded("amount: expected at most 100, its maxDeposit, was 101"), None),
        ((0, 500, 500), Paused("maxDeposit is 0"), None),
        ((MAX, 100, 500), None, LimitExceeded("amount: expected at most 100, its maxRedeem, was 101")),
        ((MAX, 0, 500), None, Paused("maxRedeem is 0")),
        ((MAX, 0, 0), None, None),
    ],
)
def test_quote__beyond_a_limit__says_which(limits, deposit, redeem) -> None:  # type: ignore[no-untyped-def]
    """What an account cannot redeem because it has no more of it limits nothing else."""
    state = state_of(answer(1_100_000, 10**9, limits=limits))
    for sell, buy, refusal in ((ASSET, SHARE, deposit), (SHARE, ASSET, redeem)):
        found = state.out_for(TokenAmount(sell, 101), buy)
        assert found == refusal if refusal else isinstance(found, TokenAmount)


def test_quote__of_more_shares_than_there_are__is_a_limit() -> None:
    state = state_of(answer(1_100_000, 10**9))
    assert state.out_for(TokenAmount(SHARE, 10**9), ASSET) == TokenAmount(ASSET, 1_099_999)
    refusal = LimitExceeded(f"amount: expected at most {10**9}, all shares that there are, was {10**9 + 1}")
    assert state.out_for(TokenAmount(SHARE, 10**9 + 1), ASSET) == refusal
    assert isinstance(state.in_for(TokenAmount(ASSET, 1_100_000), SHARE), LimitExceeded)


def test_quote__of_shares_beyond_256_bits__is_a_limit() -> None:
    state = state_of(answer(0, 10**9))
    fits = (MAX - 10**9) // (10**9 + 1_000)
    assert isinstance(state.out_for(TokenAmount(ASSET, fits), SHARE), TokenAmount)
    assert isinstance(state.out_for(TokenAmount(ASSET, fits + 1), SHARE), LimitExceeded)


def test_decode__in_any_case__reads_no_more_the_next_time() -> None:
    answers = answer(1_100_000, 10**9)
    assert VENUE.reads(POOL, state_of(answers)) == tuple(answers)
    assert VENUE.decode(POOL, {}) == Needs(tuple(answers))


@pytest.mark.parametrize("index", range(9))
@pytest.mark.parametrize("wrong", [None, b"", bytes(64)])
def test_decode__where_something_does_not_answer__is_unusable(index: int, wrong: bytes | None) -> None:
    answers = answer(1_100_000, 10**9)
    found = VENUE.decode(POOL, answers | {list(answers)[index]: wrong})
    assert isinstance(found, Unusable)
    assert found.reason.endswith("() does not answer")


@pytest.mark.parametrize("index", range(2, 6))
@pytest.mark.parametrize("more", [1, -1])
def test_decode__where_one_preview_disagrees__is_unusable(index: int, more: int) -> None:
    answers = answer(1_100_000, 10**9)
    read = list(answers)[index]
    figure = int.from_bytes(answers[read] or b"", "big")
    found = VENUE.decode(POOL, answers | {read: words(figure + more)})
    assert isinstance(found, Unusable)
    assert f"expected {figure} of" in found.reason
    assert found.reason.endswith(f"was {figure + more}")


def test_decode__of_assets_without_shares_of_an_older_vault__has_no_price() -> None:
    """All shares are worth nothing: no rule divides by it."""
    found = VENUE.decode(POOL, answer(0, 10**9) | {list(answer(0, 1))[2]: words(0)})
    assert isinstance(found, Unusable)


# --- encoding --------------------------------------------------------------------------------------------------------


def order(sell: TokenAmount, floor: TokenAmount) -> OrderLeg:
    return OrderLeg(Leg((POOL,), sell, floor, Fraction(1)), floor, TokenAmount.zero(floor.token))


def test_encode__a_deposit__spends_the_asset_and_pays_the_account() -> None:
    call = VENUE.encode(order(TokenAmount(ASSET, 7), TokenAmount(SHARE, 5)), ACCOUNT, NOW)
    assert (call.to, call.purpose, call.spends) == (VAULT, Purpose.SWAP, TokenAmount(ASSET, 7))
    assert call.data == calldata("deposit(uint256,address)", 7, ACCOUNT)
    assert "which its own call does not check" in call.text


def test_encode__a_redemption__needs_no_allowance() -> None:
    call = VENUE.encode(order(TokenAmount(SHARE, 7), TokenAmount(ASSET, 5)), ACCOUNT, NOW)
    assert call.data == calldata("redeem(uint256,address,address)", 7, ACCOUNT, ACCOUNT)
    assert call.spends is None


@pytest.mark.parametrize(("raw", "floor"), [(0, 5), (7, 0)])
def test_encode__without_a_floor__is_refused(raw: int, floor: int) -> None:
    with pytest.raises(ValueError, match="expected one vault and amounts above 0"):
        VENUE.encode(order(TokenAmount(ASSET, raw), TokenAmount(SHARE, floor)), ACCOUNT, NOW)


def test_encode__along_two_vaults__is_refused() -> None:
    leg = order(TokenAmount(ASSET, 7), TokenAmount(SHARE, 5))
    with pytest.raises(ValueError, match="expected one vault"):
        VENUE.encode(replace(leg, leg=replace(leg.leg, pools=(POOL, POOL))), ACCOUNT, NOW)


# --- recognising -----------------------------------------------------------------------------------------------------

PIN = Erc4626Pin()
ITS_DECIMALS = Read(ASSET.address, calldata("decimals()"))
GOOD = words(0xA1), words(5), words(7), words(9)


def pinned(*answers: bytes | None, its: bytes | None = words(6)) -> object:
    told = dict(zip(PIN.reads(VAULT), answers, strict=True))
    return PIN.pin(VAULT, told | {ITS_DECIMALS: its})


def test_pin__of_a_vault__asks_for_its_assets_decimals_and_knows_the_offset() -> None:
    assert PIN.pin(VAULT, dict(zip(PIN.reads(VAULT), GOOD, strict=True))) == Needs((ITS_DECIMALS,))
    facts = pinned(*GOOD)
    assert isinstance(facts, Facts)
    assert (facts.kind, facts.tokens, facts.fee_ppm, facts.details) == (
        "erc4626",
        (ASSET.address, VAULT),
        0,
        POOL.details,
    )
    assert facts.router == POOL.router
    assert "no floor" in facts.warning


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("wrong", [None, b"", bytes(64)])
def test_pin__of_a_wrong_answer__is_none(index: int, wrong: bytes | None) -> None:
    assert pinned(*GOOD[:index], wrong, *GOOD[index + 1 :]) is None


@pytest.mark.parametrize("its", [None, b"", words(37)])
def test_pin__of_an_asset_without_decimals__is_none(its: bytes | None) -> None:
    assert pinned(*GOOD, its=its) is None


def test_pin__of_a_vault_of_itself__is_none() -> None:
    assert pinned(words(0x4626), *GOOD[1:]) is None


# --- afterwards ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("virtual", [True, False])
@pytest.mark.parametrize("is_deposit", [True, False])
def test_after__a_trade__is_what_the_vaults_new_totals_make(virtual: bool, is_deposit: bool) -> None:
    assets, supply, amount = 1_100 * 10**6 + 7, 10**12 + 3, 123_456_789
    state = state_of(answer(assets, supply, virtual=virtual))
    sell, buy = (ASSET, SHARE) if is_deposit else (SHARE, ASSET)
    brings = state.out_for(TokenAmount(sell, amount), buy)
    assert isinstance(brings, TokenAmount)
    totals = (assets + amount, supply + brings.raw) if is_deposit else (assets - brings.raw, supply - amount)
    assert state.after(TokenAmount(sell, amount), buy) == state_of(answer(*totals, virtual=virtual))


def test_after__a_trade_under_limits__allows_so_much_less() -> None:
    state = state_of(answer(10**9, 10**12, limits=(10**8, 10**9, 10**12)))
    after = state.after(TokenAmount(ASSET, 4 * 10**7), SHARE)
    assert isinstance(after, Erc4626State)
    assert (after.most_in, after.most_out) == (6 * 10**7, 10**9)
    after = after.after(TokenAmount(SHARE, 10**9), ASSET)
    assert isinstance(after, Erc4626State)
    assert (after.most_in, after.most_out) == (6 * 10**7, 0)
    assert after.out_for(TokenAmount(SHARE, 1), ASSET) == Paused("maxRedeem is 0")


def test_after__the_first_deposit__is_not_told() -> None:
    assert isinstance(state_of(answer(0, 0)).after(TokenAmount(ASSET, 10**6), SHARE), NoLiquidity)
