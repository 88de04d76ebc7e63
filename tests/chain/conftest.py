"""One Anvil with the real Uniswap on it for each test process. Tests that change time or need quiet start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keeper.local.anvil import Anvil, run_anvil
from tests.chain.node import Node
from tests.chain.treasury import Treasury, build_treasury
from tests.chain.uniswap import Deployment, deploy_uniswap

LONG = (
    *("test_daemon_custody", "test_kill_matrix_late", "test_standby", "test_mutations", "test_daemon_ride"),
    *("test_model", "test_upkeeps", "test_kill_on_anvil", "test_daemon_faults", "test_kill_matrix", "test_testnet"),
    *("test_lying_rpc", "test_rotation", "test_rehearse", "test_slices_live", "test_soak", "test_daemon"),
    *("test_uniswap_v3", "test_crash_loop", "test_vault_attacks", "test_cli_transactions", "test_demo"),
    *("test_breakers", "test_peg"),
)
"""Files that begin first: by turns one that waits for a while, whatever is done meanwhile, and one that computes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))


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


@pytest.fixture(scope="session")
def treasury(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Treasury]:
    """On a node of its own, where nobody else trades."""
    with run_anvil() as running:
        built = build_treasury(Node(running.url), tmp_path_factory.mktemp("treasury"))
        yield built
        built.search_journals_for_keys()
