"""OpenZeppelin's ERC-4626 vaults and variants of them on a local node, compiled when they are needed."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.core.abi import calldata, word
from keeper.core.pools import Pool, Router
from keeper.core.units import Token
from keeper.venues.erc4626 import Erc4626Pin
from tests.chain.node import Node
from tests.chain.pools import pin_pool
from tests.chain.solidity import compile_solidity
from tests.chain.uniswap import PLENTY

Held = tuple[int, int, int]
"""{asset raw} What the deployer puts in; what somebody gives it; what it loses."""
EMPTY: Held = (0, 0, 0)


@dataclass(frozen=True)
class Vaults:
    node: Node
    codes: dict[str, str]

    def new(self, asset: Token, name: str = "OffsetVault", offset: int | None = 0, held: Held = EMPTY) -> Pool:
        """A vault, pinned. A vault without a choice of offset has None."""
        arguments = (asset.address,) if offset is None else (asset.address, offset)
        address = self.node.deploy(self.codes[name], ["address", "uint8"][: len(arguments)], arguments)
        self.node.send(asset.address, calldata("approve(address,uint256)", address, PLENTY))
        put_in, given, lost = held
        if put_in:
            self.node.send(address, calldata("deposit(uint256,address)", put_in, self.node.deployer))
        if given:
            self.node.send(asset.address, calldata("transfer(address,uint256)", address, given))
        if lost:
            self.node.send(address, calldata("lose(uint256)", lost))
        decimals = word(self.node.call(address, calldata("decimals()")), 0)
        share = Token(self.node.chain_id, address, f"v{asset.symbol}", decimals)
        return pin_pool(self.node, Erc4626Pin(), address, [asset, share], Router("", address))


def make_vaults(node: Node) -> Vaults:
    return Vaults(node, compile_solidity("Vaults.sol", "cancun"))
