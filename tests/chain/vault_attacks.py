"""What a thief with the keeper's key may try on the reference vault: swaps of every make, and mixtures of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from random import Random

from keeper.core.abi import calldata
from keeper.core.units import Address
from keeper.guards.swaps import MULTICALL, V2_SWAP, V3_SWAP, V3_SWAP02
from tests.chain.reference_vault import FOREVER, Swap, rebalance
from tests.chain.uniswap import MAX_UINT256
from tests.chain.vault_scene import CAPACITY, MAX_AGE, PRICES, Action, Moment, Scene, act

FLOOR = Fraction(99, 100)
"""Of what is sold, in value: the least that the vault accepts."""
SWEEP_FEE = "sweepTokenWithFee(address,uint256,address,uint256,address)"
THIS = Address("0x0000000000000000000000000000000000000002")
"""SwapRouter02's word for itself."""
Prices = Mapping[str, Fraction]

# --- swaps -----------------------------------------------------------------------------------------------------------


def steal(
    scene: Scene,
    sell: str,
    buy: str,
    usd: Fraction | int,
    share: Fraction = FLOOR,
    prices: Prices = PRICES,
    also: tuple[Action, ...] = (),
) -> Swap:
    """The thief's own contract takes what is sold and pays `share` of its value, rounded up; and does `also`."""
    sold, paid = (
        scene.raw(sell, usd, prices),
        -int(-scene.raw(sell, usd, prices) * _rate(scene, sell, buy, prices) * share // 1),
    )
    one, other = scene.tokens[sell].address, scene.tokens[buy].address
    take = (one, calldata("transferFrom(address,address,uint256)", scene.vault, scene.puppet, sold))
    pay = (other, calldata("transfer(address,uint256)", scene.vault, paid))
    return Swap(scene.puppet, act([take, *also, pay]), one, sold, other)


def _rate(scene: Scene, sell: str, buy: str, prices: Prices) -> Fraction:
    """{buy raw / sell raw}"""
    decimals = scene.tokens[buy].decimals - scene.tokens[sell].decimals
    return prices[sell] / prices[buy] * Fraction(10) ** decimals


def single(
    scene: Scene, sell: str, buy: str, usd: Fraction | int, fee: int, to: Address, prices: Prices = PRICES
) -> Swap:
    """Through SwapRouter, at any price."""
    one, other, raw = scene.tokens[sell].address, scene.tokens[buy].address, scene.raw(sell, usd, prices)
    data = calldata(V3_SWAP, (one, other, fee, to, FOREVER, raw, 0, 0))
    return Swap(scene.uniswap.swap_router, data, one, raw, other)


def through_v2(scene: Scene, path: list[str], usd: Fraction | int, to: Address, prices: Prices = PRICES) -> Swap:
    raw, tokens = scene.raw(path[0], usd, prices), [scene.tokens[symbol].address for symbol in path]
    return Swap(scene.uniswap.v2_router, calldata(V2_SWAP, raw, 0, tokens, to, FOREVER), tokens[0], raw, tokens[-1])


def split(
    scene: Scene, sell: str, buy: str, usd: Fraction | int, fee: int, ours: Fraction, prices: Prices = PRICES
) -> Swap:
    """SwapRouter02 pays the thief for the share `ours` of what is sold, and the vault for the rest."""
    one, other, raw = scene.tokens[sell].address, scene.tokens[buy].address, scene.raw(sell, usd, prices)
    mine = int(raw * ours)
    parts = [(scene.puppet, mine), (scene.vault, raw - mine)]
    calls = [calldata(V3_SWAP02, (one, other, fee, to, amount, 0, 0)) for to, amount in parts if amount]
    return Swap(scene.uniswap.swap_router02, calldata(MULTICALL, FOREVER, calls), one, raw, other)


def sweep(scene: Scene, sell: str, buy: str, usd: Fraction | int, fee: int, bps: int, prices: Prices = PRICES) -> Swap:
    """SwapRouter02 keeps the proceeds, and pays the vault from them less a fee for the thief."""
    one, other, raw = scene.tokens[sell].address, scene.tokens[buy].address, scene.raw(sell, usd, prices)
    swap = calldata(V3_SWAP02, (one, other, fee, THIS, raw, 0, 0))
    pay = calldata(SWEEP_FEE, other, 0, scene.vault, bps, scene.puppet)
    return Swap(scene.uniswap.swap_router02, calldata(MULTICALL, FOREVER, [swap, pay]), one, raw, other)


# --- what the thief does around them ---------------------------------------------------------------------------------


def turn(scene: Scene, *swaps: Swap, deadline: int = FOREVER) -> Action:
    return scene.vault, rebalance(swaps, deadline)


def trade(scene: Scene, sell: str, buy: str, raw: int, fee: int) -> Action:
    """With the thief's own money, in a real pool."""
    pair = scene.tokens[sell].address, scene.tokens[buy].address
    data = calldata(V3_SWAP02, (*pair, fee, scene.puppet, raw, 0, 0))
    return scene.uniswap.swap_router02, calldata(MULTICALL, FOREVER, [data])


def sandwich(scene: Scene, usd: int, swap: Swap, fee: int = 500) -> list[Action]:
    """Before the vault sells ether for dollars, the thief does; and buys back afterwards with all of it."""
    raw = scene.raw("WETH", usd)
    # What comes back is about what went in; the rest is the thief's business.
    back = int(scene.raw("USDC", usd) * Fraction(98, 100))
    return [trade(scene, "WETH", "USDC", raw, fee), turn(scene, swap), trade(scene, "USDC", "WETH", back, fee)]


# --- at random -------------------------------------------------------------------------------------------------------

GAPS = (1, 12, 600, MAX_AGE - 5, MAX_AGE + 1, 86_400)
SHARES = tuple(map(Fraction, ("0", "0.5", "0.98", "0.9899", "0.9901", "0.995", "1", "1.2")))
SIZES = tuple(map(Fraction, ("1", "0.5", "0.333", "0.25", "0.1", "0.001", "1.0001", "2")))
SYMBOLS = tuple(PRICES)
FEES = 100, 500, 3_000


def random_attack(scene: Scene, random: Random) -> list[Moment]:
    """Up to three blocks; in half of the steps everything is right except what the thief chooses to make of it."""
    attack, prices = [], dict(PRICES)
    for number in range(random.choice((1, 1, 2, 3))):
        told: dict[str, Fraction] = {}
        if number and random.random() < 0.85:
            told = {symbol: price * random.randint(970, 1_030) / 1_000 for symbol, price in prices.items()}
            told = {symbol: Fraction(int(price * 10**8), 10**8) for symbol, price in told.items()}
            prices |= told
        steps = [_random_step(scene, random, prices) for _ in range(random.randint(1, 4))]
        attack.append(Moment(random.choice(GAPS) if number else 1, steps, told))
    return attack


def _random_step(scene: Scene, random: Random, prices: Prices) -> list[Action]:
    swaps = [_random_swap(scene, random, prices) for _ in range(random.choice((1, 1, 1, 2, 2, 3)))]
    if random.random() < 0.1:
        swaps += swaps[:1]
    deadline = random.choice((*[FOREVER] * 12, 0, MAX_UINT256))
    action = turn(scene, *swaps, deadline=deadline)
    kind = random.random()
    if kind < 0.15:
        raw = scene.raw("WETH", random.choice((1_000, 30_000, 300_000)))
        back = trade(scene, "USDC", "WETH", raw * 3_000 // 10**12, 500)
        return [trade(scene, "WETH", "USDC", raw, 500), action, back]
    if kind < 0.25:
        return [
            (scene.puppet, calldata("arm(address,bytes)", *turn(scene, steal(scene, "WETH", "USDC", 1_000)))),
            action,
        ]
    if kind < 0.35:
        return [_forbidden(scene, random), action]
    return [action]


def _random_swap(scene: Scene, random: Random, prices: Prices) -> Swap:
    sell, buy = random.sample(SYMBOLS, 2)
    usd = CAPACITY * random.choice(SIZES) * (1 if random.random() < 0.5 else Fraction(random.randint(1, 999), 1_000))
    to = random.choice((*[scene.vault] * 4, scene.puppet, scene.uniswap.v2_router))
    makers: tuple[Callable[[], Swap], ...] = (
        lambda: steal(scene, sell, buy, usd, random.choice((FLOOR, FLOOR, FLOOR, *SHARES)), prices),
        lambda: steal(scene, sell, buy, usd, FLOOR, prices, (_forbidden(scene, random),)),
        lambda: single(scene, "WETH", "USDC", usd, random.choice(FEES), to, prices),
        lambda: single(scene, "LINK", "USDC", usd, 100, to, prices),
        lambda: through_v2(scene, random.choice(PATHS), usd, to, prices),
        lambda: split(
            scene, "WETH", "USDC", usd, 500, Fraction(random.choice((1, 50, 80, 90, 95, 200)), 10_000), prices
        ),
        lambda: sweep(scene, "WETH", "USDC", usd, 500, random.choice((1, 50, 90, 100)), prices),
    )
    swap = random.choice((makers[0], *makers))()
    if random.random() < 0.15:
        swap = _twisted(scene, random, swap)
    return swap


PATHS = ["WETH", "USDC"], ["USDC", "WETH"], ["LINK", "WETH"], ["HOOK", "USDC"], ["LINK", "WETH", "USDC"]


def _twisted(scene: Scene, random: Random, swap: Swap) -> Swap:
    """One field is something else."""
    symbol = scene.tokens[random.choice(SYMBOLS)].address
    strange = (scene.vault, scene.tokens["WETH"].address, scene.feeds["WETH"], scene.node.deployer)
    changes: tuple[dict[str, object], ...] = (
        {"target": random.choice(strange)},
        {"target": random.choice(scene.spenders)},
        {"sell": symbol},
        {"buy": symbol},
        {"sell_amount": random.choice((0, 1, swap.sell_amount // 2, swap.sell_amount + 1, MAX_UINT256))},
        {"min_out": random.choice((1, MAX_UINT256))},
        {"data": random.choice((b"", swap.data[:3], swap.data[:4], swap.data[:-1], swap.data + b"\0", b"\xff" * 40))},
        {"data": random.randbytes(4) + swap.data[4:]},
    )
    return swap._replace(**random.choice(changes))


def _forbidden(scene: Scene, random: Random) -> Action:
    """Something that the vault must never let its keeper do, alone or in the middle of a swap."""
    token = scene.tokens[random.choice(SYMBOLS)].address
    inner = steal(scene, "USDC", "WETH", 1_000, Fraction(0))
    return random.choice(
        (
            (scene.vault, calldata("withdraw(address,uint256,address)", token, 10**6, scene.puppet)),
            (scene.vault, calldata("setLimits(uint128,uint128,uint256)", 10**30, 10**30, 1_000)),
            (scene.vault, calldata("allow(address,bytes4,bool)", scene.node.deployer, b"\1\2\3\4", True)),
            (scene.vault, calldata("listToken(address,address,uint32)", scene.puppet, scene.feeds["WETH"], 1)),
            (scene.vault, calldata("setKeeper(address)", scene.node.deployer)),
            (scene.vault, calldata("acceptOwnership()")),
            (token, calldata("transferFrom(address,address,uint256)", scene.vault, scene.puppet, 10**6)),
            turn(scene, inner),
            turn(scene, steal(scene, "WETH", "USDC", 1_000)),
        )
    )
