"""A whole chain of a configuration over three providers: what a tick costs, and whom a start refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from keeper.app.chains import Chain
from keeper.config import load
from keeper.core.chain import History, VaultView
from keeper.core.errors import ConfigError
from tests.chain.treasury import Treasury, says
from tests.faults.fault_proxy import Fault, FaultProxy

VAULT = "treasury"


@pytest.fixture
def proxies(treasury: Treasury) -> Iterator[list[FaultProxy]]:
    port = int(treasury.node.url.rpartition(":")[2])
    with ExitStack() as stack:
        yield [stack.enter_context(FaultProxy(port)) for _ in range(3)]


def write(treasury: Treasury, folder: Path, proxies: list[FaultProxy], more: str = "") -> Path:
    path = treasury.write(folder.name)
    urls = ", ".join(f'"{proxy.url}"' for proxy in proxies)
    text = path.read_text("utf-8").replace(f'rpc: "{treasury.node.url}"', f"rpc: [{urls}]{more}")
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("count", "more", "asked"), [(1, "", [1]), (2, "", [1, 1]), (3, "", [1, 1, 0]), (3, "\n    quorum: 3", [1, 1, 1])]
)
def test_observe__a_steady_tick__is_one_request_to_each_provider_of_the_quorum(
    treasury: Treasury, tmp_path: Path, proxies: list[FaultProxy], count: int, more: str, asked: list[int]
) -> None:
    chain = Chain.open(load(write(treasury, tmp_path, proxies[:count], more), {}), "local")
    observer = chain.observer(lambda vault, now: History())
    observer.observe([VAULT])
    before = [len(proxy.methods) for proxy in proxies[:count]]
    for _ in range(3):
        assert isinstance(observer.observe([VAULT]).vaults[VAULT].view, VaultView)
    after = [len(proxy.methods) for proxy in proxies[:count]]
    assert [late - early for early, late in zip(before, after, strict=True)] == [3 * each for each in asked]
    chain.rpc.close()


@pytest.mark.fault("R14")
@pytest.mark.parametrize("wrong", [0, 2])
def test_start__one_provider_is_of_another_chain__refuses_and_names_it(
    treasury: Treasury, tmp_path: Path, proxies: list[FaultProxy], wrong: int
) -> None:
    proxies[wrong].add(Fault("mutate", methods=("eth_chainId",), change=lambda call, said: said | {"result": "0x2105"}))
    loaded = load(write(treasury, tmp_path, proxies), {})
    with pytest.raises(
        ConfigError, match=rf"chains\.local\.rpc: expected chain 31337 at {proxies[wrong].url}, found 0x2105"
    ):
        Chain.open(loaded, "local")


@pytest.mark.fault("R34")
def test_plan__one_provider_lies_about_every_call__is_the_plan_of_the_others(
    treasury: Treasury, tmp_path: Path, proxies: list[FaultProxy]
) -> None:
    proxies[0].add(
        Fault("mutate", methods=("eth_call", "eth_simulateV1"), change=lambda call, said: said | {"result": "0x"})
    )
    done = treasury.keeper("plan", write(treasury, tmp_path, proxies))
    assert proxies[0].asked("eth_call"), "the liar was never asked"
    says(done, 0, "REBALANCE to 62.00 %: sell 9.", "guards   18 allow, 0 deny")


@pytest.mark.fault("R34")
def test_check__says_what_it_could_cost_if_all_nodes_lied(treasury: Treasury, tmp_path: Path) -> None:
    path = treasury.write(tmp_path.name)
    says(treasury.keeper("check", path), 0, "if all nodes lied", "no bound: prices of WETH, USDC have no min and max")
    text = path.read_text("utf-8")
    text = text.replace("apart: 2000bps", "apart: 2000bps\n        min: 2500 USD\n        max: 3500 USD")
    text = text.replace("pair: USDC / USD}}", "pair: USDC / USD}, min: 0.98 USD, max: 1.02 USD}")
    path.write_text(text.replace("guards: {", "guards: {max_trade: 20000 USD, max_trades: 24 per 24h, "), "utf-8")
    says(treasury.keeper("check", path), 0, "at most $4,598 a trade, $110,352 a day (24 trades)")
