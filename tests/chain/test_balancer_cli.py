"""A treasury whose only pools are Balancer's, as a person sees it: `check` warns, `plan` simulates what it quotes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from keeper.core.abi import calldata
from keeper.venues.balancer_fixed import MAX_UINT256, ONE
from keeper.venues.balancer_pin import DRAINED
from tests.chain.balancer import NOBODY, deploy_balancer, in_order, join, new_rate, new_stable, new_weighted
from tests.chain.balancer_cases import pool_at
from tests.chain.treasury import Treasury

PRICE = 3_000
"""{USDC / WETH}"""
HELD = 2_000
"""{WETH} In each pool, and its worth in USDC."""


@pytest.fixture(scope="module")
def config(treasury: Treasury) -> Path:
    """A weighted pool, and a composable one in which WETH has a rate."""
    balancer, node = deploy_balancer(treasury.node), treasury.node
    tokens = in_order([treasury.uniswap.weth, treasury.usdc])
    for token in tokens:
        balancer.tokens[token.address] = token
        node.send(token.address, calldata("approve(address,uint256)", balancer.vault, MAX_UINT256))
    rate = new_rate(balancer, PRICE * ONE)
    rates = [rate if token == treasury.uniswap.weth else NOBODY for token in tokens]
    pools = [
        new_weighted(balancer, "2023", tokens, [ONE // 2, ONE // 2], 5 * 10**14),
        new_stable(balancer, "composable 2023", tokens, 50, 10**14, rates, [0, 0]),
    ]
    for address in pools:
        pool = pool_at(balancer, address)
        whole = [HELD if token == treasury.uniswap.weth else HELD * PRICE for token in pool.tokens]
        join(balancer, pool, [each * 10**token.decimals for each, token in zip(whole, pool.tokens, strict=True)])
    return treasury.write("balancer", pool='", "'.join(pools))


def test_check__a_composable_pool__warns_and_finds_nothing_wrong(treasury: Treasury, config: Path) -> None:
    done = treasury.keeper("check", config)
    assert done.code == 0, done.text
    assert " 0 wrong" in done.out
    (line,) = [line for line in done.out.splitlines() if DRAINED in line]
    assert line.startswith("warning  vaults.treasury.pools[1]: balancer_stable 0.01 % ")
    assert len([line for line in done.out.splitlines() if line.startswith("warning") and "its Vault is" in line]) == 2
    # The Vault holds the tokens of its pools, so it is there that they are measured.
    assert all(f"tokens.{symbol}: what is sent arrives" in done.out for symbol in ("WETH", "USDC"))


def test_plan__through_the_vault__simulates_what_it_quotes(treasury: Treasury, config: Path) -> None:
    done = treasury.keeper("plan", config)
    assert done.code == 0, done.text
    quoted, received = (re.search(rf"{word} +([\d,.]+) USDC", done.out) for word in ("quote", "receives"))
    assert quoted is not None, done.out
    assert received is not None, done.out
    assert quoted[1] == received[1]
    assert "in balancer_stable 0.01 %" in done.out
    assert "Balancer's Vault" in done.out
    assert " 0 deny" in done.out
