"""Who holds the funds of the daemon's market: for each kind of custody its account, and what the configuration says.

A kind is one function here; nothing else of the market or of the ride knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from keeper.core.template import REBALANCE, REBALANCE_ARGUMENTS, make_template
from keeper.core.units import Address
from tests.chain import safe_holders
from tests.chain.holders import Holder
from tests.chain.reference_vault import deploy_reference_vault

if TYPE_CHECKING:
    from tests.chain.daemon_market import Market


def _wallet(market: Market, vault: str) -> Holder:
    native = ", native: ignore" if vault == "old" else ""
    return Holder(market.senders[vault], f"{{kind: wallet, signer: {vault}{native}}}")


def _contract(market: Market, vault: str) -> Holder:
    feeds = {token: market.feeds[symbol] for symbol, token in market.tokens.items()}
    contract = deploy_reference_vault(market.node, market.senders[vault], feeds, market.routers, capacity=1_000_000)
    return Holder(contract, f'{{kind: contract, signer: {vault}, address: "{contract}"}}')


KINDS: Mapping[str, Callable[[Market, str], Holder]] = {
    "wallet": _wallet,
    "contract": _contract,
    "safe": safe_holders.in_safe,
    "safe_module": partial(safe_holders.as_module, version="1.3.0"),
    "roles": safe_holders.in_role,
}


def swaps_inside(market: Market, vault: str, to: Address, data: bytes) -> list[tuple[Address, bytes]]:
    """Router and calldata of each swap that a transaction of the vault makes, from its bytes."""
    if to in market.routers:
        return [(to, data)]
    holder = market.holders[vault]
    assert to == (holder.between or holder.account)
    if "{kind: contract" not in holder.text:
        return safe_holders.swaps_inside(market.routers, data)
    template = make_template(REBALANCE, REBALANCE_ARGUMENTS)
    assert not isinstance(template, str)
    found = template.decode(data)
    assert not isinstance(found, str), found
    return [(Address(str(swap["target"])), bytes(swap["data"])) for swap in found[0]]  # type: ignore[arg-type]
