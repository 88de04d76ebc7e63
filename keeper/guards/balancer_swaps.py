"""What calldata for Balancer's Vault really says, where it is a swap of an exact amount from an account to itself."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.core.abi import arguments, checksummed, selector
from keeper.core.units import Address

_FUNDS = "(address,bool,address,bool)"
SWAP = f"swap((bytes32,uint8,address,address,uint256,bytes),{_FUNDS},uint256,uint256)"
BATCH = f"batchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],{_FUNDS},int256[],uint256)"
_GIVEN_IN = 0
_NATIVE = Address("0x0000000000000000000000000000000000000000")

Terms = tuple[tuple[Address, ...], int, int, Address, int, tuple[str, ...]]
"""Tokens along the path, amount sold, least bought, whose funds, deadline, ids of the pools."""
Step = tuple[bytes, int, int, int, bytes]
"""Pool id, indices of what goes in and out, amount, what the pool is told."""


def balancer_terms(data: bytes) -> Terms:
    """The terms of a `swap` or a `batchSwap`. Raises ValueError, or eth_abi's DecodingError, where it is anything that
    the keeper never sends: amounts out that are exact, funds of others, internal balances, native coin."""
    if data[:4] == selector(BATCH):
        kind, steps, assets, funds, limits, deadline = arguments(BATCH, data)
        _expect("kind", _GIVEN_IN, kind)
        sell, min_out = _batch(steps, len(assets), limits)
        ids = [step[0] for step in steps]
    else:
        single, funds, min_out, deadline = arguments(SWAP, data)
        pool_id, kind, sold, bought, sell, said = single
        _expect("kind", _GIVEN_IN, kind)
        _expect("data for the pool", b"", said)
        assets, ids = (sold, bought), [pool_id]
    return _tokens(assets), sell, min_out, _account(funds), deadline, tuple("0x" + each.hex() for each in ids)


def _batch(steps: Sequence[Step], count: int, limits: Sequence[int]) -> tuple[int, int]:
    """Amount sold and least bought, of steps that hand on all that they get."""
    _expect("steps", count - 1, len(steps))
    _expect("limits", count, len(limits))
    if not steps:
        raise ValueError("steps: expected 1 or more, found 0")
    sell = steps[0][3]
    for i, (_, sold, bought, amount, said) in enumerate(steps):
        _expect(f"step {i}", (i, i + 1), (sold, bought))
        _expect(f"data for pool {i}", b"", said)
        _expect(f"amount of step {i}", 0 if i else sell, amount)
    _expect("limit of what is sold", sell, limits[0])
    # A middle limit above 0 would let the Vault take of a token that the account only passes through.
    _expect("limits between", [0] * (count - 2), list(limits[1:-1]))
    if limits[-1] > 0:
        raise ValueError(f"limit of what is bought: expected at most 0, was {limits[-1]}")
    return sell, -limits[-1]


def _tokens(assets: Sequence[str]) -> tuple[Address, ...]:
    found = tuple(checksummed(asset) for asset in assets)
    if _NATIVE in found:
        raise ValueError("token: expected no native coin, found address 0")
    if len(set(found)) != len(found):
        raise ValueError("tokens: expected each once, found one twice")
    return found


def _account(funds: tuple[str, bool, str, bool]) -> Address:
    sender, from_inside, recipient, to_inside = funds
    _expect("recipient", sender, recipient)
    if from_inside or to_inside:
        raise ValueError("funds: expected tokens, were the Vault's internal balances")
    return checksummed(recipient)


def _expect(what: str, wanted: object, found: object) -> None:
    if wanted != found:
        raise ValueError(f"{what}: expected {wanted!r}, was {found!r}")
