"""Upkeeps kept on a real chain: each due round performed once and no other, whatever happens on the way to the node."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.core.abi import address_word, calldata
from keeper.core.calls import Purpose
from keeper.core.sending import FINAL, State
from keeper.journal.reader import JournalReader
from keeper.local.anvil import run_anvil
from tests.chain.keeper_process import KeeperProcess, keeper
from tests.chain.node import Node
from tests.chain.upkeep_scene import SENDER, Scene, open_scene
from tests.faults.fault_proxy import Fault, FaultProxy

ROUNDS = 100
KINDS = ("drop_request", "drop_response", "reset", "replay", "truncate", "status", "body")
"""Of faults: those that take no time by themselves."""
SHARE = 0.08
PATIENCE = 60
"""Ticks within which a round must be performed, however many of them fail."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with run_anvil() as running:
        yield open_scene(Node(running.url), tmp_path_factory.mktemp("upkeeps"))


@pytest.fixture
def fresh(scene: Scene, tmp_path: Path) -> Scene:
    """The same node, contracts of this test's own, and a journal of its own."""
    return open_scene(scene.node, tmp_path, scene.url)


def keep_rounds(scene: Scene, names: tuple[str, ...], rounds: int, dice: random.Random) -> None:
    """Opens rounds of some of the names at a time, and waits until each is over."""
    opened = dict.fromkeys(names, 0)
    for _ in range(rounds):
        due = [name for name in names if dice.random() < 0.6]
        scene.open_round(*due)
        for name in due:
            opened[name] += 1
        for _ in range(PATIENCE):
            scene.tick()
            if all(scene.figure(name, "done()") == opened[name] for name in names):
                break
        else:
            raise AssertionError(f"rounds {opened}: not performed within {PATIENCE} ticks")
        scene.tick(dice.randrange(2))


def settled(scene: Scene, names: tuple[str, ...]) -> int:
    """Ends everything that is on its way, and compares chain and journal; the number of calls."""
    scene.tick(8)
    calls = 0
    with JournalReader(f"sqlite:///{scene.folder / 'keeper.db'}") as journal:
        for name in names:
            intents = [entry.intent for entry in journal.transactions(name)]
            assert {intent.state for intent in intents} <= FINAL - {State.EXTERNAL}
            assert {intent.call.purpose for intent in intents} <= {Purpose.UPKEEP}
            made = [intent for intent in intents if intent.state is State.FINAL_OK]
            assert len(made) == scene.figure(name, "round()")
            calls += len(intents)
    return calls


NAMES = ("counter", "allocator")


def test_run__a_hundred_rounds__each_performed_once_and_none_while_not_due(
    fresh: Scene, record_property: Callable[[str, object], None]
) -> None:
    with fresh.keeping(fresh.write(*NAMES)):
        before = fresh.nonce()
        keep_rounds(fresh, NAMES, ROUNDS, random.Random(5))
        for name in NAMES:
            assert set(fresh.performed(name)) == {1}
            assert fresh.figure(name, "idle()") == 0
        calls = settled(fresh, NAMES)
        assert fresh.nonce() - before == calls == sum(fresh.figure(name, "round()") for name in NAMES)
    record_property("figure", f"upkeeps: {calls} due of {ROUNDS} rounds of 2, each performed once, none else")


