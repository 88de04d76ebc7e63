"""One Anvil with the real Uniswap on it for each test process. Tests that change time or need quiet start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keeper.local.anvil import Anvil, run_anvil
from tests.chain.node import Node
from tests.chain.uniswap import Deployment, deploy_uniswap


@pytest.fixture(scope="session")
def anvil() -> Iterator[Anvil]:
    # Random pools are walked word by word over the whole range of ticks, which takes more gas than a block has.
    with run_anvil(options=["--gas-limit", "1000000000"]) as running:
        yield running


@pytest.fixture(scope="session")
def node(anvil: Anvil) -> Node:
    return Node(anvil.url)


@pytest.fixture(scope="session")
def uniswap(node: Node) -> Deployment:
    return deploy_uniswap(node)
