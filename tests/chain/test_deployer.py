from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
from eth_account import Account as Key

from keeper.chain.nodes.rpc import Rpc
from keeper.core.abi import calldata
from keeper.core.units import Address, Wei
from keeper.local.deployer import Deployer, DeployError, KeyAccount, UnlockedAccount
from keeper.local.embedded import EmbeddedChain
from keeper.local.market import Market

KEY = Key.from_key("0x" + "42" * 32)
RICH = Address(KEY.address)
POOR = Address("0x00000000000000000000000000000000000000aA")


@pytest.fixture
def chain() -> Iterator[EmbeddedChain]:
    with EmbeddedChain(accounts={RICH: 10**18}) as running:
        yield running


def test_key__when_it_deploys_a_market__then_every_transaction_is_signed_here(chain: EmbeddedChain) -> None:
    deployer = Deployer(Rpc("local", [chain.url]), KeyAccount(bytes(KEY.key)))

    market = Market.deploy(deployer)
    market.fund(POOR, {"USDC": Fraction(5, 2)})

    token = market.tokens["USDC"].address
    assert deployer.read([(token, calldata("balanceOf(address)", POOR))]) == [(2_500_000).to_bytes(32, "big")]
    sent = chain.ask("eth_getTransactionByHash", chain.ask("eth_getBlockByNumber", "latest", False)["transactions"][0])
    assert sent["from"] == RICH
    assert int(sent["r"], 16) > 0


def test_pay__when_sent__then_the_coins_arrive(chain: EmbeddedChain) -> None:
    receipt = Deployer(Rpc("local", [chain.url]), UnlockedAccount(RICH)).pay(POOR, 12)

    assert receipt["status"] == "0x1"
    assert chain.ask("eth_getBalance", POOR, "latest") == "0xc"


@pytest.mark.parametrize("account", [UnlockedAccount(RICH), KeyAccount(bytes(KEY.key))])
def test_call__when_it_reverts__then_an_error_that_names_it(
    chain: EmbeddedChain, account: UnlockedAccount | KeyAccount
) -> None:
    deployer = Deployer(Rpc("local", [chain.url]), account)
    token = deployer.deploy("demo_token", ["address", "string", "string", "uint8"], POOR, "T", "T", 1)

    with pytest.raises(DeployError, match="mint\\(address,uint256\\): "):
        deployer.call(token, "mint(address,uint256)", RICH, 1)


def test_read__when_a_target_reverts__then_an_error(chain: EmbeddedChain) -> None:
    deployer = Deployer(Rpc("local", [chain.url]), UnlockedAccount(RICH))
    feed = deployer.deploy("demo_feed", ["address", "string", "uint8"], RICH, "T", 8)

    with pytest.raises(DeployError, match="No data present"):
        deployer.read([(feed, calldata("latestRoundData()"))])


def test_controls__when_the_chain_is_moved_from_python__then_a_client_sees_it(chain: EmbeddedChain) -> None:
    rpc = Rpc("local", [chain.url])
    start = chain.now

    assert chain.mine(timestamp=start + 3_600, blocks=2) == 2
    chain.set_base_fee(Wei(7))
    chain.set_next_time(start + 9_999)
    receipt = chain.send(RICH, POOR, value=3)

    header = rpc.call("eth_getBlockByNumber", ["latest", False])
    assert (header["number"], int(header["timestamp"], 16)) == ("0x3", chain.now) == ("0x3", start + 9_999)
    assert header["baseFeePerGas"] == "0x7"
    assert rpc.call("eth_getTransactionReceipt", [receipt["transactionHash"]]) == receipt


def test_port__when_taken__then_refused(chain: EmbeddedChain) -> None:
    with pytest.raises(OSError, match="in use"):
        EmbeddedChain(port=int(chain.url.rsplit(":", 1)[1]))
