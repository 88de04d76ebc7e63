"""What each key may sign on one chain, out of the configuration.

Where the key does not hold the funds itself, `make_openers` says what unwraps its calls (app/custodies.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from keeper.app.custodies import make_openers
from keeper.chain.sending.signing_policy import HeldSigner, Policy
from keeper.config import Config
from keeper.core.pools import Router
from keeper.core.ports import Clock, Signer
from keeper.core.units import Address
from keeper.guards.authority import UNFLOORED
from keeper.guards.swaps import decode_swaps


def hold_signers(
    config: Config, chain: str, routers: Iterable[Router], signers: Mapping[Address, Signer], clock: Clock
) -> Mapping[Address, Signer]:
    """The same keys, each held to what this chain's vaults can make necessary. `routers` are those of their pools."""
    known = tuple(routers)
    return {
        address: HeldSigner(signer, make_policy(config, chain, known, address, clock))
        for address, signer in signers.items()
    }


def make_policy(config: Config, name: str, routers: Iterable[Router], sender: Address, clock: Clock) -> Policy:
    chain, wrapped, routers = config.chains[name], config.chains[name].native.wrapped, tuple(routers)
    vaults = [
        vault for vault, body in config.vaults.items() if body.chain == name and config.sender_of(vault) == sender
    ]
    patience = max((config.vaults[vault].execution.deadline for vault in vaults), default=0)
    upkeeps = [u for n, u in config.upkeeps.items() if u.chain == name and config.sender_of(n) == sender]
    return Policy(
        chain_id=chain.chain_id,
        max_fee=chain.fees.max_fee,
        accounts=frozenset(config.account_of(vault) for vault in vaults),
        tokens=frozenset(token.address for token in chain.tokens.values()),
        routers={router.address: partial(decode_swaps, router) for router in routers},
        now=clock.now,
        # The head, from which deadlines count, may be as far ahead of this clock as a head may be at all.
        max_deadline=patience + chain.max_clock_skew,
        wrapped=chain.tokens[wrapped].address if wrapped else None,
        targets=frozenset(upkeep.allowed for upkeep in upkeeps),
        unfloored=frozenset(
            router.address
            for router in routers
            if router.kind in UNFLOORED
            and any(config.vaults[v].execution.preview_tolerance is not None for v in vaults)
        ),
        openers={key: opener for vault in vaults for key, opener in make_openers(config, vault, routers).items()},
    )
