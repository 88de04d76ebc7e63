"""Safes of real bytecode on a local node: singletons, proxies, MultiSendCallOnly, and what an owner does with them.

contracts = deploy_safes(node, "1.4.1")
safe = contracts.create([node.deployer])
contracts.execute(safe, node.deployer, token.address, calldata("transfer(address,uint256)", to, 5))
contracts.enable_module(safe, node.deployer, module)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from keeper.core.abi import address_word, calldata
from keeper.core.units import Address
from keeper.custody.multi_send import CALL, Operation
from keeper.custody.safe import NOBODY, SafeOwner
from tests.chain.node import Node

PACKAGES = {"1.4.1": "@safe-global/safe-contracts", "1.3.0": "safe-contracts-1.3"}
SINGLETONS = {"1.4.1": ("Safe", "SafeProxyFactory"), "1.3.0": ("GnosisSafe", "GnosisSafeProxyFactory")}
SETUP = "setup(address[],uint256,address,bytes,address,address,uint256,address)"


@cache
def bytecode(version: str, path: str) -> str:
    """Creation code of a contract of the Safe's npm packages."""
    contracts = Path(__file__).parents[2] / "node_modules" / PACKAGES[version] / "build/artifacts/contracts"
    file = contracts / f"{path}.sol" / f"{path.rpartition('/')[2]}.json"
    if not file.exists():
        raise FileNotFoundError(f"{file.name}: the contracts' bytecode comes from npm; install it with `npm ci`")
    found: str = json.loads(file.read_text("utf-8"))["bytecode"]
    return found


@dataclass(frozen=True, slots=True)
class Safes:
    """Of one version."""

    node: Node
    version: str
    singleton: Address
    factory: Address
    multi_send: Address
    """MultiSendCallOnly."""

    def create(self, owners: Sequence[Address], threshold: int = 1) -> Address:
        setup = calldata(SETUP, list(owners), threshold, NOBODY, b"", NOBODY, NOBODY, 0, NOBODY)
        # Each with a salt of its own.
        salt = int(self.node.rpc("eth_blockNumber"), 16) * 1_000 + len(owners)
        data = calldata("createProxyWithNonce(address,bytes,uint256)", self.singleton, setup, salt)
        found = address_word(self.node.call(self.factory, data), 0)
        self.node.send(self.factory, data)
        return found

    def execute(self, safe: Address, owner: Address, to: Address, data: bytes) -> None:
        """As an owner whose account the node has unlocked, of a Safe with threshold 1."""
        self.node.send(safe, SafeOwner(safe, owner).seal(Operation(to, 0, data, CALL)), sender=owner)

    def enable_module(self, safe: Address, owner: Address, module: Address) -> None:
        self.execute(safe, owner, safe, calldata("enableModule(address)", module))

    def add_owner(self, safe: Address, owner: Address, new: Address, threshold: int = 1) -> None:
        self.execute(safe, owner, safe, calldata("addOwnerWithThreshold(address,uint256)", new, threshold))


def deploy_safes(node: Node, version: str) -> Safes:
    singleton, factory = SINGLETONS[version]
    return Safes(
        node=node,
        version=version,
        singleton=node.deploy(bytecode(version, singleton)),
        factory=node.deploy(bytecode(version, f"proxies/{factory}")),
        multi_send=node.deploy(bytecode(version, "libraries/MultiSendCallOnly")),
    )
