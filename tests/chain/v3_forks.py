"""Markets of Uniswap v3's forks on a local node: PancakeSwap v3 from the bytecode that its authors publish, Aerodrome's
Slipstream compiled from its sources, each with its own factory and a router that speaks as its own does.

    fork = deploy_slipstream(Node(url))
    address = create_pool(fork, one, other, spacing, sqrt)
    add_positions(fork, address, [Position(-600, 600, 10**20)])
    told = ask_pools(fork, cases)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eth_abi.abi import decode
from eth_utils.crypto import keccak

import contracts_abi
from keeper.core.abi import address_word, calldata
from keeper.core.chain import Read
from keeper.core.pools import Router
from keeper.core.ports import Venue
from keeper.core.units import Address, Token
from keeper.venues.pancake_v3 import PANCAKE_V3_PIN
from keeper.venues.slipstream import SLIPSTREAM_PIN, Slipstream
from keeper.venues.uniswap_v3 import ENOUGH, REACH, UniswapV3, UniswapV3Pin
from tests.chain.node import Node
from tests.chain.solidity import compile_package, compile_solidity
from tests.chain.uniswap import MAX_UINT256, PLENTY, Position, bytecode, sort_tokens
from tests.chain.v3_cases import Case, Told

SLIPSTREAM = "sphere-mezo-solidity-files/domains/aerodrome-slipstream/contracts/"
_NOTHING = "600580600b6000396000f3" + "60206000f3"
"""Answers 0 whatever it is asked: a voter without gauges, an older factory without pools."""
_BLOB = Address("0x00000000000000000000000000000000B10B0000")
_UNISWAPS_CODE = "e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"
"""Hash of the creation code of Uniswap's pools, by which a router knows who calls it back."""


@dataclass(frozen=True, slots=True)
class Fork:
    node: Node
    factory: Address
    router: Router
    hands: Address
    """Whoever mints, and asks pools."""
    pin: UniswapV3Pin
    keys: Mapping[int, int]
    """What tells two pools of a pair apart, a fee or a spacing, and the tick spacing of each."""

    def venue(self, reach: int = REACH, enough: int = ENOUGH) -> Venue:
        return Slipstream(reach, enough) if self.pin is SLIPSTREAM_PIN else UniswapV3(reach, enough)

    def token(self, symbol: str, decimals: int) -> Token:
        """Of which the hands and the deployer hold plenty, whom the router may take it from."""
        node, types = self.node, ["address", "string", "string", "uint8"]
        code: str = contracts_abi.load("demo_token")["bytecode"]
        token = Token(
            node.chain_id, node.deploy(code, types, [node.deployer, symbol, symbol, decimals]), symbol, decimals
        )
        for holder in (self.hands, node.deployer):
            node.send(token.address, calldata("mint(address,uint256)", holder, PLENTY))
        node.send(token.address, calldata("approve(address,uint256)", self.router.address, MAX_UINT256))
        return token


def deploy_pancake(node: Node) -> Fork:
    pool = _published("PancakeV3Pool")
    ours = compile_solidity("Hands.sol")
    node.rpc("anvil_setCode", _BLOB, pool)
    deployer = node.deploy(ours["PancakeDeployer"], ["address"], [_BLOB])
    factory = node.deploy(_published("PancakeV3Factory"), ["address"], [deployer])
    # SmartRouter's bytecode is not published. It is Uniswap's SwapRouter02 but for who makes pools, of which code, and
    # by what name they call back.
    code = bytecode("swap-router-contracts/artifacts/contracts/SwapRouter02.sol/SwapRouter02.json")
    assert _UNISWAPS_CODE in code
    code = code.replace(_UNISWAPS_CODE, keccak(hexstr=pool).hex())
    uniswaps = node.deploy(code, ["address"] * 4, [factory, deployer, factory, factory])
    router = node.deploy(ours["PancakeRouter"], ["address"], [uniswaps])
    keys = {100: 1, 500: 10, 2_500: 50, 10_000: 200}
    hands = node.deploy(ours["Hands"])
    return Fork(node, factory, Router("pancake_router", router), hands, PANCAKE_V3_PIN, keys)


