"""Each rule of the reference vault by itself, among real pools. What a thief makes of them: test_vault_attacks.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from random import Random

import pytest
from eth_abi.abi import decode

import contracts_abi
from keeper.core.abi import calldata, selector, word
from keeper.core.units import Address
from keeper.local.anvil import run_anvil
from tests.chain.node import Node, NodeError
from tests.chain.reference_vault import FOREVER, USD, Swap, allow, deploy_reference_vault, rebalance
from tests.chain.solidity import compile_solidity
from tests.chain.vault_attacks import FLOOR, single, steal, turn
from tests.chain.vault_scene import ACT, CAPACITY, MAX_AGE, PRICES, REFILL, Moment, Scene, act, build_scene, run_attacks

NOBODY = Address("0x000000000000000000000000000000000000dEaD")


@pytest.fixture(scope="module")
def standing() -> Iterator[Scene]:
    with run_anvil() as anvil:
        yield build_scene(Node(anvil.url))


@pytest.fixture
def scene(standing: Scene) -> Iterator[Scene]:
    """As it was built, whatever the test before did with it."""
    snapshot = standing.node.rpc("evm_snapshot")
    yield standing
    standing.node.rpc("evm_revert", snapshot)


def held(scene: Scene, symbol: str, holder: Address) -> int:
    return word(scene.node.call(scene.tokens[symbol].address, calldata("balanceOf(address)", holder)), 0)


def run(scene: Scene, *swaps: Swap, deadline: int = FOREVER) -> None:
    """Mined. Raises NodeError with the vault's own reason where it refuses."""
    data = rebalance(swaps, deadline)
    scene.node.call(scene.vault, data, scene.puppet)
    scene.node.send(scene.puppet, act([(scene.vault, data)]))


def owner_does(scene: Scene, signature: str, *arguments: object) -> None:
    data = calldata(signature, *arguments)
    scene.node.call(scene.vault, data)
    scene.node.send(scene.vault, data)


def available(scene: Scene) -> int:
    return word(scene.node.call(scene.vault, calldata("available()")), 0)


# --- a swap ----------------------------------------------------------------------------------------------------------


def test_rebalance__real_pools_in_one_call__sells_and_buys_what_balances_say_and_leaves_no_allowance(
    scene: Scene,
) -> None:
    before = {symbol: held(scene, symbol, scene.vault) for symbol in PRICES}
    ether = single(scene, "WETH", "USDC", 30_000, 500, scene.vault)
    link = single(scene, "USDC", "LINK", 20_000, 100, scene.vault)
    run(scene, ether, link)
    change = {symbol: held(scene, symbol, scene.vault) - raw for symbol, raw in before.items()}
    assert change["WETH"] == -ether.sell_amount
    assert change["USDC"] > 9_900 * 10**6
    assert change["LINK"] > 0 == change["HOOK"]
    seen = scene.node.call(scene.witness, scene.look(scene.vault, scene.spenders))
    assert decode(["uint256[]", "uint256"], seen)[1] == 0
    assert CAPACITY * USD - available(scene) <= 50_000 * USD


def test_rebalance__exactly_at_the_floor__passes_and_one_unit_below_is_refused(scene: Scene) -> None:
    swap = steal(scene, "WETH", "USDC", 3_000)
    pay = calldata("transfer(address,uint256)", scene.vault, 2_970 * 10**6)
    assert pay in swap.data
    less = calldata("transfer(address,uint256)", scene.vault, 2_970 * 10**6 - 1)
    with pytest.raises(NodeError, match="vault: bought below the oracle floor"):
        run(scene, swap._replace(data=swap.data.replace(pay, less)))
    run(scene, swap)


def test_rebalance__exactly_what_the_bucket_holds__passes_and_one_unit_more_is_refused(scene: Scene) -> None:
    over = steal(scene, "USDC", "HOOK", CAPACITY + Fraction(1, 10**6))
    with pytest.raises(NodeError, match="vault: turnover limit"):
        run(scene, over)
    run(scene, steal(scene, "HOOK", "USDC", CAPACITY))
    assert available(scene) <= 10 * REFILL * USD


