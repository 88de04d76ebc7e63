"""A reference vault among real pools, and a thief: its keeper, and one of its allowed targets as well.

Nothing is mined once the scene stands. An attack is a list of `Moment`s, each a block of its own at its own time, which
`run_attacks` simulates from the same state, many in one request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from eth_abi.abi import decode

import contracts_abi
from keeper.core.abi import calldata
from keeper.core.units import WHOLE_BPS, Address, Token, TokenAmount
from tests.chain import uniswap
from tests.chain.node import Node, NodeError
from tests.chain.reference_vault import allow, deploy_reference_vault
from tests.chain.solidity import compile_solidity
from tests.chain.uniswap import Deployment

ACT = "act((address,bytes)[])"
LOOK = "look(address,address[],address[])"
CAPACITY, REFILL, TOLERANCE, MAX_AGE = 100_000, 10, 100, 3_600
"""{USD}, {USD / s}, {bps}, {s}"""
PRICES = {"WETH": Fraction(3_000), "USDC": Fraction(1), "LINK": Fraction(20), "HOOK": Fraction(1)}
"""{USD}"""
HOLDINGS = {"WETH": 100, "USDC": 300_000, "LINK": 10_000, "HOOK": 100_000}
"""{whole} Of the vault: 900,000 USD, nine times what the bucket holds."""
GAS = 6_000_000
AT_ONCE = 20
"""Attacks in one request, which must stay below Anvil's 2 MB."""

Action = tuple[Address, bytes]


@dataclass(frozen=True)
class Moment:
    """`gap` seconds after the one before, feeds say `prices` {USD} where they are told to; then the thief acts.

    Each step is what the thief's contract does in one transaction.
    """

    gap: int
    steps: Sequence[Sequence[Action]]
    prices: Mapping[str, Fraction] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What came of an attack: {USD} that the vault lost in each moment, gains not set off against losses."""

    times: tuple[int, ...]
    losses: tuple[Fraction, ...]
    gain: Fraction
    """{USD} That the thief's contract has more than before."""
    trades: int
    """Steps that changed the vault's balances."""
    approved: int
    """{raw} Allowances of the vault that are left."""

    def within(self) -> bool:
        """In no stretch of time more than tolerance * (capacity + refill * seconds)."""
        last = len(self.times)
        return all(
            sum(self.losses[i:j]) <= bound(self.times[j - 1] - self.times[i])
            for i in range(last)
            for j in range(i + 1, last + 1)
        )

    @property
    def share(self) -> Fraction:
        """What was lost, of the bound for the whole attack."""
        return sum(self.losses) / bound(self.times[-1] - self.times[0])


def bound(seconds: int) -> Fraction:
    """{USD} The contract's promise."""
    return Fraction(TOLERANCE, WHOLE_BPS) * (CAPACITY + REFILL * seconds)


@dataclass(frozen=True)
class Scene:
    uniswap: Deployment
    tokens: Mapping[str, Token]
    feeds: Mapping[str, Address]
    vault: Address
    puppet: Address
    """The thief's contract."""
    witness: Address

    @property
    def node(self) -> Node:
        return self.uniswap.node

    @property
    def spenders(self) -> list[Address]:
        return [self.uniswap.v2_router, self.uniswap.swap_router, self.uniswap.swap_router02, self.puppet]

    def raw(self, symbol: str, usd: Fraction | int, prices: Mapping[str, Fraction] = PRICES) -> int:
        """{raw} Of this value, rounded down."""
        token = self.tokens[symbol]
        return int(Fraction(usd) / prices[symbol] * 10**token.decimals)

    # --- looking -----------------------------------------------------------------------------------------------------

    def look(self, holder: Address, spenders: Sequence[Address] = ()) -> bytes:
        return calldata(LOOK, holder, [token.address for token in self.tokens.values()], list(spenders))

    def worth(self, held: Sequence[int], prices: Mapping[str, Fraction]) -> Fraction:
        """{USD}"""
        amounts = zip(self.tokens.items(), held, strict=True)
        return sum((TokenAmount(token, raw).whole * prices[symbol] for (symbol, token), raw in amounts), Fraction(0))


def act(steps: Sequence[Action]) -> bytes:
    return calldata(ACT, [tuple(step) for step in steps])


# --- attacks ---------------------------------------------------------------------------------------------------------


def run_attacks(scene: Scene, attacks: Sequence[Sequence[Moment]]) -> list[Found]:
    """Each of them from the scene as it stands."""
    head = scene.node.rpc("eth_getBlockByNumber", "latest", False)
    start = int(head["timestamp"], 16)
    look, mine = scene.look(scene.vault, scene.spenders), scene.look(scene.puppet)
    found = []
    for first in range(0, len(attacks), AT_ONCE):
        part = attacks[first : first + AT_ONCE]
        requests = [("eth_simulateV1", [_script(scene, attack, start, look, mine), "latest"]) for attack in part]
        for attack, answer in zip(part, scene.node.batch(requests), strict=True):
            if isinstance(answer, NodeError):
                raise answer
            found.append(_judge(scene, attack, start, answer))
    return found


def _script(scene: Scene, attack: Sequence[Moment], start: int, look: bytes, mine: bytes) -> dict[str, Any]:
    deployer, time, blocks = scene.node.deployer, start, []
    for moment in attack:
        time += moment.gap
        calls = [_call(deployer, scene.feeds[symbol], _answer(price)) for symbol, price in moment.prices.items()]
        calls += [_call(deployer, scene.witness, mine), _call(deployer, scene.witness, look)]
        for step in moment.steps:
            calls += [_call(deployer, scene.puppet, act(step)), _call(deployer, scene.witness, look)]
        calls += [_call(deployer, scene.witness, mine)]
        blocks.append({"blockOverrides": {"time": hex(time)}, "calls": calls})
    return {"blockStateCalls": blocks, "validation": False}


