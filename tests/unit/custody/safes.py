"""A Safe with a key, a module and a role, as the tests of several custodies see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from keeper.core.chain import Read, VaultView
from keeper.core.units import Address, Token, TokenAmount
from keeper.custody.atomic import Atomic
from keeper.custody.envelope import Envelope
from keeper.custody.roles import RoleMember, role_key
from keeper.custody.safe import SafeOwner
from keeper.custody.safe_module import SafeModule
from tests.builders import SWAP_ROUTER02, V2_ROUTER, WETH, address, make_view, usd

SAFE, KEY, MODULE, MODIFIER, BATCHER = (address(n) for n in (0x5AFE, 0x1CE7, 0x30D, 0x2013, 0xBA7C))
DAY = 86_400
OWNER = SafeOwner(SAFE, KEY)
BARE = SafeModule(SAFE, KEY)
THROUGH = SafeModule(SAFE, KEY, MODULE)
MEMBER = RoleMember(SAFE, KEY, MODIFIER, role_key("rebalancer"), BATCHER, ((WETH, role_key("WETH-out")),))
ENVELOPES: tuple[Envelope, ...] = (OWNER, BARE, THROUGH, MEMBER)


def words(*figures: int) -> bytes:
    return b"".join(figure.to_bytes(32, "big") for figure in figures)


def answers(envelope: Envelope, allowance: bytes = words(10**19, 2 * 10**19, DAY, 2 * 10**19, 0)) -> dict[Read, bytes]:
    """What a chain says where all is well: yes, and of an allowance that 20 WETH are left, 10 more each day."""
    found = dict.fromkeys(envelope.reads, words(1))
    return found | dict.fromkeys(envelope.reads[3:], allowance)


def atomic(envelope: Envelope, most: int = 1_000_000) -> Atomic:
    return Atomic(envelope, (V2_ROUTER, SWAP_ROUTER02), BATCHER, usd(most))


def safe_view(
    envelope: Envelope,
    extra: Mapping[Read, bytes | None] | None = None,
    allowances: Mapping[tuple[Token, Address], int] | None = None,
    balances: Mapping[Token, TokenAmount] | None = None,
) -> VaultView:
    view = make_view(sender=KEY, allowances=allowances, balances=balances)
    return replace(view, account=SAFE, extra=answers(envelope) if extra is None else dict(extra))
