"""Whether contracts that hold funds are there, and let their keys trade what the configuration wants traded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from keeper.chain.reading.pins import Pinner, Pins
from keeper.config import Config
from keeper.config.custody import ContractConfig
from keeper.core.abi import calldata, selector, word
from keeper.core.chain import Answers, Read
from keeper.core.pools import Router
from keeper.core.units import Address
from keeper.custody.contract import decode_bounds, reads
from keeper.guards.balancer_swaps import SWAP
from keeper.guards.curve_swaps import EXCHANGE
from keeper.guards.swaps import MULTICALL, SLIPSTREAM_SWAP, V2_SWAP, V3_SWAP

FUNCTIONS = {
    "v2_router": V2_SWAP,
    "swap_router": V3_SWAP,
    "swap_router02": MULTICALL,
    "pancake_router": MULTICALL,
    "slipstream_router": SLIPSTREAM_SWAP,
    "balancer_vault": SWAP,
    "curve": EXCHANGE,
}
"""Kind of router -> the one function that is called of it."""


class _Listed(NamedTuple):
    """One entry that a reference vault's owner must have made."""

    path: str
    expected: str
    asked: Read


def pin_contracts(pinner: Pinner, pins: Pins, config: Config, vaults: Sequence[str]) -> None:
    """Notes every look; of a contract that is no reference vault only that it is there. Raises Unreachable."""
    for vault in vaults:
        custody = config.vaults[vault].custody if vault in config.vaults else None
        if not isinstance(custody, ContractConfig):
            continue
        path = f"vaults.{vault}.custody"
        pinner.look_for_code(pins, {custody.address: f"{path}.address"})
        listed = list(_listed(config, vault, custody.address, pins))
        answers = pinner.fetch(pins, [*reads(custody.address), *(each.asked for each in listed)])
        bounds = decode_bounds(custody.address, answers)
        if bounds is None:
            continue
        key = config.signing_for(vault)
        pins.note(f"{path}.signer", f"{key}, the keeper of {custody.address}", str(bounds.keeper), key == bounds.keeper)
        for each in listed:
            is_there = _is_set(answers, each.asked)
            pins.note(each.path, each.expected, "yes" if is_there else "no", is_there)


def _listed(config: Config, vault: str, contract: Address, pins: Pins) -> Iterator[_Listed]:
    """Tokens by their feeds, routers of the vault's pools by the function that is called of them."""
    path = f"vaults.{vault}.custody.address"
    for symbol in config.vaults[vault].symbols:
        token = config.chain_of(vault).tokens[symbol].address
        yield _Listed(path, f"{symbol} on its list (listToken)", Read(contract, calldata("listings(address)", token)))
    for router in _routers(config, vault, pins).values():
        if (function := FUNCTIONS.get(router.kind)) is not None:
            asked = calldata("allowed(address,bytes4)", router.address, selector(function))
            name = function[: function.index("(")]
            yield _Listed(path, f"{name} of {router.address} on its list (allow)", Read(contract, asked))


def _routers(config: Config, vault: str, pins: Pins) -> Mapping[Address, Router]:
    known = (address for address in config.pools_of(vault) if address not in pins.left_out)
    pools = [pins.pools[address] for address in known if address in pins.pools]
    return {pool.router.address: pool.router for pool in pools}


def _is_set(answers: Answers, asked: Read) -> bool:
    answer = answers.get(asked)
    return answer is not None and len(answer) >= 32 and word(answer, 0) != 0
