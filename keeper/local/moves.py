"""Moves the market of a fork: a whale made of nothing trades the real pools through their real routers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import isqrt

from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.core.abi import calldata, word
from keeper.core.errors import ConfigError
from keeper.core.pools import Pool
from keeper.core.units import Address, Token
from keeper.local.deployer import Deployer, DeployError, UnlockedAccount

WHALE = Address("0x000000000000000000000000000000005748616C")
PLENTY = 1 << 112
"""{raw} More than any pool holds of a token, and as much as a v2 pool can count."""
WEALTH = 10**24
"""{wei}"""
FOREVER = 1 << 40
"""{s} A deadline."""
GAS = 15_000_000
"""Not estimated: what a v2 pool notes of the time takes more in a new second than in the one of the estimate."""
MOVED = "uniswap_v2", "uniswap_v3"
"""Kinds of pools whose price can be moved by trading."""
_PPM = 1_000_000
_V2_SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
_V2_SWAP_02 = "swapExactTokensForTokens(uint256,uint256,address[],address)"
_V3_SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
_V3_SWAP_02 = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"


class _Whale(UnlockedAccount):
    def send(self, rpc: Rpc, fields: dict[str, str]) -> str:
        return super().send(rpc, fields | {"gas": hex(GAS)})


def move_pools(rpc: Rpc, pools: Sequence[Pool], factors: Mapping[str, Fraction]) -> Iterator[tuple[Pool, Fraction]]:
    """Trades each pool of a token in `factors` until its price has changed by that factor; yields the pool and by how
    much it really moved.

    Raises ConfigError where a token cannot be given to the whale, DeployError where a trade fails, Unreachable.
    """
    deployer = Deployer(rpc, _Whale(WHALE))
    rpc.call("anvil_setBalance", [WHALE, hex(WEALTH)], nullable=True)
    for pool in pools:
        if pool.kind not in MOVED:
            if touched := [token.symbol for token in pool.tokens if factors.get(token.symbol, 1) != 1]:
                expected = f"pools of kind {' or '.join(MOVED)} of {', '.join(touched)}"
                raise ConfigError("command", "--move", expected, pool.label)
            continue
        first, second = pool.tokens
        factor = factors.get(first.symbol, Fraction(1)) / factors.get(second.symbol, Fraction(1))
        if factor == 1:
            continue
        before = _price(deployer, pool)
        _trade(deployer, pool, factor)
        yield pool, _price(deployer, pool) / before


def _trade(deployer: Deployer, pool: Pool, factor: Fraction) -> None:
    """Whoever sells the first token makes it cheaper."""
    sold, bought = pool.tokens if factor < 1 else pool.tokens[::-1]
    router = pool.router.address
    _give(deployer.rpc, sold)
    deployer.call(sold.address, "approve(address,uint256)", router, 0)
    deployer.call(sold.address, "approve(address,uint256)", router, PLENTY)
    if pool.kind == "uniswap_v3":
        root = word(_asked(deployer, pool, "slot0()"), 0)
        # sqrt(p · f), in integers; the router takes only what the pool needs to get there.
        limit = isqrt(root * root * factor.numerator // factor.denominator)
        pair = sold.address, bought.address, int(pool.fee * _PPM), WHALE
        if pool.router.kind == "swap_router":
            deployer.call(router, _V3_SWAP, (*pair, FOREVER, PLENTY, 1, limit))
        else:
            deployer.call(router, _V3_SWAP_02, (*pair, PLENTY, 1, limit))
        return
    here, there = _reserves(deployer, pool)
    here, there = (here, there) if factor < 1 else (there, here)
    down = min(factor, 1 / factor)
    # x' = x / sqrt(f) keeps x·y; the fee stays in the pool and is left out of account.
    amount = isqrt(here * here * down.denominator // down.numerator) - here
    path = [sold.address, bought.address]
    if pool.router.kind == "v2_router":
        deployer.call(router, _V2_SWAP, amount, 1, path, WHALE, FOREVER)
    else:
        deployer.call(router, _V2_SWAP_02, amount, 1, path, WHALE)


def _give(rpc: Rpc, token: Token) -> None:
    """Writes a balance into the token's own storage; Anvil finds the slot."""
    try:
        rpc.call("anvil_dealERC20", [WHALE, token.address, hex(PLENTY)], nullable=True)
    except RpcError as error:
        expected = f"a token whose balances can be written ({token.symbol})"
        raise ConfigError("command", "--move", expected, str(error)) from None


def _price(deployer: Deployer, pool: Pool) -> Fraction:
    """{raw of the second / raw of the first}"""
    if pool.kind == "uniswap_v3":
        return Fraction(word(_asked(deployer, pool, "slot0()"), 0) ** 2, 1 << 192)
    here, there = _reserves(deployer, pool)
    return Fraction(there, here)


def _reserves(deployer: Deployer, pool: Pool) -> tuple[int, int]:
    found = _asked(deployer, pool, "getReserves()")
    return word(found, 0), word(found, 1)


def _asked(deployer: Deployer, pool: Pool, function: str) -> bytes:
    (answer,) = deployer.read([(pool.address, calldata(function))])
    if len(answer) < 32:
        raise DeployError(f"{pool.label}: {function} does not answer")
    return answer
