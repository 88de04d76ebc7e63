"""A market of real Balancer V2 bytecode on a local node: the Vault, tokens, rates, and pools of every generation.

    balancer = deploy_balancer(Node(url))
    dai, usdc = new_token(balancer, "DAI"), new_token(balancer, "USDC", 6)
    address = new_weighted(balancer, "2023", [dai, usdc], [ONE // 2, ONE // 2], fee=3 * 10**15)
    pool = pin_balancer(balancer, WeightedPin(), address)
    join(balancer, pool, [10**24, 10**12])

Pools are made by their constructors, without factories. The deployer owns all of it and may do everything.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path

from eth_abi.abi import encode

import contracts_abi
from keeper.core.abi import address_word, calldata
from keeper.core.chain import Needs, Read
from keeper.core.pools import Pool
from keeper.core.ports import PoolPin
from keeper.core.units import Address, Token
from keeper.venues.balancer_fixed import MAX_UINT256
from keeper.venues.balancer_traits import CLOCK, POOL_ID, POOL_TOKEN
from tests.chain.node import Node

PLENTY = 1 << 200
NOBODY = Address("0x0000000000000000000000000000000000000000")
DAY = 86_400
WINDOW, BUFFER = 90 * DAY, 30 * DAY
"""{s} A pool may be paused for this long, and stays paused for that long."""

WEIGHTED = {
    "2021": "20210418-weighted-pool/bytecode/WeightedPool.json",
    "2021 pair": "20210418-weighted-pool/bytecode/WeightedPool2Tokens.json",
    "2022": "20220908-weighted-pool-v2/bytecode/WeightedPool.json",
    "2023": "20230206-weighted-pool-v3/artifact/WeightedPool.json",
}
STABLE = {
    "stable 2021": "deprecated/20210624-stable-pool/bytecode/StablePool.json",
    "meta 2021": "deprecated/20210727-meta-stable-pool/bytecode/MetaStablePool.json",
    "phantom 2021": "deprecated/20211208-stable-phantom-pool/bytecode/StablePhantomPool.json",
    "stable 2022": "20220609-stable-pool-v2/bytecode/StablePoolFactory.json",
    "composable 2022, first": "20220817-composable-stable-pool/bytecode/ComposableStablePool.json",
    "composable 2022": "20220906-composable-stable-pool/bytecode/ComposableStablePool.json",
    "composable 2023": "20230206-composable-stable-pool-v3/artifact/ComposableStablePool.json",
}
NEWER = {
    "composable v4": "20230320-composable-stable-pool-v4/artifact/ComposableStablePoolFactory.json",
    "composable v5": "20230711-composable-stable-pool-v5/artifact/ComposableStablePoolFactory.json",
    "composable v6": "20240223-composable-stable-pool-v6/artifact/ComposableStablePoolFactory.json",
}
"""Those that npm's package does not have, nor any other: with KEEPER_BALANCER_TASKS, a folder of the newer tasks of
Balancer's own repository of deployments, they are tested with the others."""
TASKS = os.environ.get("KEEPER_BALANCER_TASKS")
STABLE |= NEWER if TASKS else {}
LAUNCH = "20211202-no-protocol-fee-lbp/bytecode/NoProtocolFeeLiquidityBootstrappingPoolFactory.json"
PAIRS = {"2021 pair", "meta 2021"}
"""Generations of two tokens, neither more nor fewer."""
_ALLOWS = "600a600c600039600a6000f3" + "600160005260206000f3"
"""An authorizer that answers 1 to whatever it is asked."""
_RATE = "6008600c60003960086000f3" + "5f545f5260205ff3"
"""A provider that tells what its slot 0 holds."""
_CLOCK = "425f5260205ff3"
"""The time, whatever it is asked."""


@dataclass(frozen=True, slots=True)
class Balancer:
    node: Node
    vault: Address
    fees: Address
    """The provider of protocol fees, which are 0."""
    tokens: dict[Address, Token] = field(default_factory=dict)


@cache
def bytecode(path: str) -> str:
    """Creation code of a contract of npm's package of deployments."""
    npm = Path(__file__).parents[2] / "node_modules" / "@balancer-labs" / "v2-deployments" / "dist" / "tasks"
    tasks = Path(TASKS) if TASKS and path in NEWER.values() else npm
    if not (tasks / path).exists():
        raise FileNotFoundError(f"{path}: the contracts' bytecode comes from npm; install it with `npm ci`")
    made = json.loads((tasks / path).read_text("utf-8"))
    found: str = made["bytecode"] if "bytecode" in made else made["creationCode"]
    return found


def deploy_balancer(node: Node) -> Balancer:
    authorizer = node.deploy(_ALLOWS)
    vault = node.deploy(
        bytecode("20210418-vault/artifact/Vault.json"),
        ["address", "address", "uint256", "uint256"],
        [authorizer, authorizer, WINDOW, BUFFER],
    )
    fees = "20220725-protocol-fee-percentages-provider/bytecode/ProtocolFeePercentagesProvider.json"
    provider = node.deploy(bytecode(fees), ["address", "uint256", "uint256"], [vault, 10**17, 10**17])
    node.rpc("anvil_setCode", CLOCK.to, "0x" + _CLOCK)
    return Balancer(node, vault, provider)