def deploy_slipstream(node: Node) -> Fork:
    made = _compiled()
    nothing, pool = node.deploy(_NOTHING), node.deploy(made["CLPool"])
    factory = node.deploy(made["CLFactory"], ["address"] * 3, [nothing, nothing, pool])
    router = node.deploy(made["SwapRouter"], ["address"] * 2, [factory, nothing])
    keys = {spacing: spacing for spacing in (1, 50, 100, 200, 2_000)}
    hands = node.deploy(compile_solidity("Hands.sol")["Hands"])
    return Fork(node, factory, Router("slipstream_router", router), hands, SLIPSTREAM_PIN, keys)


def _compiled() -> dict[str, str]:
    core = "CLPool.sol", "CLFactory.sol", "fees/DynamicSwapFeeModule.sol"
    return compile_package(SLIPSTREAM, *(f"core/{name}" for name in core), "periphery/SwapRouter.sol")


def deploy_fee_module(fork: Fork, scaling: int, most: int) -> Address:
    """The fee rises by `scaling` {ppm / tick, 1e6} as the price leaves its mean of ten seconds, up to `most` {ppm}."""
    node, none = fork.node, list[int]()
    types = ["address", "uint256", "uint256", "address[]", "uint24[]"]
    made = _compiled()["DynamicSwapFeeModule"]
    module = node.deploy(made, types, [fork.factory, scaling, most, none, none])
    node.send(module, calldata("setSecondsAgo(uint32)", 10))
    node.send(fork.factory, calldata("setSwapFeeModule(address)", module))
    return module


def _published(name: str) -> str:
    folder = Path(__file__).parents[2] / "node_modules" / "@pancakeswap" / "v3-core" / "artifacts" / "contracts"
    found: str = json.loads((folder / f"{name}.sol" / f"{name}.json").read_text("utf-8"))["bytecode"]
    return found


# --- pools -----------------------------------------------------------------------------------------------------------


def create_pool(fork: Fork, one: Token, other: Token, key: int, sqrt: int) -> Address:
    """At a square-root price of token1 per token0, Q64.96."""
    node, (token0, token1) = fork.node, sort_tokens(one, other)
    pair = token0.address, token1.address
    if fork.router.kind == "slipstream_router":
        node.send(fork.factory, calldata("createPool(address,address,int24,uint160)", *pair, key, sqrt))
        return address_word(node.call(fork.factory, calldata("getPool(address,address,int24)", *pair, key)), 0)
    node.send(fork.factory, calldata("createPool(address,address,uint24)", *pair, key))
    pool = address_word(node.call(fork.factory, calldata("getPool(address,address,uint24)", *pair, key)), 0)
    node.send(pool, calldata("initialize(uint160)", sqrt))
    return pool


def add_positions(fork: Fork, pool: Address, positions: Sequence[Position]) -> None:
    signature = "mint(address,int24,int24,uint128)"
    mints = [calldata(signature, pool, each.lower, each.upper, each.liquidity) for each in positions]
    fork.node.send_all([(fork.hands, mint) for mint in mints])


def ask_pools(fork: Fork, cases: Sequence[Case]) -> list[Told | None]:
    """What each pool does itself."""
    reads = []
    for case in cases:
        amount = case.raw if case.exact_in else -case.raw
        data = calldata("swap(address,bool,int256)", case.state.pool.address, case.is_down, amount)
        reads.append(Read(fork.hands, data))
    return [_told(case, answer) for case, answer in zip(cases, fork.node.calls(reads), strict=True)]


def _told(case: Case, answer: bytes | None) -> Told | None:
    if answer is None:
        return None
    amount0, amount1, price = decode(["int256", "int256", "uint160"], answer)
    sold, bought = (amount0, -amount1) if case.is_down else (amount1, -amount0)
    return Told(bought if case.exact_in else sold, price)
