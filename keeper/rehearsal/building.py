"""From the operator's configuration to the block where every day begins."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

from keeper.app.deployment import Deployment
from keeper.app.journals import journal_url
from keeper.app.loading import open_config
from keeper.chain.nodes.rpc import Rpc
from keeper.config import Loaded
from keeper.config.peg import PegConfig
from keeper.core.units import WHOLE_BPS, Address, Wei
from keeper.journal.sql import SqlJournal
from keeper.local.deployer import Deployer, UnlockedAccount
from keeper.local.embedded import EmbeddedChain
from keeper.rehearsal.config_text import local_config, nodes_of, write_private
from keeper.rehearsal.node import Mempool, Node
from keeper.rehearsal.shape import first_price, shape
from keeper.rehearsal.stage import Base
from keeper.rehearsal.world import WEI, World

DEPLOYER = Address("0x00000000000000000000000000000000000De907")
GAS_OF_A_TRADE = 200_000
GAS_SHARE = 5
"""{bps} Of a small trade, that gas costs on an ordinary day."""
GAS_MONEY = 200
"""Beyond its reserve the account has this part of the vault's value in coins."""
CALM = 20
"""The base fee of an ordinary day is at most this part of what the configuration pays."""
LOOKS_MORE = 8
"""That a peg gets beyond what its means need."""


@contextmanager
def built(
    loaded: Loaded, vault: str, folder: Path, *, depth: Fraction | None = None, value: Fraction | None = None
) -> Iterator[Base]:
    """A chain with the vault on it, and a keeper's files in `folder`. Raises ConfigError where the vault does not fit
    the local chain, KeyError where there is none."""
    from eth_account import Account

    formed, chain_config = shape(loaded.config, vault, depth, value), loaded.config.chain_of(vault)
    key = secrets.token_bytes(32)
    account = Address(Account.from_key(key).address)
    reserve = loaded.config.gas_reserve_of(vault).whole
    base_fee = _base_fee(loaded, vault, formed.value)
    with ExitStack() as stack:
        chain = stack.enter_context(EmbeddedChain(accounts={DEPLOYER: 10_000 * WEI}, base_fee=base_fee))
        rpc = Rpc("rehearsal", [chain.url])
        stack.callback(rpc.close)
        coin = first_price(formed.wrapped, None)
        gas_money = int((reserve + min(Fraction(1, 2), formed.value / GAS_MONEY / coin)) * WEI)
        world = World.build(formed, chain, Deployer(rpc, UnlockedAccount(DEPLOYER)), account, gas_money)
        world.base_fee = base_fee
        pool = Mempool(chain, [bytes.fromhex(each.router[2:]) for each in world.pools])
        nodes = [Node(chain, pool) for _ in range(nodes_of(chain_config))]
        for node in nodes:
            stack.callback(node.stop)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "keeper.yaml").write_text(local_config(loaded, world, [n.url for n in nodes], account), "utf-8")
        write_private(folder / "key.hex", key.hex())
        _warm_up(folder, loaded, vault, chain)
        yield Base(world, nodes, pool, account, key, folder, chain.number)


def _base_fee(loaded: Loaded, vault: str, value: Fraction) -> Wei:
    """{wei / gas} So that gas is no matter on an ordinary day."""
    body, chain = loaded.config.vaults[vault], loaded.config.chain_of(vault)
    cap = loaded.config.max_base_fee_of(vault)
    coin = first_price(chain.native.wrapped or "", None)
    trade = min(value / 50, body.guards.max_trade.whole)
    fits = trade * GAS_SHARE / WHOLE_BPS / GAS_OF_A_TRADE / coin * WEI
    return Wei(max(1, min(cap // CALM, int(fits))))


def _warm_up(folder: Path, loaded: Loaded, vault: str, chain: EmbeddedChain) -> None:
    """A peg believes its means only after some looks: a dry keeper makes them. Everybody else needs none."""
    local, strategy = open_config(folder / "keeper.yaml"), loaded.config.vaults[vault].strategy
    looks = strategy.price.samples + LOOKS_MORE if isinstance(strategy, PegConfig) else 0
    with SqlJournal(journal_url(local), now=lambda: chain.now) as journal:
        if not looks:
            return
        deployment = Deployment.open(local, journal, live=False)
        (loop,) = deployment.loops
        for _ in range(looks):
            loop.tick()
            chain.mine()
        deployment.close()