def new_token(balancer: Balancer, symbol: str, decimals: int = 18) -> Token:
    """The deployer holds plenty of it and has approved the Vault."""
    node = balancer.node
    code: str = contracts_abi.load("demo_token")["bytecode"]
    address = node.deploy(code, ["address", "string", "string", "uint8"], [node.deployer, symbol, symbol, decimals])
    node.send(address, calldata("mint(address,uint256)", node.deployer, PLENTY))
    node.send(address, calldata("approve(address,uint256)", balancer.vault, MAX_UINT256))
    balancer.tokens[address] = Token(node.chain_id, address, symbol, decimals)
    return balancer.tokens[address]


def in_order(tokens: Sequence[Token]) -> list[Token]:
    """As the Vault wants them."""
    return sorted(tokens, key=lambda token: int(token.address, 16))


def new_rate(balancer: Balancer, rate: int) -> Address:
    address = balancer.node.deploy(_RATE)
    set_rate(balancer, address, rate)
    return address


def set_rate(balancer: Balancer, provider: Address, rate: int) -> None:
    balancer.node.rpc("anvil_setStorageAt", provider, "0x0", f"0x{rate:064x}")


# --- pools ---------------------------------------------------------------------------------------------------------


def new_weighted(
    balancer: Balancer, generation: str, tokens: Sequence[Token], weights: Sequence[int], fee: int
) -> Address:
    """`tokens` in the Vault's order; `weights` and `fee` {1e18}."""
    node, addresses, n = balancer.node, [token.address for token in tokens], len(tokens)
    code, pause = bytecode(WEIGHTED[generation]), (WINDOW, BUFFER)
    match generation:
        case "2021":
            types = ["address", "string", "string", "address[]", "uint256[]", *["uint256"] * 3, "address"]
            return node.deploy(code, types, [balancer.vault, "", "", addresses, weights, fee, *pause, node.deployer])
        case "2021 pair":
            struct = f"(address,string,string,address,address,{'uint256,' * 5}bool,address)"
            made = balancer.vault, "", "", *addresses, *weights, fee, *pause, False, node.deployer
            return node.deploy(code, [struct], [made])
        case _:
            struct = "(string,string,address[],uint256[],address[],address[],uint256)"
            made = "", "", addresses, weights, [NOBODY] * n, [NOBODY] * n, fee
            types = [struct, "address", "address", "uint256", "uint256", "address"]
            arguments = [made, balancer.vault, balancer.fees, *pause, node.deployer]
            if generation == "2023":
                types, arguments = [*types, "string"], [*arguments, ""]
            return node.deploy(code, types, arguments)


def new_stable(
    balancer: Balancer,
    generation: str,
    tokens: Sequence[Token],
    amp: int,
    fee: int,
    providers: Sequence[Address] = (),
    durations: Sequence[int] = (),
) -> Address:
    """`tokens` in the Vault's order; `amp` whole. A provider of nobody is none; `durations` {s} of cached rates."""
    node, addresses, n = balancer.node, [token.address for token in tokens], len(tokens)
    code, pause = bytecode(STABLE[generation]), (WINDOW, BUFFER)
    made: tuple[object, ...]
    rates, lives = list(providers or [NOBODY] * n), list(durations or [0] * n)
    match generation:
        case "stable 2021":
            types = ["address", "string", "string", "address[]", *["uint256"] * 4, "address"]
            return node.deploy(code, types, [balancer.vault, "", "", addresses, amp, fee, *pause, node.deployer])
        case "stable 2022":
            signature = "create(string,string,address[],uint256,uint256,address)"
            return _made(balancer, code, calldata(signature, "", "", addresses, amp, fee, node.deployer))
        case _ if generation in NEWER:
            flag, exempt = ("bool[]", [False] * n) if generation == "composable v4" else ("bool", False)
            types = f"string,string,address[],uint256,address[],uint256[],{flag},uint256,address,bytes32"
            create = calldata(
                f"create({types})", "", "", addresses, amp, rates, lives, exempt, fee, node.deployer, bytes(32)
            )
            return _made(balancer, code, create, ["address", "string", "string"], [balancer.fees, "", ""])
        case "meta 2021":
            struct = f"(address,string,string,address[],address[],uint256[],{'uint256,' * 4}bool,address)"
            made = balancer.vault, "", "", addresses, rates, lives, amp, fee, *pause, False, node.deployer
            library = node.deploy(bytecode("deprecated/20210727-meta-stable-pool/bytecode/QueryProcessor.json"))
            code = re.sub(r"__\$.{34}\$__", library[2:], code)
        case "phantom 2021":
            struct = f"(address,string,string,address[],address[],uint256[],{'uint256,' * 4}address)"
            made = balancer.vault, "", "", addresses, rates, lives, amp, fee, *pause, node.deployer
        case _:
            last = ",string" if generation == "composable 2023" else ""
            arrays = "address[],address[],uint256[],bool[]"
            struct = f"(address,address,string,string,{arrays},{'uint256,' * 4}address{last})"
            exempt = [False] * n
            made = balancer.vault, balancer.fees, "", "", addresses, rates, lives, exempt, amp, fee, *pause
            made = *made, node.deployer, *([""] if last else [])
    return node.deploy(code, [struct], [made])


