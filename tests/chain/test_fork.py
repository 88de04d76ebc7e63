"""`keeper fork` against a mainnet of our own: real Uniswap and feeds on a chain of id 1, slow and limited."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from keeper.app.forking import FILE, Fork, open_fork
from keeper.app.loading import open_config
from keeper.app.planning import plans
from keeper.chain.reading.chainlink import LATEST_ROUND, parse_round
from keeper.core.abi import calldata
from keeper.core.calls import Purpose
from keeper.core.chain import Read
from keeper.core.errors import ConfigError, JournalError
from keeper.core.sending import Intent
from keeper.core.units import Address
from keeper.cycle import Turn
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from keeper.local.anvil import Anvil, run_anvil
from tests.chain.daemon_market import open_market
from tests.chain.node import Node
from tests.chain.treasury import HOLDER, Treasury, build_treasury, one_line, says
from tests.faults.fault_proxy import Fault, FaultProxy
from tests.forks import ROOT

TOKEN = "k3y-of-a-provider"


@pytest.fixture(scope="module")
def mainnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Treasury]:
    with run_anvil(chain_id=1) as node:
        yield build_treasury(Node(node.url), tmp_path_factory.mktemp("mainnet"))


def _intents(turns: list[Turn]) -> list[Intent]:
    return [turn.intent for turn in turns if turn.intent is not None]


def test_fork__when_nobody_else_trades__then_it_fills_what_plan_foretold_to_the_wei(mainnet: Treasury) -> None:
    path = mainnet.write("foretold", custody=f'{{kind: wallet, address: "{HOLDER}", native: ignore}}')
    loaded = open_config(path)
    ((planned, _),) = plans(loaded)
    head, nonce = mainnet.node.rpc("eth_blockNumber"), mainnet.node.rpc("eth_getTransactionCount", HOLDER, "latest")
    with open_fork(loaded, path.parent / "fork") as fork:
        turns = list(fork.live_through(120))
        url = f"sqlite:///{(path.parent / 'fork' / FILE).resolve()}"
        with JournalReader(url) as reader:
            swap = next(entry for entry in reader.transactions() if entry.intent.call.purpose is Purpose.SWAP)
    assert [intent.call.purpose for intent in _intents(turns)] == [Purpose.APPROVE, Purpose.SWAP]
    ((leg,), found) = planned["order"]["legs"], swap.outcome.deltas  # type: ignore[index, union-attr]
    moved = {token.address: amount for token, amount in found.items()}
    assert moved == {leg["sell"]["token"]: -int(leg["sell"]["raw"]), leg["quote"]["token"]: int(leg["quote"]["raw"])}
    # The origin has neither a block nor a transaction more.
    assert mainnet.node.rpc("eth_blockNumber") == head
    assert mainnet.node.rpc("eth_getTransactionCount", HOLDER, "latest") == nonce


def test_fork__when_the_origin_is_slow_and_limited__then_it_works_and_the_providers_key_is_nowhere(
    mainnet: Treasury,
) -> None:
    with FaultProxy(_port(mainnet), token=TOKEN) as proxy:
        proxy.add(Fault("delay", seconds=0.01))
        proxy.add(Fault("status", status="429 Too Many Requests", share=0.05))
        path = mainnet.write("slow", rpc=proxy.url)
        done = mainnet.keeper("fork", path, "--for", "1m", "--move", "WETH -8%")
    text = says(done, 0, "WETH in USDC -8.00 %, by a trade in the pool", "3 overridden", "SEND", "HOLD", "1 trade")
    assert TOKEN not in text


def test_fork__when_its_node_runs__then_no_process_has_the_providers_key_on_its_command_line(mainnet: Treasury) -> None:
    with FaultProxy(_port(mainnet), token=TOKEN) as proxy:
        path = mainnet.write("hidden", rpc=proxy.url)
        with open_fork(open_config(path), path.parent / "fork") as fork:
            command = Path(f"/proc/{fork.node.pid}/cmdline").read_text("utf-8")
    assert "--fork-url" in command and TOKEN not in command
    assert proxy.url.split("/v2/")[0] not in command


def test_move__when_the_market_moves__then_pools_and_feeds_say_so(mainnet: Treasury) -> None:
    """Up, in a pool where the token stands second, and with feeds and pools alike."""
    path, up = mainnet.write("moved"), Fraction(115, 100)
    with open_fork(open_config(path), path.parent / "fork", symbols=["WETH"]) as fork:
        ((pool, ratio),) = fork.move({"WETH": up})
        assert fork.hold_feeds({"WETH": up})
        feed = mainnet.feeds["ETH / USD"]
        assert _answer(fork, feed) == 3_000 * up * 10**8
        assert _answer(fork, mainnet.feeds["USDC / USD"]) == 10**8
        (decimals,) = Node(fork.node.url).calls([Read(feed, calldata("decimals()"))])
    wanted = up if pool.tokens[0].symbol == "WETH" else 1 / up
    assert abs(ratio / wanted - 1) < Fraction(1, 10**9)
    assert decimals is not None and int.from_bytes(decimals, "big") == 8


def test_move__when_it_is_a_v2_pair__then_it_moves_too_but_for_the_fee(mainnet: Treasury) -> None:
    path = mainnet.write("pair")
    text = path.read_text("utf-8").replace(str(mainnet.pool), str(mainnet.pair))
    factory, address = mainnet.uniswap.v2_factory, mainnet.uniswap.v2_router
    router = f'"{factory}": {{kind: uniswap_v2, router: {{kind: v2_router, address: "{address}"}}}}'
    path.write_text(text.replace("    factories:\n", f"    factories:\n      {router}\n"), "utf-8")
    with open_fork(open_config(path), path.parent / "fork", symbols=["USDC"]) as fork:
        ((pool, ratio),) = fork.move({"USDC": Fraction(99, 100)})
    wanted = Fraction(99, 100) if pool.tokens[0].symbol == "USDC" else Fraction(100, 99)
    assert abs(ratio / wanted - 1) < Fraction(1, 10_000)


def test_feeds__when_hours_pass_on_the_fork__then_they_do_not_become_stale(mainnet: Treasury) -> None:
    """Their heartbeat is an hour. Without stand-ins the vault would have no price from the second hour on."""
    path = mainnet.write("hours")
    path.write_text(path.read_text("utf-8").replace("every: 1m", "every: 90m"), "utf-8")
    with open_fork(open_config(path), path.parent / "fork") as fork:
        fork.hold_feeds({})
        held = [turn.record.kind for turn in fork.live_through(4 * 3_600)]
    assert held[:2] == ["intended", "intended"]
    assert len(held) >= 4 and set(held[2:]) == {"hold"}
    path = mainnet.write("aged")
    path.write_text(path.read_text("utf-8").replace("every: 1m", "every: 90m"), "utf-8")
    with open_fork(open_config(path), path.parent / "fork") as fork:
        (*_, last) = fork.live_through(4 * 3_600)
    assert " s old, allowed 3900 s" in last.record.reason


def test_journal__when_it_is_of_a_fork__then_it_is_no_other_ones_and_the_other_way_round(mainnet: Treasury) -> None:
    path = mainnet.write("apart")
    loaded, folder = open_config(path), path.parent / "keeper-fork"
    one_line(mainnet.keeper("plan", path, "nobody"), 2)
    with open_fork(loaded, folder), pytest.raises(JournalError):  # another fork while this one runs
        SqlJournal(f"sqlite:///{folder / FILE}", fork=True)
    real = mainnet.write("real", journal=folder / FILE)
    refused = mainnet.keeper("once", real)
    assert refused.code == 4 and "expected one of a real chain, found one of a fork" in refused.err
    shutil.rmtree(folder)
    folder.mkdir()
    SqlJournal(f"sqlite:///{folder / FILE}").close()
    with (
        pytest.raises(JournalError, match="expected one of a fork, found one of a real chain"),
        open_fork(loaded, folder),
    ):
        pass
    assert (folder / FILE).exists()


def test_fork__when_it_is_asked_for_nonsense__then_one_line_says_so(mainnet: Treasury) -> None:
    path = mainnet.write("nonsense")
    one_line(mainnet.keeper("fork", path, "--for", "2y"), 2, "--for: expected a duration", "found 2y")
    one_line(mainnet.keeper("fork", path, "--move", "WETH 8"), 2, "--move", "such as 'WETH -8%'", "found WETH 8")
    loaded, folder = open_config(path), path.parent / "fork"
    cases = [
        ({"block": 10**9}, "--block: expected a block up to"),
        ({"vault": "nobody"}, "--vault: expected one of treasury, found nobody"),
        ({"symbols": ["FOO"]}, r"--move: expected a token of local \(WETH, USDC, DAI\), found FOO"),
        ({"symbols": ["DAI"]}, "--move: expected a token of uniswap_v3 .* found DAI"),
    ]
    for asked, said in cases:
        with pytest.raises(ConfigError, match=said), open_fork(loaded, folder, **asked):  # type: ignore[arg-type]
            pass


def test_fork__when_the_url_is_of_another_chain__then_it_is_not_forked(mainnet: Treasury, anvil: Anvil) -> None:
    path = mainnet.write("another", rpc=anvil.url)
    said = f"chains.local.rpc: expected chain 1 at {anvil.url}, found chain 31337"
    with pytest.raises(ConfigError, match=said), open_fork(open_config(path), path.parent / "fork"):
        pass


def _port(mainnet: Treasury) -> int:
    return int(mainnet.node.url.rsplit(":", 1)[1])


def _answer(fork: Fork, feed: Address) -> int:
    (data,) = Node(fork.node.url).calls([Read(feed, LATEST_ROUND)])
    found = parse_round(data)
    assert found is not None
    return found.answer


def test_keep__when_the_fork_stays_up__then_a_second_terminal_reaches_it_until_it_is_ended(mainnet: Treasury) -> None:
    path = mainnet.write("kept")
    command = [sys.executable, "-m", "keeper", "fork", str(path), "--for", "0s", "--keep"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        try:
            said = next(line for line in running.stdout if "stays up" in line)
            url, pid = re.findall(r"http://\S+", said)[0], int(said.rsplit("kill ", 1)[1])
            assert Node(url).chain_id == 1
            # As the printed command does: the fork's own process, by its id.
            os.kill(pid, signal.SIGTERM)
            assert running.wait(20) == 0
        finally:
            running.kill()


def test_fork__when_a_role_of_a_safe_moves_the_funds__then_it_needs_no_key_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_anvil(chain_id=1) as origin:
        market = open_market(Node(origin.url), "roles")
        path = market.write_config(tmp_path / "roles", 1)
        for file in path.parent.glob("*.key"):
            file.unlink()
        monkeypatch.setenv("DAEMON_RPC", origin.url)
        fall = {"WETH": Fraction(92, 100)}
        with open_fork(open_config(path), path.parent / "fork", vault="new", symbols=fall) as fork:
            moved = list(fork.move(fall))
            fork.hold_feeds(fall)
            turns = list(fork.live_through(10))
        assert len(moved) == 1, "the pools of the vault that was asked for, and no other"
        assert [intent.call.text for intent in _intents(turns)] == ["Roles → MultiSend[approve, swap, approve 0]"]
        assert (turns[-1].record.kind, turns[-1].record.code, fork.voice.said) == ("hold", "in_band", [])
