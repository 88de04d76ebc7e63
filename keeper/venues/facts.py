"""What a pool says of itself when it is recognised, and the careful reading of such answers."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.core.abi import WORD, address_word, word
from keeper.core.pools import Details, Router
from keeper.core.units import Address


@dataclass(frozen=True, slots=True)
class Facts:
    """Implements PoolFacts. `fee_ppm` is in millionths of the amount in; None where the pool cannot tell its fee."""

    kind: str
    tokens: tuple[Address, ...]
    fee_ppm: int | None
    factory: Address
    spacing: int = 0
    details: Details = ()
    router: Router | None = None
    """Where the pool itself says where it is traded; else its factory's."""
    warning: str = ""
    """What an operator should know before trusting funds to this family."""


def parse_address(answer: bytes | None) -> Address | None:
    """The one address in an answer; None where there is none."""
    if answer is None or len(answer) != WORD or word(answer, 0) >> 160 or not word(answer, 0):
        return None
    return address_word(answer, 0)


def parse_pair(answer0: bytes | None, answer1: bytes | None) -> tuple[Address, Address] | None:
    """token0 and token1 in the order that both generations of Uniswap sort them; None where they are not."""
    token0, token1 = parse_address(answer0), parse_address(answer1)
    if token0 is None or token1 is None or int(token0, 16) >= int(token1, 16):
        return None
    return token0, token1