def test_run__faults_on_the_way__each_round_performed_once_and_none_while_not_due(
    scene: Scene, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with FaultProxy(int(scene.url.rsplit(":", 1)[1]), seed=7) as proxy:
        beset = open_scene(scene.node, tmp_path, proxy.url)
        beset.node.send(beset.contracts["counter"], calldata("setForwarder(address)", SENDER))
        with beset.keeping(beset.write(*NAMES)):
            proxy.add(*(replace(Fault(kind), share=SHARE / len(KINDS)) for kind in KINDS))
            proxy.add(Fault("drop_response", methods=("eth_sendRawTransaction",), share=0.2))
            keep_rounds(beset, NAMES, ROUNDS, random.Random(6))
            for name in NAMES:
                assert set(beset.performed(name)) == {1}
                assert beset.figure(name, "idle()") == 0
            spoiled, asked = proxy.happened.total(), len(proxy.methods)
            proxy.faults.clear()
            calls = settled(beset, NAMES)
    assert spoiled > 0.02 * asked
    record_property("figure", f"upkeeps through faults: {calls} calls, {spoiled} of {asked} requests spoiled")


# --- contracts that answer badly, and callers that are not let in ----------------------------------------------------

BROKEN = (
    (0, "hold", "the simulation failed: call performUpkeep(bytes)"),
    (1, "reverts", "reverts: not while the moon is full"),
    (2, "lookup", "it needs StreamsLookup"),
    (3, "garbage", "expected a bool, found 0x"),
    (4, "garbage", "expected a bool, found nothing: is there a contract?"),
    (5, "garbage", "expected at most 100,000 bytes, found more"),
    (6, "reverts", "reverts: "),
    (7, "not_due", ": not due"),
    (8, "garbage", "expected a bool and bytes, found 64 bytes of something else"),
    (9, "reverts", "reverts: \\x1b[31mred"),
)


@pytest.fixture(scope="module")
def broken(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return open_scene(scene.node, tmp_path_factory.mktemp("broken"), scene.url)


@pytest.mark.parametrize(("mode", "code", "says"), BROKEN)
def test_keeper__a_check_that_reverts_or_returns_garbage__holds_with_one_clear_line(
    broken: Scene, mode: int, code: str, says: str
) -> None:
    broken.node.send(broken.contracts["broken"], calldata("set(uint256)", mode))
    path, before = broken.write("broken"), broken.nonce()
    with broken.keeping(path):
        (found,) = broken.tick()
        with JournalReader(f"sqlite:///{broken.folder / 'keeper.db'}") as journal:
            row = journal.latest_cycle("broken")
    assert row is not None
    assert found.split()[1:] == (["denied", "succeeds"] if mode == 0 else ["hold", code])
    assert says in row.reason
    assert row.reason.isprintable()
    assert len(row.reason) < 400
    assert broken.nonce() == before


@pytest.mark.parametrize("mode", [1, 2, 4])
def test_check__a_check_that_reverts_or_returns_garbage__is_wrong_in_one_line(broken: Scene, mode: int) -> None:
    broken.node.send(broken.contracts["broken"], calldata("set(uint256)", mode))
    done = keeper("check", broken.write("broken"), env={})
    wrong = [line for line in done.out.splitlines() if line.startswith("wrong")]
    assert (done.code, done.err, len(wrong)) == (2, "", 1)
    assert wrong[0].startswith("wrong    upkeeps.broken: expected an answer to its check, found checkUpkeep(bytes) of ")


def test_check__a_forwarder_that_is_another__caller_not_allowed(fresh: Scene) -> None:
    forwarder = fresh.node.accounts[3]
    fresh.node.send(fresh.contracts["counter"], calldata("setForwarder(address)", forwarder))
    path = fresh.write("counter")
    done = keeper("check", path, env={})
    assert done.code == 2
    says = f"caller not allowed: s_forwarderAddress() is {forwarder}: replace it with {SENDER}"
    assert [says in line for line in done.out.splitlines() if line.startswith("wrong")] == [True]
    fresh.open_round("counter")
    with fresh.keeping(path):
        assert fresh.tick() == ["counter denied succeeds"]
        fresh.node.send(fresh.contracts["counter"], calldata("setForwarder(address)", SENDER))
        assert keeper("check", path, env={}).code == 0
        fresh.tick(3)
        assert fresh.performed("counter") == [1]
        assert address_word(fresh.node.call(fresh.contracts["counter"], calldata("lastCaller()")), 0) == SENDER


def test_start__a_log_trigger__is_refused_by_name(fresh: Scene) -> None:
    fresh.contracts = {**fresh.contracts, "broken": fresh.contracts["log"]}
    done = keeper("once", fresh.write("broken"), env={})
    assert done.code == 2
    assert done.complaints == [
        f"keeper: {fresh.folder / 'keeper.yaml'}: upkeeps.broken.target: "
        "expected a condition to ask for (checkUpkeep), "
        "found a log trigger (checkLog), which only Chainlink's network follows"
    ]


def test_run__two_upkeeps_of_one_key_due_at_once__both_are_called_one_after_the_other(fresh: Scene) -> None:
    """By cron, too: what had to wait is called once the key is free, and neither is called twice for one time."""
    lines = [
        f'  {name}: {{chain: local, mode: live, signer: ops, kind: call, target: "{fresh.contracts["worker"]}", '
        'call: workNow(), within: 10m, schedule: {cron: "0 * * * *"}}'
        for name in ("one", "other")
    ]
    with fresh.keeping(fresh.write(text="upkeeps:\n" + "\n".join(lines))):
        between_two = fresh.now() // 3_600 * 3_600 + 2 * 3_600 + 1_800
        fresh.node.rpc("evm_setNextBlockTimestamp", hex(between_two))
        fresh.node.rpc("evm_mine")
        before, fresh.step = fresh.nonce(), 240
        while fresh.now() < between_two + 3 * 3_600:
            fresh.tick()
        assert fresh.nonce() - before == 2 * 3


def test_guards__profit__decides_what_a_call_must_bring(fresh: Scene) -> None:
    worker = fresh.contracts["worker"]
    fresh.node.send(worker, value=10**19)
    fresh.open_round("checker")

    def look(least: str) -> list[str]:
        text = (
            f'upkeeps: {{payer: {{chain: local, mode: live, signer: ops, kind: view, target: "{worker}", '
            f"check: isDue(), call: pay(), schedule: {{every: 30s}}, guards: {{min_profit: {{ETH: {least}}}}}}}}}"
        )
        with fresh.keeping(fresh.write(text=text)):
            return fresh.tick()

    assert look("1 ETH") == ["payer denied min_profit"], "one ether comes, less the gas"
    assert look("0.99 ETH") == ["payer intended upkeep"]


# --- as its users run it ---------------------------------------------------------------------------------------------


def test_daemon__from_check_to_explain__one_call_for_one_round(fresh: Scene) -> None:
    path = fresh.write("counter", "allocator")
    path.write_text(path.read_text("utf-8").replace("every: 30s", "every: 1s").replace("clock: chain", "clock: system"))
    assert "0 wrong" in keeper("check", path, env={}).out
    process = KeeperProcess(path, {})
    try:
        process.wait_for_ticks(1)
        fresh.open_round("counter")
        fresh.node.rpc("evm_mine")

        def performed() -> bool:
            fresh.node.rpc("evm_mine")
            return fresh.performed("counter") == [1]

        process.wait_for(performed, "the counter's round", 20)
        assert keeper("pause", "counter", "--reason", "audit", "-c", path, env={}).code == 0
        fresh.open_round("counter", "allocator")

        def allocated() -> bool:
            fresh.node.rpc("evm_mine")
            return fresh.performed("allocator") == [1]

        process.wait_for(allocated, "the allocator's round", 20)
        status = keeper("status", path, env={}).out
        assert "paused by" in status
        code, _ = process.stop()
        assert code == 0
    finally:
        process.end()
    assert fresh.performed("counter") == [1, 0]
    explained = keeper("explain", "--vault", "allocator", "-c", path, env={})
    assert (explained.code, "Traceback" in explained.out + explained.err) == (0, False)
    plan = keeper("plan", path, "counter", env={})
    assert "DENIED · DUE: checkUpkeep(bytes) of" in plan.out
    assert "It would not call now: paused refuses." in plan.out
    assert "upkeep" in keeper("txs", path, env={}).out
    assert "the same\n" in keeper("replay", "-c", path, env={}).out
    assert [line for line in process.lines if "Traceback" in line] == []
