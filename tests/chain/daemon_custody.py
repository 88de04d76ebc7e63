"""Who holds the funds of the daemon's market: for each kind of custody its account, and what the configuration says.

A kind is one function here; nothing else of the market or of the ride knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from keeper.core.template import REBALANCE, REBALANCE_ARGUMENTS, make_template
from keeper.core.units import Address
from tests.chain.reference_vault import deploy_reference_vault

if TYPE_CHECKING:
    from tests.chain.daemon_market import Market


class Holder(NamedTuple):
    account: Address
    text: str
    """The vault's `custody` in the configuration."""


def _wallet(market: Market, vault: str) -> Holder:
    native = ", native: ignore" if vault == "old" else ""
    return Holder(market.senders[vault], f"{{kind: wallet, signer: {vault}{native}}}")


def _contract(market: Market, vault: str) -> Holder:
    feeds = {token: market.feeds[symbol] for symbol, token in market.tokens.items()}
    contract = deploy_reference_vault(market.node, market.senders[vault], feeds, market.routers, capacity=1_000_000)
    return Holder(contract, f'{{kind: contract, signer: {vault}, address: "{contract}"}}')


KINDS: Mapping[str, Callable[[Market, str], Holder]] = {"wallet": _wallet, "contract": _contract}


def swaps_inside(market: Market, vault: str, to: Address, data: bytes) -> list[tuple[Address, bytes]]:
    """Router and calldata of each swap that a transaction of the vault makes, from its bytes."""
    if to in market.routers:
        return [(to, data)]
    assert to == market.holders[vault].account
    template = make_template(REBALANCE, REBALANCE_ARGUMENTS)
    assert not isinstance(template, str)
    found = template.decode(data)
    assert not isinstance(found, str), found
    return [(Address(str(swap["target"])), bytes(swap["data"])) for swap in found[0]]  # type: ignore[arg-type]