Refused = Callable[[Scene], tuple[Swap, ...]]


def _melting(scene: Scene, sell: str, buy: str) -> Swap:
    """Some HOOK of the vault disappears meanwhile."""
    melt = (scene.tokens["HOOK"].address, calldata("melt(address,uint256)", scene.vault, 1))
    return steal(scene, sell, buy, 1_000, also=(melt,))


def _good(scene: Scene) -> Swap:
    return steal(scene, "WETH", "USDC", 1_000)


REFUSED: dict[str, tuple[str, Refused]] = {
    "one token": ("sells what it buys", lambda s: (_good(s)._replace(buy=s.tokens["WETH"].address),)),
    "another target": ("call not allowed", lambda s: (_good(s)._replace(target=s.uniswap.quoter),)),
    "a token as target": ("call not allowed", lambda s: (_good(s)._replace(target=s.tokens["USDC"].address),)),
    "itself as target": ("call not allowed", lambda s: (_good(s)._replace(target=s.vault),)),
    "another function": ("call not allowed", lambda s: (_good(s)._replace(data=selector("moved()")),)),
    "half a selector": ("call not allowed", lambda s: (_good(s)._replace(data=selector(ACT)[:3]),)),
    "sells a stranger": ("token not listed", lambda s: (_good(s)._replace(sell=s.puppet),)),
    "buys a stranger": ("token not listed", lambda s: (_good(s)._replace(buy=s.puppet),)),
    "more than held": ("sells more than it holds", lambda s: (_good(s)._replace(sell_amount=10**21),)),
    "endless amount": ("sells more than it holds", lambda s: (_good(s)._replace(sell_amount=(1 << 256) - 1),)),
    "nothing": ("nothing sold", lambda s: (_good(s)._replace(data=act([])),)),
    "names another token": ("nothing sold", lambda s: (_good(s)._replace(sell=s.tokens["LINK"].address),)),
    "another token falls": ("another token fell", lambda s: (_melting(s, "WETH", "USDC"),)),
    "more is gone": ("sold too much", lambda s: (_melting(s, "HOOK", "USDC"),)),
    "its own min_out": ("bought below min_out", lambda s: (_good(s)._replace(min_out=991 * 10**6),)),
    "nothing for it": ("below the oracle floor", lambda s: (steal(s, "WETH", "USDC", 1_000, Fraction(0)),)),
    "dust for nothing": ("below the oracle floor", lambda s: (steal(s, "WETH", "USDC", 0)._replace(**_dust(s)),)),
    "paid elsewhere": ("below the oracle floor", lambda s: (single(s, "WETH", "USDC", 1_000, 500, s.puppet),)),
    "two, one of them bad": (
        "below the oracle floor",
        lambda s: (_good(s), steal(s, "WETH", "USDC", 1_000, FLOOR / 2)),
    ),
    "a gain for a loss": (
        "below the oracle floor",
        lambda s: (steal(s, "WETH", "USDC", 1_000, Fraction(2)), steal(s, "WETH", "USDC", 1_000, Fraction(1, 2))),
    ),
    "a target that fails": ("STF", lambda s: (single(s, "WETH", "USDC", 1_000, 500, s.vault)._replace(sell_amount=1),)),
}


def _dust(scene: Scene) -> dict[str, object]:
    """One raw unit of ether, 3e-15 USD, for nothing."""
    take = calldata("transferFrom(address,address,uint256)", scene.vault, scene.puppet, 1)
    return {"data": act([(scene.tokens["WETH"].address, take)]), "sell_amount": 1}


@pytest.mark.parametrize("name", REFUSED)
def test_rebalance__a_swap_that_breaks_a_rule__is_refused_with_its_reason(standing: Scene, name: str) -> None:
    reason, swaps = REFUSED[name]
    with pytest.raises(NodeError, match=reason):
        standing.node.call(standing.vault, rebalance(swaps(standing)), standing.puppet)
    assert standing.node.call(standing.vault, rebalance([_good(standing)]), standing.puppet) == b""