def new_launch(balancer: Balancer, tokens: Sequence[Token], weights: Sequence[int], fee: int) -> Address:
    """A pool for a launch, whose weights its owner moves."""
    addresses, owner = [token.address for token in tokens], balancer.node.deployer
    signature = "create(string,string,address[],uint256[],uint256,address,bool)"
    data = calldata(signature, "", "", addresses, weights, fee, owner, True)
    return _made(balancer, bytecode(LAUNCH), data)


def _made(
    balancer: Balancer, factory: str, create: bytes, types: Sequence[str] = (), arguments: Sequence[object] = ()
) -> Address:
    """What a factory of this code makes, which is given the Vault and these arguments."""
    address = balancer.node.deploy(factory, ["address", *types], [balancer.vault, *arguments])
    # `PoolCreated(address indexed pool)`; where a pool lands may depend on the block.
    event = balancer.node.send(address, create)["logs"][-1]
    return address_word(bytes.fromhex(event["topics"][1][2:]), 0)


def pin_balancer(balancer: Balancer, pin: PoolPin, address: Address) -> Pool:
    """What `pin` recognises at `address`, asked as often as it wants."""
    answers: dict[Read, bytes | None] = {}
    reads: tuple[Read, ...] = pin.reads(address)
    for _ in range(4):
        answers |= zip(reads, balancer.node.calls(reads), strict=True)
        facts = pin.pin(address, answers)
        if not isinstance(facts, Needs):
            break
        reads = facts.reads
    assert facts is not None, f"no pool at {address}"
    assert not isinstance(facts, Needs), "the pin never has enough"
    assert facts.router is not None
    assert facts.fee_ppm is not None
    return Pool(
        chain_id=balancer.node.chain_id,
        kind=facts.kind,
        address=address,
        tokens=tuple(balancer.tokens[token] for token in facts.tokens),
        fee=Fraction(facts.fee_ppm, 10**6),
        factory=facts.factory,
        router=facts.router,
        details=facts.details,
    )


def pool_id(pool: Pool) -> bytes:
    return bytes.fromhex(str(pool.detail(POOL_ID))[2:])


def registered(pool: Pool) -> list[Address]:
    """Tokens as the Vault counts them, the pool's own among them where it is one."""
    found = [token.address for token in pool.tokens]
    own = dict(pool.details).get(POOL_TOKEN)
    if isinstance(own, int):
        found.insert(own, pool.address)
    return found


def join(balancer: Balancer, pool: Pool, amounts: Sequence[int]) -> None:
    """The first deposit, raw, in the order of `pool.tokens`."""
    assets = registered(pool)
    given = dict(zip([token.address for token in pool.tokens], amounts, strict=True))
    data = encode(["uint256", "uint256[]"], [0, [given.get(asset, 0) for asset in assets]])
    request = assets, [MAX_UINT256] * len(assets), data, False
    node = balancer.node
    signature = "joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))"
    node.send(balancer.vault, calldata(signature, pool_id(pool), node.deployer, node.deployer, request))


# --- swaps -----------------------------------------------------------------------------------------------------------

_REQUEST = "(uint8,address,address,uint256,bytes32,uint256,address,address,bytes)"


def ask_pool(pool: Pool, sold: int, bought: int, given_in: bool, amount: int, balances: Sequence[int]) -> Read:
    """The pool's own arithmetic for any balances: what the Vault, as sender, would ask of it."""
    tokens = pool.tokens[sold].address, pool.tokens[bought].address
    request = 0 if given_in else 1, *tokens, amount, pool_id(pool), 0, NOBODY, NOBODY, b""
    # The id says after the address how the Vault calls this pool: 0 with all balances, else with two of them.
    if pool_id(pool)[21]:
        held = balances[sold], balances[bought]
        return Read(pool.address, calldata(f"onSwap({_REQUEST},uint256,uint256)", request, *held))
    assets, held_of = registered(pool), {t.address: raw for t, raw in zip(pool.tokens, balances, strict=True)}
    indices = [assets.index(token) for token in tokens]
    held_all = [held_of.get(asset, 0) for asset in assets]
    return Read(pool.address, calldata(f"onSwap({_REQUEST},uint256[],uint256,uint256)", request, held_all, *indices))


def ask_vault(pools: Sequence[Pool], tokens: Sequence[Token], given_in: bool, amount: int) -> Read:
    """queryBatchSwap along a path: what the Vault would take and give."""
    hops = list(enumerate(pools)) if given_in else list(reversed(list(enumerate(pools))))
    steps = [(pool_id(pool), i, i + 1, amount if n == 0 else 0, b"") for n, (i, pool) in enumerate(hops)]
    funds = NOBODY, False, NOBODY, False
    signature = "queryBatchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],(address,bool,address,bool))"
    assets = [token.address for token in tokens]
    return Read(pools[0].router.address, calldata(signature, 0 if given_in else 1, steps, assets, funds))
