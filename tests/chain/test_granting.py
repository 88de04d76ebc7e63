"""From a Safe with a bare modifier to a keeper that trades in a role, and back, by the files for the Safe's owners."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.app.granting import open_role
from keeper.app.loading import open_config
from keeper.cli import authority as command
from keeper.core.abi import calldata
from keeper.core.errors import ConfigError
from keeper.core.sending import State
from keeper.core.units import Address
from keeper.custody.batch_file import checksum
from keeper.local.anvil import run_anvil
from tests.chain.daemon_market import Market, fund, open_market
from tests.chain.holders import Holder
from tests.chain.node import Node, NodeError
from tests.chain.safe_holders import ROLE, in_role, in_safe, safes_of
from tests.chain.safe_scene import TOO_MUCH, VAULT, Scene, open_scene, write
from tests.chain.solidity import compile_solidity
from tests.chain.test_authority import Thief, _sell_to_himself, rob, worst


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with run_anvil() as anvil:
        yield open_market(Node(anvil.url))


def bare(market: Market, vault: str) -> Holder:
    """A Safe with funds, beside a modifier that it owns and that knows nobody."""
    node, safes = market.node, safes_of(market.node, "1.4.1")
    account = safes.create([node.deployer])
    modifier = node.deploy(compile_solidity("Roles.sol")["TestRoles"], ["address"], [account])
    node.send(modifier, calldata("transferOwnership(address)", account))
    named = "allowances: {WETH: weth-out, LINK: link-out, USDC: usdc-out}"
    also = f'{named}, multi_send: "{safes.multi_send}", version: {safes.version}, signer: {vault}'
    text = f'{{kind: roles, safe: "{account}", modifier: "{modifier}", role: {ROLE}, {also}}}'
    fund(market, account, TOO_MUCH)
    return Holder(account, text, modifier)


def sign(market: Market, safe: Address, file: str) -> None:
    """The owner makes each call of the file: the Transaction Builder would bundle them."""
    batch = json.loads(file)
    assert batch["meta"]["checksum"] == checksum(batch)
    assert batch["meta"]["createdFromSafeAddress"] == safe
    for call in batch["transactions"]:
        data = bytes.fromhex(call["data"][2:])
        safes_of(market.node, "1.4.1").execute(safe, market.node.deployer, Address(call["to"]), data)


def granted(market: Market, vault: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> Holder:
    holder = bare(market, vault)
    market.holders[vault] = holder
    folder.mkdir()
    path = write(market, folder)
    command.grant(path, None)
    sign(market, holder.account, capsys.readouterr().out)
    return holder


def test_grant__signed_by_the_owners__lets_the_keeper_trade_and_a_thief_not_take_it(
    market: Market, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(market: Market, vault: str) -> Holder:
        return granted(market, vault, tmp_path / "before", capsys)

    with open_scene(market, tmp_path, make) as scene:
        # The stand-in keeps no conditions on spenders, and so gives more than was granted: that is found by trying.
        wrong = [finding for finding in open_role(scene.loaded, VAULT).compare() if not finding.ok]
        expected = [f"vaults.{VAULT}.custody.role: approve {symbol} to the key" for symbol in ("WETH", "LINK", "USDC")]
        assert [(finding.path, finding.found) for finding in wrong] == [(path, "allowed") for path in expected]
        assert scene.turn().record.kind == "intended"
        assert scene.settled().intent.state is State.FINAL_OK
        thief = rob(scene)
        _cannot_steal(scene, thief)
        command.revoke(scene.loaded.path, VAULT)
        sign(market, scene.holder.account, capsys.readouterr().out)
        assert worst(scene).per_transaction.value.raw == 0, "no allowance is left"
        with pytest.raises(SystemExit) as ended:
            command.diff(scene.loaded.path, VAULT)
        said = capsys.readouterr().out
        assert ended.value.code == 2
        assert f"custody.role: expected {thief.key} a member of role {ROLE}, found none" in said


def _cannot_steal(scene: Scene, thief: Thief) -> None:
    for calls in (_sell_to_himself(scene.market, "WETH", 10**16), thief.everything()):
        with pytest.raises(NodeError):
            thief.through_safe(*calls)
    assert thief.loot == 0


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (in_safe, "custody.kind: expected roles: only a role is granted, found safe"),
        (in_role, "custody.allowances: expected an allowance for each of WETH, LINK, USDC, found none for LINK"),
    ],
)
def test_grant__that_cannot_be_written__says_why(market: Market, tmp_path: Path, make: object, expected: str) -> None:
    with open_scene(market, tmp_path, make) as scene, pytest.raises(ConfigError) as refused:  # type: ignore[arg-type]
        open_role(open_config(scene.loaded.path), VAULT)
    assert expected in str(refused.value)
