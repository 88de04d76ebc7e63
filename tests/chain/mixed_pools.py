"""More pools of the daemon's tokens, so that a trade is worth splitting: a pair and a weighted pool beside v3's, and a
weighted pool beside v2's. Balancer's are of both generations of its arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from keeper.core.abi import calldata
from keeper.core.pools import Pool
from keeper.core.units import Address, Token, TokenAmount
from keeper.guards.balancer_swaps import SWAP
from keeper.venues.balancer_fixed import MAX_UINT256, ONE
from keeper.venues.balancer_pin import WeightedPin
from tests.chain import uniswap
from tests.chain.balancer import Balancer, deploy_balancer, in_order, join, new_weighted, pin_balancer, pool_id
from tests.chain.node import Node
from tests.chain.uniswap import Deployment

Prices = Mapping[str, Fraction]
Mover = Callable[[Node, Prices], None]
"""Takes a pool to these prices, by transactions of that node."""

PAIR = Fraction(900_000)
"""{USD} Each side of the pair."""
WEIGHTS = {"WETH": Fraction(6, 10), "LINK": Fraction(1, 2)}
"""Of the pool's first token; the rest is USDC's."""
WORTH = {"WETH": Fraction(1_500_000), "LINK": Fraction(20_000_000)}
"""{USD} All of the pool."""
FEES = {"WETH": 3 * 10**15, "LINK": 25 * 10**14}
"""{1e18}"""
GENERATIONS = {"WETH": "2023", "LINK": "2021 pair"}


def add_pair(new: Deployment, tokens: Mapping[str, Token], prices: Prices) -> tuple[Address, Mover]:
    weth, usdc = tokens["WETH"], tokens["USDC"]
    sides = [TokenAmount.from_whole(token, PAIR / prices[token.symbol]) for token in (weth, usdc)]
    pair = uniswap.create_v2_pair(new, *sides)

    def move(node: Node, now: Prices) -> None:
        uniswap.move_v2_pair(replace(new, node=node), pair, weth, usdc, now["WETH"] / now["USDC"])

    return pair, move


def open_balancer(node: Node, tokens: Mapping[str, Token]) -> Balancer:
    """Its Vault, which may take what the deployer has."""
    balancer = deploy_balancer(node)
    for token in tokens.values():
        balancer.tokens[token.address] = token
        node.send(token.address, calldata("approve(address,uint256)", balancer.vault, MAX_UINT256))
    return balancer


def add_weighted(balancer: Balancer, base: Token, quote: Token, prices: Prices) -> tuple[Address, Mover]:
    share = {base: WEIGHTS[base.symbol], quote: 1 - WEIGHTS[base.symbol]}
    tokens = in_order([base, quote])
    weights = [int(share[token] * ONE) for token in tokens]
    address = new_weighted(balancer, GENERATIONS[base.symbol], tokens, weights, FEES[base.symbol])
    pool = pin_balancer(balancer, WeightedPin(), address)
    worth = WORTH[base.symbol]
    held = [TokenAmount.from_whole(token, worth * share[token] / prices[token.symbol]) for token in pool.tokens]
    join(balancer, pool, [amount.raw for amount in held])

    def move(node: Node, now: Prices) -> None:
        _move(replace(balancer, node=node), pool, base, quote, share, now[base.symbol] / now[quote.symbol])

    return address, move


def _move(
    balancer: Balancer, pool: Pool, base: Token, quote: Token, share: Mapping[Token, Fraction], price: Fraction
) -> None:
    """Trades until the pool stands near `price` {quote whole / base whole}."""
    held = {token: TokenAmount(token, raw).whole for token, raw in _balances(balancer, pool).items()}
    now = held[quote] / share[quote] / (held[base] / share[base])
    if abs(now / price - 1) < Fraction(1, 10**6):
        return
    # After a trade without fee, base ** share * quote ** share is unchanged.
    wanted = held[base] * Fraction(float(now / price) ** float(share[quote]))
    if wanted > held[base]:
        _swap(balancer, pool, _rounded(base, wanted - held[base]), quote)
    else:
        least = price * wanted * share[quote] / share[base]
        _swap(balancer, pool, _rounded(quote, least - held[quote]), base)


def _rounded(token: Token, whole: Fraction) -> TokenAmount:
    return TokenAmount(token, int(whole * 10**token.decimals))


def _balances(balancer: Balancer, pool: Pool) -> Mapping[Token, int]:
    words = balancer.node.call(balancer.vault, calldata("getPoolTokens(bytes32)", pool_id(pool)))
    # Two tokens, then two balances, each array after its length.
    return {token: int.from_bytes(words[(7 + at) * 32 :][:32], "big") for at, token in enumerate(pool.tokens)}


def _swap(balancer: Balancer, pool: Pool, sell: TokenAmount, buy: Token) -> None:
    """Sells at any price, as somebody else would."""
    me = balancer.node.deployer
    single = pool_id(pool), 0, sell.token.address, buy.address, sell.raw, b""
    balancer.node.send(balancer.vault, calldata(SWAP, single, (me, False, me, False), 0, uniswap.FOREVER))