def test_rebalance__after_its_deadline__is_refused(standing: Scene) -> None:
    now = int(standing.node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    with pytest.raises(NodeError, match="vault: deadline passed"):
        standing.node.call(standing.vault, rebalance([_good(standing)], now - 1), standing.puppet)


def test_rebalance__by_anybody_else_even_the_owner__is_refused(standing: Scene) -> None:
    for who in (standing.node.deployer, NOBODY):
        with pytest.raises(NodeError, match="vault: only the keeper"):
            standing.node.call(standing.vault, rebalance([_good(standing)]), who)


def test_rebalance__called_again_from_the_middle_of_a_swap__is_refused_there(standing: Scene) -> None:
    again = turn(standing, steal(standing, "LINK", "USDC", 1_000))
    (found,) = run_attacks(
        standing, [[Moment(1, [[turn(standing, steal(standing, "WETH", "USDC", 3_000, also=(again,)))]])]]
    )
    assert found.losses == (Fraction(30),), "the outer swap alone"


def test_rebalance__even_the_owner__changes_no_rule_in_the_middle_of_a_swap(scene: Scene) -> None:
    owner_does(scene, "offerOwnership(address)", scene.puppet)
    scene.node.send(scene.puppet, act([(scene.vault, calldata("acceptOwnership()"))]))
    wishes = (
        calldata("setLimits(uint128,uint128,uint256)", 10**30, 0, 1_000),
        calldata("unlistToken(address)", scene.tokens["HOOK"].address),
        calldata("withdraw(address,uint256,address)", scene.tokens["LINK"].address, 1, NOBODY),
    )
    before = scene.node.call(scene.vault, calldata("allTokens()"))
    run(scene, steal(scene, "WETH", "USDC", 1_000, also=tuple((scene.vault, wish) for wish in wishes)))
    assert scene.node.call(scene.vault, calldata("allTokens()")) == before
    assert word(scene.node.call(scene.vault, calldata("tolerance()")), 0) == 100
    assert held(scene, "LINK", NOBODY) == 0
    scene.node.send(scene.puppet, act([(scene.vault, wishes[0])]))
    assert word(scene.node.call(scene.vault, calldata("tolerance()")), 0) == 1_000


# --- feeds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("symbol", ["WETH", "USDC"])
@pytest.mark.parametrize(
    ("answer", "ago", "reason"),
    [
        (10**8, MAX_AGE + 60, "feed too old"),
        (10**8, -600, "feed of the future"),
        (0, 0, "feed without a price"),
        (-1, 0, "feed without a price"),
    ],
)
def test_rebalance__where_a_feed_of_either_token_cannot_be_used__is_refused(
    scene: Scene, symbol: str, answer: int, ago: int, reason: str
) -> None:
    now = int(scene.node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    scene.node.send(scene.feeds[symbol], calldata("set(int192,uint64)", answer, now - ago))
    with pytest.raises(NodeError, match=f"vault: {reason}"):
        run(scene, _good(scene))


CASES = 60


def test_floor__at_any_price_and_size__is_the_stated_share_of_value_to_the_unit(standing: Scene) -> None:
    random, attacks, expected = Random(4), [], []
    for _ in range(CASES):
        sell, buy = random.sample(list(PRICES), 2)
        prices = {symbol: Fraction(random.randint(1, 10 ** random.randint(1, 13)), 10**8) for symbol in PRICES}
        most = min(Fraction(CAPACITY), prices[sell] * 100, prices[buy] * 100)
        swap = steal(standing, sell, buy, most * random.randint(1, 10**6) / 10**6, prices=prices)
        least = _least(standing, swap, sell, buy, prices)
        if not swap.sell_amount:
            continue
        for paid in (least, least - 1):
            if paid >= 0:
                one = (
                    swap.sell,
                    calldata(
                        "transferFrom(address,address,uint256)", standing.vault, standing.puppet, swap.sell_amount
                    ),
                )
                other = (swap.buy, calldata("transfer(address,uint256)", standing.vault, paid))
                attacks.append([Moment(1, [[turn(standing, swap._replace(data=act([one, other])))]], prices)])
                expected.append(int(paid == least))
    assert [found.trades for found in run_attacks(standing, attacks)] == expected
    assert len(set(expected)) == 2 < len(expected)


def _least(scene: Scene, swap: Swap, sell: str, buy: str, prices: dict[str, Fraction]) -> int:
    """{raw} Sold rounded up, bought rounded down, in 1e-18 USD: the least that is 99 % of it."""
    units = {symbol: 10 ** (scene.tokens[symbol].decimals + 8) for symbol in (sell, buy)}
    sold = -(-swap.sell_amount * int(prices[sell] * 10**8) * USD // units[sell])
    wanted = -(-sold * 9_900 // 10_000)
    return -(-wanted * units[buy] // (int(prices[buy] * 10**8) * USD))


# --- the bucket ------------------------------------------------------------------------------------------------------


def test_bucket__any_sequence_of_waits_and_swaps__lets_through_exactly_what_a_model_does(standing: Scene) -> None:
    random, attacks, expected = Random(5), [], []
    for _ in range(40):
        level, moments, passed = CAPACITY, [], 0
        for number in range(8):
            gap = random.choice((1, 60, 400)) if number else 1
            level = min(CAPACITY, level + gap * REFILL * bool(number))
            usd = random.choice((level, level + 1, random.randint(1, CAPACITY // 2))) or 1
            moments.append(Moment(gap, [[turn(standing, steal(standing, "USDC", "HOOK", usd, Fraction(1)))]]))
            level, passed = (level - usd, passed + 1) if usd <= level else (level, passed)
        attacks.append(moments)
        expected.append(passed)
    assert [found.trades for found in run_attacks(standing, attacks)] == expected
    assert 0 < min(expected) < max(expected) <= 8


def test_limits__raised__fill_nothing_at_once_and_lowered_cut_at_once(scene: Scene) -> None:
    run(scene, steal(scene, "WETH", "USDC", 60_000))
    left = available(scene)
    owner_does(scene, "setLimits(uint128,uint128,uint256)", 10 * CAPACITY * USD, 0, 50)
    assert left <= available(scene) <= left + 60 * REFILL * USD
    owner_does(scene, "setLimits(uint128,uint128,uint256)", 5 * USD, 0, 50)
    assert available(scene) == 5 * USD
    owner_does(scene, "setLimits(uint128,uint128,uint256)", 0, 0, 0)
    with pytest.raises(NodeError, match="vault: turnover limit"):
        run(scene, steal(scene, "WETH", "USDC", 1, Fraction(1)))
    with pytest.raises(NodeError, match="vault: tolerance too large"):
        owner_does(scene, "setLimits(uint128,uint128,uint256)", 0, 0, 1_001)


# --- people ----------------------------------------------------------------------------------------------------------

OWNERS = {
    "withdraw": calldata("withdraw(address,uint256,address)", NOBODY, 0, NOBODY),
    "unpause": calldata("unpause()"),
    "setKeeper": calldata("setKeeper(address)", NOBODY),
    "setLimits": calldata("setLimits(uint128,uint128,uint256)", 0, 0, 0),
    "listToken": calldata("listToken(address,address,uint32)", NOBODY, NOBODY, 0),
    "unlistToken": calldata("unlistToken(address)", NOBODY),
    "allow": calldata("allow(address,bytes4,bool)", NOBODY, bytes(4), True),
    "offerOwnership": calldata("offerOwnership(address)", NOBODY),
}


def test_owners_functions__are_all_that_change_anything_and_refuse_the_keeper_and_strangers(standing: Scene) -> None:
    abi = contracts_abi.load("reference_vault")["abi"]
    writing = {each["name"] for each in abi if each["type"] == "function" and each["stateMutability"] != "view"}
    assert writing == {*OWNERS, "rebalance", "pause", "acceptOwnership"}
    assert not [each for each in abi if each["type"] in {"receive", "fallback"}]
    for data in OWNERS.values():
        for who in (standing.puppet, NOBODY):
            with pytest.raises(NodeError, match="vault: only the owner"):
                standing.node.call(standing.vault, data, who)


def test_pause__by_keeper_or_owner__stops_the_vault_until_the_owner_starts_it(scene: Scene) -> None:
    with pytest.raises(NodeError, match="vault: only keeper or owner"):
        scene.node.call(scene.vault, calldata("pause()"), NOBODY)
    scene.node.send(scene.puppet, act([(scene.vault, calldata("pause()"))]))
    with pytest.raises(NodeError, match="vault: paused"):
        run(scene, _good(scene))
    owner_does(scene, "withdraw(address,uint256,address)", scene.tokens["USDC"].address, 5, NOBODY)
    assert held(scene, "USDC", NOBODY) == 5
    owner_does(scene, "unpause()")
    run(scene, _good(scene))
    owner_does(scene, "pause()")
    with pytest.raises(NodeError, match="vault: paused"):
        run(scene, _good(scene))


def test_ownership__passes_only_to_who_accepts_it(scene: Scene) -> None:
    other = scene.node.accounts[1]
    owner_does(scene, "offerOwnership(address)", other)
    with pytest.raises(NodeError, match="only the pending owner"):
        scene.node.call(scene.vault, calldata("acceptOwnership()"), NOBODY)
    scene.node.send(scene.vault, calldata("acceptOwnership()"), sender=other)
    with pytest.raises(NodeError, match="vault: only the owner"):
        owner_does(scene, "unpause()")
    scene.node.send(scene.vault, calldata("setKeeper(address)", NOBODY), sender=other)
    with pytest.raises(NodeError, match="vault: only the keeper"):
        run(scene, _good(scene))
    with pytest.raises(NodeError, match="only the pending owner"):
        scene.node.call(scene.vault, calldata("acceptOwnership()"), other)


def test_coin__sent_to_the_vault__is_refused(standing: Scene) -> None:
    with pytest.raises(NodeError):
        standing.node.send(standing.vault, value=1)


# --- lists -----------------------------------------------------------------------------------------------------------


def test_lists__a_token_is_no_target_and_a_target_no_token(standing: Scene) -> None:
    node, vault = standing.node, standing.vault
    with pytest.raises(NodeError, match="vault: a token is no target"):
        node.call(vault, allow(standing.tokens["WETH"].address, "withdraw(uint256)"))
    with pytest.raises(NodeError, match="vault: a target is no token"):
        node.call(vault, calldata("listToken(address,address,uint32)", standing.puppet, standing.feeds["WETH"], 60))
    for target in (vault, NOBODY):
        with pytest.raises(NodeError, match="vault: no such target"):
            node.call(vault, allow(target, "pause()"))
    with pytest.raises(NodeError, match="vault: nothing changes"):
        node.call(vault, allow(standing.puppet, ACT))
    with pytest.raises(NodeError):
        node.call(vault, calldata("listToken(address,address,uint32)", standing.puppet, NOBODY, 60))


def test_lists__a_function_whose_selector_ends_in_zero__is_not_called_by_less_than_its_selector(scene: Scene) -> None:
    owner_does(scene, "allow(address,bytes4,bool)", scene.puppet, b"\1\2\3\0", True)
    for data, reason in ((b"\1\2\3", "call not allowed"), (b"\1\2\3\0", "failed without a reason")):
        with pytest.raises(NodeError, match=reason):
            run(scene, _good(scene)._replace(data=data))


def test_lists__taken_off_them__neither_is_used_any_more(scene: Scene) -> None:
    scene.node.send(scene.vault, allow(scene.puppet, ACT, yes=False))
    with pytest.raises(NodeError, match="vault: call not allowed"):
        run(scene, _good(scene))
    scene.node.send(scene.vault, allow(scene.puppet, ACT))
    owner_does(scene, "unlistToken(address)", scene.tokens["USDC"].address)
    left = decode(["address[]"], scene.node.call(scene.vault, calldata("allTokens()")))[0]
    assert {address.lower() for address in left} == {
        token.address.lower() for symbol, token in scene.tokens.items() if symbol != "USDC"
    }
    with pytest.raises(NodeError, match="vault: token not listed"):
        run(scene, _good(scene))
    with pytest.raises(NodeError, match="vault: token not listed"):
        owner_does(scene, "unlistToken(address)", scene.tokens["USDC"].address)
    run(scene, steal(scene, "WETH", "LINK", 1_000))


def test_lists__a_token_listed_again__takes_the_new_feed_and_counts_once(scene: Scene) -> None:
    for _ in range(20):
        owner_does(scene, "listToken(address,address,uint32)", scene.tokens["WETH"].address, scene.feeds["USDC"], 60)
    assert len(decode(["address[]"], scene.node.call(scene.vault, calldata("allTokens()")))[0]) == len(PRICES)
    run(scene, steal(scene, "WETH", "USDC", 1, prices=PRICES | {"WETH": Fraction(1)}))


# --- tokens that do not fit ------------------------------------------------------------------------------------------


def _listed(scene: Scene, contract: str) -> Address:
    """A token of this kind, listed at 1 USD, of which vault and thief hold a million raw."""
    token = scene.node.deploy(compile_solidity("Puppet.sol")[contract])
    for holder in (scene.vault, scene.puppet):
        scene.node.send(token, calldata("mint(address,uint256)", holder, 10**6))
    owner_does(scene, "listToken(address,address,uint32)", token, scene.feeds["USDC"], 3_600)
    return token


@pytest.mark.fault("K4")
@pytest.mark.fault("K6")
@pytest.mark.fault("K7")
@pytest.mark.parametrize("taken", [400, 500])
def test_old_token__without_return_values_and_zero_first__is_sold_and_withdrawn(scene: Scene, taken: int) -> None:
    token = _listed(scene, "OldToken")
    take = (token, calldata("transferFrom(address,address,uint256)", scene.vault, scene.puppet, taken))
    pay = (scene.tokens["USDC"].address, calldata("transfer(address,uint256)", scene.vault, 500))
    swap = Swap(scene.puppet, act([take, pay]), token, 500, scene.tokens["USDC"].address)
    for _ in range(2):
        run(scene, swap)
    allowance = calldata("allowance(address,address)", scene.vault, scene.puppet)
    assert word(scene.node.call(token, allowance), 0) == 0
    assert word(scene.node.call(token, calldata("balanceOf(address)", scene.vault)), 0) == 10**6 - 2 * taken
    owner_does(scene, "withdraw(address,uint256,address)", token, 7, NOBODY)
    assert word(scene.node.call(token, calldata("balanceOf(address)", NOBODY)), 0) == 7


@pytest.mark.fault("K5")
def test_sulky_token__that_says_no_instead_of_reverting__is_refused(scene: Scene) -> None:
    token = _listed(scene, "SulkyToken")
    swap = Swap(scene.puppet, act([]), token, 5, scene.tokens["USDC"].address)
    with pytest.raises(NodeError, match="vault: approve failed"):
        run(scene, swap)
    with pytest.raises(NodeError, match="vault: transfer failed"):
        owner_does(scene, "withdraw(address,uint256,address)", token, 7, NOBODY)


# --- setting up ------------------------------------------------------------------------------------------------------


def test_terms__are_those_that_it_was_made_with(standing: Scene) -> None:
    node = standing.node
    vault = deploy_reference_vault(node, NOBODY, {}, {}, capacity=7, refill=3, tolerance=25)
    types = ["address", "address", "bool", "uint256", "uint256", "uint256", "uint256"]
    found = decode(types, node.call(vault, calldata("terms()")))
    assert found == (node.deployer.lower(), NOBODY.lower(), False, 25, 7 * USD, 3 * USD, 7 * USD)