def _call(sender: Address, to: Address, data: bytes) -> dict[str, str]:
    return {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(GAS)}


def _answer(price: Fraction) -> bytes:
    return calldata("set(int192,uint64)", int(price * 10**8), 0)


def _judge(scene: Scene, attack: Sequence[Moment], start: int, answer: Any) -> Found:
    prices, time, trades = dict(PRICES), start, 0
    times, losses, gain, approved = [], [], Fraction(0), 0
    for moment, block in zip(attack, answer, strict=True):
        time += moment.gap
        prices |= {symbol: Fraction(int(price * 10**8), 10**8) for symbol, price in moment.prices.items()}
        ends = block["calls"][len(moment.prices) :]
        mine, looks = (ends[0], ends[-1]), ends[1:-1:2]
        assert all(end["status"] == "0x1" for end in ends), "the thief's contract swallows failures"
        seen = [decode(["uint256[]", "uint256"], bytes.fromhex(end["returnData"][2:])) for end in (*looks, *mine)]
        worths = [scene.worth(held, prices) for held, _ in seen]
        vault, (before, after) = worths[:-2], worths[-2:]
        times.append(time)
        losses.append(sum((max(Fraction(0), a - b) for a, b in pairwise(vault)), Fraction(0)))
        gain += after - before
        trades += sum(a[0] != b[0] for a, b in pairwise(seen[:-2]))
        approved += sum(left for _, left in seen[:-2])
    return Found(tuple(times), tuple(losses), gain, trades, approved)


# --- the scene -------------------------------------------------------------------------------------------------------


def build_scene(node: Node) -> Scene:
    deployment = uniswap.deploy_uniswap(node)
    uniswap.wrap(deployment, 1_000_000)
    code = compile_solidity("Puppet.sol")
    puppet = node.deploy(code["Puppet"])
    hook = Token(node.chain_id, node.deploy(code["HookToken"], ["address"], [puppet]), "HOOK", 18)
    tokens = {
        "WETH": deployment.weth,
        "USDC": uniswap.deploy_token(deployment, "USDC", 6),
        "LINK": uniswap.deploy_token(deployment, "LINK", 18),
        "HOOK": hook,
    }
    node.send(hook.address, calldata("mint(address,uint256)", node.deployer, 10**30))
    uniswap.approve_routers(deployment, hook)
    feeds = {symbol: deploy_feed(node, PRICES[symbol]) for symbol in tokens}
    routers = {
        deployment.v2_router: "v2_router",
        deployment.swap_router: "swap_router",
        deployment.swap_router02: "swap_router02",
    }
    listed = {token: feeds[symbol] for symbol, token in tokens.items()}
    limits = {"capacity": CAPACITY, "refill": REFILL, "tolerance": TOLERANCE, "max_age": MAX_AGE}
    vault = deploy_reference_vault(node, puppet, listed, routers, **limits)
    node.send(vault, allow(puppet, ACT))
    _open_pools(deployment, tokens)
    scene = Scene(deployment, tokens, feeds, vault, puppet, node.deploy(code["Witness"]))
    _fund(scene)
    return scene


def _open_pools(deployment: Deployment, tokens: Mapping[str, Token]) -> None:
    weth, usdc, link, hook = (tokens[symbol] for symbol in ("WETH", "USDC", "LINK", "HOOK"))

    def v2(one: Token, other: Token) -> None:
        amounts = (TokenAmount.from_whole(token, 2_100_000 / PRICES[token.symbol]) for token in (one, other))
        uniswap.create_v2_pair(deployment, *amounts)

    v2(weth, usdc)
    v2(link, weth)
    v2(hook, usdc)
    for fee, usd in ((500, 60_000_000), (3_000, 300_000)):
        amounts = TokenAmount.from_whole(weth, Fraction(usd, 3_000)), TokenAmount.from_whole(usdc, usd)
        position = uniswap.position_around(*amounts, fee, PRICES["WETH"], 600)
        uniswap.create_v3_pool(deployment, weth, usdc, fee, PRICES["WETH"], [position])
    # The thief's own pool, which no owner of a vault has ever seen: LINK for 0.98 % less than it is worth.
    cheap = PRICES["LINK"] * Fraction(9_902, 10_000)
    amounts = TokenAmount.from_whole(link, 500_000), TokenAmount.from_whole(usdc, 10_000_000)
    position = uniswap.position_around(*amounts, 100, cheap, 50)
    uniswap.create_v3_pool(deployment, link, usdc, 100, cheap, [position])


def _fund(scene: Scene) -> None:
    node = scene.node
    for symbol, whole in HOLDINGS.items():
        token = scene.tokens[symbol]
        uniswap.transfer(scene.uniswap, TokenAmount.from_whole(token, whole), scene.vault)
        uniswap.transfer(scene.uniswap, TokenAmount.from_whole(token, whole * 100), scene.puppet)
        endless = [calldata("approve(address,uint256)", spender, uniswap.MAX_UINT256) for spender in scene.spenders]
        node.send(scene.puppet, act([(token.address, each) for each in endless]))


def deploy_feed(node: Node, price: Fraction) -> Address:
    """Of eight decimals, owned by the deployer."""
    code: str = contracts_abi.load("demo_feed")["bytecode"]
    feed = node.deploy(code, ["address", "string", "uint8"], [node.deployer, "TOKEN / USD", 8])
    node.send(feed, _answer(price))
    return feed
