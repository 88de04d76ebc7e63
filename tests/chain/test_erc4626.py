"""Quotes of Erc4626State against OpenZeppelin's vault, over random vaults, directions and sizes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import pytest

from contracts_abi import runtime
from keeper.app.measuring import Judged, judge
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.reading.transfers import fetch_transfers
from keeper.core.abi import calldata, word
from keeper.core.chain import Read, Unusable
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import LimitExceeded, NoLiquidity, NoQuote, Paused, Router
from keeper.core.units import Address, TokenAmount
from keeper.venues.erc4626 import Erc4626, Erc4626Pin, Erc4626State
from tests.chain.consecutive import SWAPS, walk
from tests.chain.pools import CASES, observe
from tests.chain.share_vaults import EMPTY, Held, Vaults, make_vaults
from tests.chain.uniswap import Deployment, balance, deploy_token

DECIMALS = (0, 6, 8, 18, 24)
OFFSETS = (0, 1, 3, 6, 12)
FOREVER = 1 << 40


@pytest.fixture(scope="module")
def vaults(uniswap: Deployment) -> Vaults:
    return make_vaults(uniswap.node)


@pytest.fixture(scope="module")
def states(uniswap: Deployment, vaults: Vaults) -> list[Erc4626State]:
    """Of every number of decimals and every offset: empty, given to while empty, earning, and with most of it lost."""
    dice = random.Random(4626)
    found = []
    assets = [deploy_token(uniswap, f"A{decimals}", decimals) for decimals in DECIMALS]
    for i, (asset, offset) in enumerate((asset, offset) for asset in assets for offset in OFFSETS):
        size = int(2 ** dice.uniform(10, 100))
        kinds: list[Held] = [EMPTY, (0, size, 0), (size, 0, 0), (size, int(size * dice.random()), 0)]
        held = [*kinds, (size, 0, size * 9 // 10)][(i + i // 5) % 5]
        is_plain = not offset and held[0]
        pool = vaults.new(asset, "PlainVault" if is_plain else "OffsetVault", None if is_plain else offset, held)
        state, follow_ups = observe(uniswap.node, Erc4626((uniswap.node.deployer,)), pool)
        assert isinstance(state, Erc4626State), (state, held, offset)
        assert follow_ups == 0
        found.append(state)
    return found


@dataclass(frozen=True)
class Case:
    state: Erc4626State
    is_deposit: bool
    exact_in: bool
    raw: int

    @property
    def quote(self) -> TokenAmount | NoQuote:
        asset, share = self.state.pool.tokens
        sell, buy = (asset, share) if self.is_deposit else (share, asset)
        if self.exact_in:
            return self.state.out_for(TokenAmount(sell, self.raw), buy)
        return self.state.in_for(TokenAmount(buy, self.raw), sell)

    def call(self, account: Address) -> Read:
        if self.is_deposit:
            signature = "deposit(uint256,address)" if self.exact_in else "mint(uint256,address)"
            return Read(self.state.pool.address, calldata(signature, self.raw, account))
        name = "redeem" if self.exact_in else "withdraw"
        return Read(self.state.pool.address, calldata(f"{name}(uint256,address,address)", self.raw, account, account))


def test_quote__of_random_cases__is_what_the_vault_does(uniswap: Deployment, states: list[Erc4626State]) -> None:
    """deposit, mint, redeem and withdraw themselves, by the account that holds the shares: 0 differences."""
    dice, node = random.Random(46), uniswap.node
    cases = []
    for i in range(CASES):
        state, is_deposit, exact_in = states[i % len(states)], dice.random() < 0.5, dice.random() < 0.5
        # What there is of the token that is named: of assets or of shares.
        held = state.assets if is_deposit == exact_in else max(state.supply, 1)
        raw = int((held * 4) ** dice.random()) if dice.random() < 0.8 else int(held * dice.uniform(0.5, 1.5))
        if is_deposit and exact_in and dice.random() < 0.1:
            raw = int(2 ** dice.uniform(120, 190))
        cases.append(Case(state, is_deposit, exact_in, max(raw, 1)))
    told: Counter[str] = Counter()
    answers = node.calls([case.call(node.deployer) for case in cases])
    for case, answer in zip(cases, answers, strict=True):
        quote = case.quote
        what = ("deposit" if case.is_deposit else "redeem") + (" in" if case.exact_in else " out")
        if isinstance(quote, TokenAmount):
            assert answer is not None, (case, quote)
            assert quote.raw == word(answer, 0), (case, quote)
            told[what] += 1
        else:
            assert answer is None, (case, quote)
            told["refused"] += 1
    assert min(told[kind] for kind in ("deposit in", "deposit out", "redeem in", "redeem out", "refused")) > CASES // 25


def test_swap__as_encoded__moves_what_was_quoted(uniswap: Deployment, states: list[Erc4626State]) -> None:
    node, venue, swapped = uniswap.node, Erc4626((uniswap.node.deployer,)), 0
    for old in (state for state in states if state.supply > 10**6):
        for sell, buy in (old.pool.tokens, old.pool.tokens[::-1]):
            state, _ = observe(node, venue, old.pool)
            assert isinstance(state, Erc4626State)
            amount = TokenAmount(sell, (state.assets if sell == old.pool.tokens[0] else state.supply) // 3)
            quote = state.out_for(amount, buy)
            assert isinstance(quote, TokenAmount)
            before = [balance(node, token, node.deployer) for token in (sell, buy)]
            leg = OrderLeg(Leg((old.pool,), amount, quote, Fraction(1)), quote, TokenAmount.zero(buy))
            call = venue.encode(leg, node.deployer, FOREVER)
            node.send(call.to, call.data)
            after = [balance(node, token, node.deployer) for token in (sell, buy)]
            assert (before[0] - after[0], after[1] - before[1]) == (amount, quote)
            swapped += 1
    assert swapped > 10


def test_after__deposits_and_redemptions__is_what_the_vault_counts(uniswap: Deployment, vaults: Vaults) -> None:
    venue, kinds = Erc4626((uniswap.node.deployer,)), Counter[str]()
    for offset, decimals in ((0, 18), (6, 6), (3, 8)):
        asset = deploy_token(uniswap, f"L{offset}", decimals)
        pool = vaults.new(asset, offset=offset, held=(10 ** (decimals + 5) + 7, 10 ** (decimals + 4) + 3, 0))
        state, _ = observe(uniswap.node, venue, pool)
        assert isinstance(state, Erc4626State)
        kinds += walk(uniswap.node, venue, state, SWAPS // 3, seed=44)
    assert kinds["swaps"] > SWAPS * 0.8, kinds


@pytest.mark.parametrize("put_in", [10**18, 0])
def test_vault__with_a_limit__refuses_more_and_is_paused_at_0(uniswap: Deployment, vaults: Vaults, put_in: int) -> None:
    node = uniswap.node
    pool = vaults.new(deploy_token(uniswap, "CAP"), "CappedVault", held=(put_in, 0, 0))
    for cap in (10**17, 0):
        node.send(pool.address, calldata("setCap(uint256)", cap))
        state, _ = observe(node, Erc4626((node.deployer,)), pool)
        assert isinstance(state, Erc4626State)
        cases = [Case(state, is_deposit, True, raw) for is_deposit in (True, False) for raw in (cap or 1, cap + 1)]
        done = node.calls([case.call(node.deployer) for case in cases])
        assert [isinstance(case.quote, TokenAmount) for case in cases] == [each is not None for each in done]
        refusals = {type(case.quote) for case in cases if case.is_deposit or put_in} - {TokenAmount}
        assert refusals == {LimitExceeded if cap else Paused}
        if not put_in:
            assert cases[-1].quote == NoLiquidity("the vault has issued no shares")


def test_vault__that_takes_a_fee__is_left_out(uniswap: Deployment, vaults: Vaults) -> None:
    pool = vaults.new(deploy_token(uniswap, "FEE"), "FeeVault", None, (10**18, 0, 0))
    found, _ = observe(uniswap.node, Erc4626(), pool)
    assert isinstance(found, Unusable)
    assert found.reason.startswith(f"previewDeposit(): expected 999999000000000000 of {10**18} by its totals, was 9999")


def test_pin__of_a_vault__knows_its_asset_and_its_router(uniswap: Deployment, vaults: Vaults) -> None:
    asset = deploy_token(uniswap, "PIN", 6)
    pool = vaults.new(asset, offset=12)
    assert (pool.kind, pool.tokens[0], pool.tokens[1].address, pool.fee) == ("erc4626", asset, pool.address, 0)
    assert pool.router == Router("erc4626", pool.address, (asset.address, pool.address))
    assert (pool.detail("offset"), pool.detail("unfloored")) == (12, 1)


def test_transfers__of_asset_and_shares__are_measured_where_somebody_holds_them(
    uniswap: Deployment, vaults: Vaults
) -> None:
    """Code stands in the vault's place to send the asset, but never where it is the token itself."""
    pool, node = vaults.new(deploy_token(uniswap, "PLN", 6), held=(10**12, 0, 0)), uniswap.node
    holders = {token.address: [pool.address] for token in pool.tokens}
    asset, share = pool.tokens
    asked = [holders, {share.address: [pool.address, node.deployer]}]
    found = [fetch_transfers(Rpc("local", [node.url]), each, runtime("transfers"), runtime("hand")) for each in asked]
    none = Unusable("none of the accounts that were looked at holds any")
    assert [judge(asset, found[0][asset.address]), found[0][share.address]] == [Judged(), none]
    assert judge(share, found[1][share.address]) == Judged()


def test_pin__of_something_else__is_none(uniswap: Deployment) -> None:
    pin, node = Erc4626Pin(), uniswap.node
    for address in (uniswap.weth.address, uniswap.swap_router, uniswap.v3_factory):
        reads = pin.reads(address)
        assert pin.pin(address, dict(zip(reads, node.calls(reads), strict=True))) is None
