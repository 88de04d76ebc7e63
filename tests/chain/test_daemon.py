"""The keeper as a process: stopped, started, paused, and with nodes that do not answer or are other ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from keeper.core.sending import State
from keeper.local.anvil import run_anvil
from tests.chain.counting_proxy import CountingProxy
from tests.chain.daemon_market import TARGETS, Market, open_market
from tests.chain.daemon_ride import SEND, TOKEN, Setting
from tests.chain.keeper_process import KeeperProcess, wait_until
from tests.chain.node import Node


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with run_anvil() as anvil:
        opened = open_market(Node(anvil.url))
        with opened.blocks():
            yield opened


@pytest.fixture(scope="module")
def proxy(market: Market) -> Iterator[CountingProxy]:
    found = CountingProxy(int(market.node.url.rpartition(":")[2]), TOKEN)
    yield found
    found.stop()


@pytest.fixture
def setting(market: Market, proxy: CountingProxy, tmp_path: Path) -> Iterator[Setting]:
    """Whatever a test does with it: at its end no keeper runs, and no secret has come out."""
    made = Setting(market, proxy, tmp_path, market.write_config(tmp_path))
    yield made
    for process in made.started:
        process.end()
    assert made.leaks() == []


# --- being stopped and started ---------------------------------------------------------------------------------------


@pytest.mark.fault("P13")
def test_run__sigterm_while_it_sends__finishes_the_step_and_the_next_one_goes_on(setting: Setting) -> None:
    market, proxy, first = setting.market, setting.proxy, setting.start()
    setting.wait_until_calm(first)
    before = market.nonces()
    with market.quiet(), proxy.holding(SEND) as gate:
        sent = proxy.sent(SEND)
        market.move_quietly(WETH=_away(market, 8))
        first.wait_for(lambda: proxy.sent(SEND) > sent, "a transaction on its way")
        first.terminate()
        gate.set()
        assert first.wait(5) == 0
        with setting.journal() as journal:
            live = journal.live()
        assert live, "what was sent is still live"
        assert {intent.state for intent in live} <= {State.MAYBE_SENT, State.SENT}
        assert all(intent.attempts for intent in live)
    second = setting.start()
    setting.wait_until_calm(second, final=True)
    assert second.stop()[0] == 0
    after = market.nonces()
    with setting.journal() as journal:
        for vault in TARGETS:
            mine = [entry.intent for entry in journal.transactions(vault)]
            assert [intent.nonce for intent in mine if intent.nonce >= before[vault]] == [
                *range(before[vault], after[vault])
            ]
            assert {intent.state for intent in mine} == {State.FINAL_OK}


def _away(market: Market, percent: int) -> Fraction:
    """A price of WETH that takes both vaults out of their bands."""
    return market.prices["WETH"] * (100 + percent) / 100


def test_pause__while_it_runs__stops_the_vault_until_resume(setting: Setting) -> None:
    market, proxy, process = setting.market, setting.proxy, setting.start()
    setting.wait_until_calm(process)
    paused = setting.run("pause", "*", "--reason", "looking into it", "--config", setting.config)
    assert (paused.code, paused.err) == (0, "")
    sent = proxy.sent(SEND)
    market.move(WETH=_away(market, -8))
    process.wait_for(lambda: _refused_by(process, "paused") == set(TARGETS), "a refusal of each vault")
    process.wait_for_ticks(2)
    assert proxy.sent(SEND) == sent
    resumed = setting.run("resume", "*", "--config", setting.config)
    assert (resumed.code, resumed.err) == (0, "")
    process.wait_for(lambda: proxy.sent(SEND) > sent, "a trade after resume")
    setting.wait_until_calm(process)
    assert "paused" in paused.out
    assert "resumed" in resumed.out
    assert process.stop()[0] == 0


def _refused_by(process: KeeperProcess, guard: str) -> set[str]:
    return {event["vault"] for event in process.events("denied") if guard in event["guards"]}


# --- nodes that do not answer, or are other ones ---------------------------------------------------------------------


@pytest.mark.fault("R31")
def test_run__all_nodes_down_for_a_while__warns_once_and_recovers_by_itself(setting: Setting) -> None:
    market, proxy, process = setting.market, setting.proxy, setting.start()
    setting.wait_until_calm(process)
    sent = proxy.sent(SEND)
    with proxy.down():
        block = market.move(WETH=_away(market, 8))
        process.wait_for(lambda: bool(process.events("no decision")), "a warning")
        head = int(market.node.rpc("eth_blockNumber"), 16)
        wait_until(lambda: int(market.node.rpc("eth_blockNumber"), 16) >= head + 3, 20, "three blocks")
        assert process.is_running
    process.wait_for(lambda: bool(process.events("ticks again")), "the all-clear")
    setting.wait_until_calm(process, block)
    assert [event["chain"] for event in process.events("no decision")] == ["anvil"]
    assert process.events("alert") == [], "it was over within a minute"
    assert proxy.sent(SEND) > sent
    assert process.stop()[0] == 0


@pytest.mark.fault("R31")
def test_run__all_nodes_down_at_start__exits_3_with_one_line(setting: Setting) -> None:
    with setting.proxy.down():
        done = setting.run("run", setting.config, "--live")
    assert done.code == 3
    assert len(done.complaints) == 1
    assert done.complaints[0].startswith("keeper: anvil: ")


@pytest.mark.fault("C5")
def test_run__on_another_chain_than_configured__exits_2_and_says_which(setting: Setting) -> None:
    setting.config = setting.market.write_config(setting.folder, chain_id=1_337)
    done = setting.run("run", setting.config, "--live")
    assert done.code == 2
    assert len(done.complaints) == 1
    assert re.search(r"expected 1337\b.* 31337\b", done.complaints[0])


def test_run__with_another_chain_id_on_the_command_line__exits_2_before_it_starts(setting: Setting) -> None:
    done = setting.run("run", setting.config, "--live", "--chain-id", "1")
    assert done.code == 2
    assert done.complaints == ["keeper: command: --chain-id: expected --chain-id 31337, found --chain-id 1"]
