"""`keeper pools`: what each pool of a vault could fill now, and since when it exists."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations

from keeper.app.chains import Chain
from keeper.chain.nodes.headers import parse_block
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.config import Loaded
from keeper.core.chain import History, Unusable, VaultView
from keeper.core.impact import sale_for_impact
from keeper.core.pools import PoolState
from keeper.core.units import WHOLE_BPS, Address, Token, TokenAmount
from keeper.report.pools import IMPACTS, Depth, PoolFound, VaultPools


def look_at_pools(loaded: Loaded, only: str | None = None) -> Iterator[VaultPools]:
    """Raises ConfigError where a chain disagrees with the configuration, Unreachable where one does not answer."""
    wanted = [name for name in loaded.config.vaults if only in (None, name)]
    for name in dict.fromkeys(loaded.config.vaults[vault].chain for vault in wanted):
        chain = Chain.open(loaded, name)
        mine = [vault for vault in wanted if vault in chain.vaults]
        snapshot = chain.observer(lambda _vault, _now: History()).observe(mine)
        block = snapshot.block
        for vault in mine:
            view = snapshot.vaults[vault].view
            found = (
                _unread(chain, vault, view) if isinstance(view, Unusable) else list(_read(chain, view, block.number))
            )
            yield VaultPools(vault, block.number, block.timestamp, tuple(found))


def _unread(chain: Chain, vault: str, view: Unusable) -> list[PoolFound]:
    return [PoolFound(pool, (), left_out=view.reason) for pool in chain.setting(vault).pools]


def _read(chain: Chain, view: VaultView, head: int) -> Iterator[PoolFound]:
    for state in view.pools:
        since, is_older = fetch_birth(chain.rpc, chain.config.chain_id, state.pool.address, head)
        # By the label that it was pinned with: a fee in it may have changed since.
        named = f"{chain.pins.pools[state.pool.address].label}: "
        told = (said.removeprefix(named) for said in chain.pins.warnings.values() if said.startswith(named))
        warning = next(told, "")
        yield PoolFound(state.pool, _depths(state, view), "", warning, since, is_older)
    for pool, why in view.left_out:
        yield PoolFound(pool, (), left_out=why)


def _depths(state: PoolState, view: VaultView) -> tuple[Depth, ...]:
    held = [token for token in state.pool.tokens if token in view.prices]
    return tuple(_depth(state, sell, buy, view) for sell, buy in permutations(held, 2))


def _depth(state: PoolState, sell: Token, buy: Token, view: VaultView) -> Depth:
    found = [sale_for_impact(state, sell, buy, Fraction(bps, WHOLE_BPS)) for bps in IMPACTS]
    sales = tuple(each if isinstance(each, TokenAmount) else each.reason for each in found)
    price = view.prices[sell]
    known = None if isinstance(price, Unusable) else price.mid
    values = tuple(known.value(each) if known and isinstance(each, TokenAmount) else None for each in sales)
    return Depth(sell, buy, sales, values)


# --- age -------------------------------------------------------------------------------------------------------------


def fetch_birth(rpc: Rpc, chain_id: int, address: Address, head: int) -> tuple[int | None, bool]:
    """Unix seconds of the first block at which the contract has code, and whether it may be older than that: a node
    that is no archive knows no old state. By bisection, about 25 requests."""
    low, high = 0, head  # nothing at `low`, or unknown; code at `high`
    is_known = True
    while high - low > 1:
        middle = (low + high) // 2
        has_code = _has_code(rpc, address, middle)
        if has_code is None:
            low, is_known = middle, False
        elif has_code:
            high = middle
        else:
            low, is_known = middle, True
    header = rpc.call("eth_getBlockByNumber", [hex(high), False])
    return parse_block(header, chain_id).timestamp, not is_known


def _has_code(rpc: Rpc, address: Address, number: int) -> bool | None:
    """None where the node does not say."""
    answer = rpc.batch([("eth_getCode", [address, hex(number)])])[0]
    return None if isinstance(answer, RpcError) else answer != "0x"
