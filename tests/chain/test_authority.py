"""What a thief really takes with nothing but the keeper's key, beside what `authority` says he could take at most.

Wallet, Safe, module and role on a market with the real Safe and Uniswap; the reference vault in the scene of its own
attacks. Value is measured at feed prices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from keeper.app.authority import grown, look, require_authority
from keeper.app.custodies import make_custody
from keeper.app.deployment import Deployment
from keeper.app.loading import open_config
from keeper.core.abi import calldata
from keeper.core.authority import WorstLoss
from keeper.core.calls import Inner
from keeper.core.errors import ConfigError
from keeper.core.template import REBALANCE, REBALANCE_ARGUMENTS, CallTemplate, make_template
from keeper.core.units import Address, TokenAmount
from keeper.custody import contract
from keeper.custody.atomic import Atomic
from keeper.custody.contract import Contract
from keeper.custody.multi_send import bundle
from keeper.custody.roles import role_key
from keeper.guards.swaps import V2_SWAP, V3_SWAP
from keeper.journal.sql import SqlJournal
from keeper.local.anvil import run_anvil
from tests.builders import address, make_view
from tests.builders import market as price_of
from tests.chain import vault_scene
from tests.chain.daemon_custody import KINDS
from tests.chain.daemon_market import Market, fund, open_market
from tests.chain.holders import Holder
from tests.chain.node import Node, NodeError
from tests.chain.safe_holders import ALLOWANCE, DAY, as_module, in_role, in_safe, safes_of, through_module
from tests.chain.safe_scene import VAULT, Scene, open_scene
from tests.chain.uniswap import balance
from tests.chain.vault_attacks import random_attack, steal, turn
from tests.chain.vault_scene import CAPACITY, PRICES, REFILL, Moment, build_scene, run_attacks

THIEF = address(0x7417EF)
BEST = Fraction(9, 10)
"""Of the figure, that the best attack reaches."""
TRANSFER = "transfer(address,uint256)"
WHOLE = 10**18
TEMPLATE = make_template(REBALANCE, REBALANCE_ARGUMENTS)
assert isinstance(TEMPLATE, CallTemplate)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with run_anvil() as anvil:
        yield open_market(Node(anvil.url))


@pytest.fixture(autouse=True)
def unchanged(request: pytest.FixtureRequest) -> Iterator[None]:
    if "market" not in request.fixturenames:
        yield
        return
    node = request.getfixturevalue("market").node
    taken = node.rpc("evm_snapshot")
    yield
    node.rpc("evm_revert", taken)
    safes_of.cache_clear()


# --- a thief ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thief:
    """Whoever has the key of the scene's vault."""

    scene: Scene

    @property
    def market(self) -> Market:
        return self.scene.market

    @property
    def key(self) -> Address:
        return self.market.senders[VAULT]

    @property
    def loot(self) -> Fraction:
        """{USD} All that has arrived."""
        held = [(symbol, balance(self.market.node, token, THIEF)) for symbol, token in self.market.tokens.items()]
        tokens = sum((amount.whole * self.market.prices[symbol] for symbol, amount in held), Fraction(0))
        return tokens + Fraction(self.coin_of(THIEF), WHOLE) * self.market.prices["WETH"]

    def coin_of(self, account: Address) -> int:
        """{wei}"""
        return int(self.market.node.rpc("eth_getBalance", account, "latest"), 16)

    def send(self, to: Address, data: bytes = b"", value: int = 0) -> None:
        self.market.node.send(to, data, sender=self.key, value=value)

    def through_safe(self, *calls: Inner) -> None:
        """One transaction, by whichever way the key has."""
        custody = make_custody(self.scene.chain.setting(VAULT))
        assert isinstance(custody, Atomic)
        self.send(custody.envelope.target, custody.envelope.seal(bundle(calls, custody.multi_send)))

    def everything(self) -> list[Inner]:
        """A transfer of each token that the account holds."""
        held = {token: raw for token, raw in self.scene.balances().items() if raw and not token.is_native}
        return [(token.address, 0, calldata(TRANSFER, THIEF, raw)) for token, raw in held.items()]

    def take_gas_money(self) -> None:
        self.send(THIEF, value=self.coin_of(self.key) - WHOLE // 20)


def rob(scene: Scene) -> Thief:
    scene.market.node.rpc("anvil_impersonateAccount", scene.market.senders[VAULT])
    return Thief(scene)


def worst(scene: Scene) -> WorstLoss:
    (found,) = look(scene.chain, [VAULT])
    assert isinstance(found.found, WorstLoss), found.found
    return found.found


def reaches(loot: Fraction, most: TokenAmount) -> bool:
    """Never more, and nearly all."""
    assert loot <= most.whole, f"took {float(loot)} of at most {float(most.whole)}"
    return loot >= BEST * most.whole


# --- everything ------------------------------------------------------------------------------------------------------


def test_wallet__robbed__loses_nearly_the_figure_and_never_more(market: Market, tmp_path: Path) -> None:
    with open_scene(market, tmp_path, KINDS["wallet"]) as scene:
        said, thief = worst(scene), rob(scene)
        for to, _, data in thief.everything():
            thief.send(to, data)
        assert reaches(thief.loot, said.total.value)
        thief.take_gas_money()
        assert reaches(thief.loot, said.day)


@pytest.mark.parametrize("make", [in_safe, as_module, through_module])
def test_safe__robbed_by_a_key_with_full_authority__loses_nearly_the_figure_at_once(
    market: Market, tmp_path: Path, make: Callable[[Market, str], Holder]
) -> None:
    with open_scene(market, tmp_path, make) as scene:
        fund(market, scene.holder.account, {"ETH": Fraction(3)})
        said, thief = worst(scene), rob(scene)
        assert said.per_transaction.value == said.total.value
        thief.through_safe(*thief.everything(), (THIEF, 3 * WHOLE, b""))
        assert reaches(thief.loot, said.per_transaction.value)
        assert scene.balances()[market.tokens["WETH"]] == 0
        thief.take_gas_money()
        assert reaches(thief.loot, said.day)


def test_safe__of_which_the_key_lost_its_right__loses_nothing_but_gas_money(market: Market, tmp_path: Path) -> None:
    with open_scene(market, tmp_path, in_safe) as scene:
        data = calldata("changeThreshold(uint256)", 2)
        safes_of(market.node, "1.4.1").execute(scene.holder.account, market.node.deployer, scene.holder.account, data)
        said, thief = worst(scene), rob(scene)
        assert said.total.value.raw == 0
        with pytest.raises(NodeError):
            thief.through_safe(*thief.everything())
        assert thief.loot == 0


# --- a role ----------------------------------------------------------------------------------------------------------


def _bounded(market: Market, vault: str) -> Holder:
    """Of WETH five now, and one more each day; LINK and USDC without a bound."""
    holder = in_role(market, vault)
    signature = "setAllowance(bytes32,uint128,uint128,uint128,uint64,uint64)"
    data = calldata(signature, role_key(ALLOWANCE), 5 * WHOLE, 5 * WHOLE, WHOLE, DAY, 0)
    assert holder.between is not None
    market.node.send(holder.between, data)
    return holder


def _sell_to_himself(market: Market, symbol: str, raw: int) -> list[Inner]:
    """For whatever it brings, and not to the Safe."""
    token = market.tokens[symbol].address
    if symbol == "LINK":
        path = [token, market.tokens["USDC"].address]
        router, data = market.old.v2_router, calldata(V2_SWAP, raw, 0, path, THIEF, 1 << 40)
    else:
        other = market.tokens["USDC" if symbol == "WETH" else "WETH"].address
        router, data = market.old.swap_router, calldata(V3_SWAP, (token, other, 500, THIEF, 1 << 40, raw, 0, 0))
    return [(token, 0, calldata("approve(address,uint256)", router, raw)), (router, 0, data)]


def test_role__robbed__loses_what_its_allowances_leave_at_any_price(market: Market, tmp_path: Path) -> None:
    with open_scene(market, tmp_path, _bounded) as scene:
        said, thief = worst(scene), rob(scene)
        held = {token.symbol: raw for token, raw in scene.balances().items()}
        rest = [*_sell_to_himself(market, "LINK", held["LINK"]), *_sell_to_himself(market, "USDC", held["USDC"])]
        with pytest.raises(NodeError):
            thief.through_safe(*_sell_to_himself(market, "WETH", 5 * WHOLE + 1), *rest)
        thief.through_safe(*_sell_to_himself(market, "WETH", 5 * WHOLE), *rest)
        assert reaches(thief.loot, said.per_transaction.value)
        with pytest.raises(NodeError):
            thief.through_safe(*_sell_to_himself(market, "WETH", 1))
        market.node.rpc("evm_increaseTime", DAY)
        market.node.rpc("evm_mine")
        thief.through_safe(*_sell_to_himself(market, "WETH", WHOLE))
        assert reaches(thief.loot, said.per_day.value)
        assert said.per_day.value.whole - said.per_transaction.value.whole == market.prices["WETH"]


# --- the reference vault ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vault() -> Iterator[vault_scene.Scene]:
    with run_anvil() as anvil:
        yield build_scene(Node(anvil.url))


def said_of(scene: vault_scene.Scene) -> WorstLoss:
    """What custody says of it, from what it says of itself."""
    (terms,) = contract.reads(scene.vault)
    held = [TokenAmount.from_whole(scene.tokens[symbol], whole) for symbol, whole in vault_scene.HOLDINGS.items()]
    prices = {token: price_of(token, PRICES[symbol]) for symbol, token in scene.tokens.items()}
    view = replace(make_view(held, prices), account=scene.vault, sender=scene.puppet)
    view = replace(view, extra={terms: scene.node.call(terms.to, terms.data)})
    found = Contract(TEMPLATE, {}, 600).authority(view)
    assert isinstance(found, WorstLoss)
    return found


def test_contract__robbed__loses_nearly_the_figure_at_once_and_in_a_day(vault: vault_scene.Scene) -> None:
    said, hour = said_of(vault), 3_600
    first = Moment(1, [[turn(vault, steal(vault, "WETH", "USDC", CAPACITY))]])
    # What was stolen must be sold back and forth: the bucket bounds turnover, not what is left of a token.
    later = [
        Moment(hour, [[turn(vault, steal(vault, *pair, REFILL * hour))]], PRICES)
        for pair in [("USDC", "WETH"), ("WETH", "USDC")] * 12
    ]
    at_once, a_day = run_attacks(vault, [[first], [first, *later[:23]]])
    assert reaches(sum(at_once.losses, Fraction(0)), said.per_transaction.value)
    assert reaches(at_once.gain, said.per_transaction.value)
    assert reaches(sum(a_day.losses, Fraction(0)), said.per_day.value)


def test_contract__attacked_at_random__never_loses_more_than_the_figure(vault: vault_scene.Scene) -> None:
    said = said_of(vault)
    found = run_attacks(vault, [random_attack(vault, Random(seed)) for seed in range(60)])
    assert any(each.trades for each in found)
    for each in found:
        assert max(each.losses) <= said.per_transaction.value.whole
        assert each.times[-1] - each.times[0] > DAY or sum(each.losses) <= said.per_day.value.whole


# --- the limit -------------------------------------------------------------------------------------------------------


def _with_limit(scene: Scene, limit: str) -> Path:
    path = scene.loaded.path
    text = path.read_text("utf-8").replace("    mode: live\n", f"    mode: live\n    max_authority: {limit}\n", 1)
    path.write_text(text, "utf-8")
    return path


def test_live__a_key_that_could_lose_more__is_refused_in_one_line_with_both_figures(
    market: Market, tmp_path: Path
) -> None:
    with open_scene(market, tmp_path, in_safe) as scene:
        loaded = open_config(_with_limit(scene, "1000 USD per 24h"))
        with SqlJournal(f"sqlite:///{tmp_path / 'other.db'}") as journal, pytest.raises(ConfigError) as refused:
            Deployment.open(loaded, journal, live=True)
        most = worst(scene).day
        expected = "max_authority: expected a key that can lose at most $1,000.00 in 24h, found "
        assert expected + f"${float(most.whole):,.2f}" in str(refused.value)
        assert (refused.value.exit_code, "\n" in str(refused.value)) == (2, False)


def test_live__within_its_limit__starts_and_notices_when_there_is_more_to_lose(market: Market, tmp_path: Path) -> None:
    with open_scene(market, tmp_path, in_safe) as scene:
        loaded = open_config(_with_limit(scene, "150000 USD per 24h"))
        chain = replace(scene.chain, loaded=loaded)
        assert "at once" in require_authority(chain, [VAULT])[VAULT]
        assert grown(chain, [VAULT]) == {VAULT: ""}
        fund(market, scene.holder.account, {"USDC": Fraction(30_000)})
        assert "expected" not in grown(chain, [VAULT])[VAULT]
        assert "at most $150,000.00 in 24h, found $1" in grown(chain, [VAULT])[VAULT]


def test_live__where_money_is_real__needs_a_limit(market: Market, tmp_path: Path) -> None:
    with open_scene(market, tmp_path, in_safe) as scene:
        assert require_authority(scene.chain, [VAULT]) == {}, "a local chain may go without"
        chains = {"anvil": scene.loaded.config.chains["anvil"].model_copy(update={"chain_id": 10})}
        real = replace(scene.loaded, config=scene.loaded.config.model_copy(update={"chains": chains}))
        with pytest.raises(
            ConfigError, match="max_authority: expected a limit such as 200000 USD per 24h, which --live"
        ):
            require_authority(replace(scene.chain, loaded=real), [VAULT])
