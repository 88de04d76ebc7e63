"""What a start says of a contract that holds the funds, and would not let its key trade them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.app.chains import Chain
from keeper.app.loading import open_config
from keeper.core.abi import calldata, selector
from keeper.core.errors import ConfigError
from keeper.guards.swaps import V3_SWAP
from keeper.local.anvil import run_anvil
from tests.builders import address
from tests.chain.daemon_custody import KINDS
from tests.chain.daemon_market import Market, open_market
from tests.chain.node import Node
from tests.chain.safe_scene import Scene, open_scene

NOBODY = address(0xDEAD)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with run_anvil() as anvil:
        yield open_market(Node(anvil.url))


@pytest.fixture
def scene(market: Market, tmp_path: Path) -> Iterator[Scene]:
    with open_scene(market, tmp_path, KINDS["contract"]) as scene:
        yield scene


def refusal(scene: Scene) -> str:
    with pytest.raises(ConfigError) as caught:
        Chain.open(scene.loaded, "anvil")
    return str(caught.value)


def test_start__vault_that_knows_its_key_tokens_and_routers__looks_at_each(scene: Scene) -> None:
    found = [each for each in scene.chain.pins.findings if each.path.startswith("vaults.old.custody")]
    assert all(each.ok for each in found)
    expected = [each.expected for each in found]
    assert [each.split(" on its list")[0] for each in expected if "listToken" in each] == ["WETH", "LINK", "USDC"]
    assert len([each for each in expected if "(allow)" in each]) == 2  # v3 for WETH, v2 for LINK
    assert f"{scene.market.senders['old']}, the keeper of {scene.holder.account}" in expected


def test_start__vault_of_another_keeper__refused(scene: Scene) -> None:
    scene.market.node.send(scene.holder.account, calldata("setKeeper(address)", NOBODY))
    assert refusal(scene).endswith(f"the keeper of {scene.holder.account}, found {NOBODY}")


def test_start__vault_that_misses_a_token_and_a_router__refused(scene: Scene) -> None:
    vault, market = scene.holder.account, scene.market
    market.node.send(vault, calldata("unlistToken(address)", market.tokens["LINK"].address))
    router = market.old.swap_router
    market.node.send(vault, calldata("allow(address,bytes4,bool)", router, selector(V3_SWAP), False))
    said = refusal(scene)
    assert "vaults.old.custody.address: expected LINK on its list (listToken), found no (and 1 more" in said


def test_start__no_contract_at_its_address__refused(scene: Scene) -> None:
    path = scene.loaded.path
    path.write_text(path.read_text("utf-8").replace(scene.holder.account, NOBODY), "utf-8")

    with pytest.raises(ConfigError, match=f"custody.address: expected a contract at {NOBODY}, found no code"):
        Chain.open(open_config(path), "anvil")
