"""Breakers of a live keeper on a real chain: what each finds there, what it stops, and how it lets go."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from keeper.core.calls import Purpose
from keeper.core.units import TokenAmount
from keeper.cycle import Turn
from keeper.journal.past import Entry
from keeper.journal.reader import JournalReader
from keeper.local.anvil import run_anvil
from tests.builders import usd
from tests.chain.breaker_scene import PRICE, Ambush, Watch, on_chain_time, statuses, watch, write
from tests.chain.keeper_process import KeeperProcess, keeper
from tests.chain.node import Node
from tests.chain.treasury import LIVE_HOLDER, Treasury, build_treasury

TOO_FAR, INSIDE = 40, 25
"""{bps} Of which the tolerance of 30 bps allows one and not the other."""
DAYS = 3 * 86_400


@pytest.fixture
def treasury(tmp_path: Path) -> Iterator[Treasury]:
    with run_anvil() as running:
        yield build_treasury(Node(running.url), tmp_path)


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Treasury]:
    """On a chain whose time was days ago, so that it can be moved on."""
    with run_anvil(timestamp=int(time.time()) - DAYS) as running:
        yield build_treasury(Node(running.url), tmp_path)


# --- reverts, and a keeper that is killed ----------------------------------------------------------------------------


@pytest.mark.fault("T15", "S22")
def test_reverts__three_mined_though_each_simulated_well__stop_it_across_a_kill_until_a_person_clears_it(
    treasury: Treasury,
) -> None:
    config = write(treasury, "{reverts: 3 per 1h}")
    ambush = Ambush(treasury, steps=False)
    first = KeeperProcess(config, {})
    try:
        _attack(first, ambush, TOO_FAR, lambda: bool(_alerts(first)))
        assert ambush.mined.count("swap") == 3
        assert _alerts(first) == [
            "treasury is stopped by its breaker: reverts: 3 transactions reverted within 1h, limit 3; "
            "until a person clears it"
        ]
        assert _sends_nothing(first, ambush)
        os.kill(first.pid, signal.SIGKILL)
    finally:
        first.end()
    with JournalReader(f"sqlite:///{config.parent / 'keeper.db'}") as journal:
        assert statuses(journal.transactions("treasury")) == [0, 0, 0]
    second = KeeperProcess(config, {})
    try:
        second.wait_for(lambda: bool(_alerts(second)), "the same alert from the next keeper")
        assert _sends_nothing(second, ambush)
        told = "reverts: 3 transactions reverted within 1h, limit 3; until a person clears it"
        status = keeper("status", config, env={}).out
        assert "halted" in status
        assert told in " ".join(status.split())
        explained = " ".join(keeper("explain", "--config", config, env={}).out.split())
        assert f"treasury is stopped by its breaker {told}." in explained
        assert 'keeper clear treasury --reason "…"' in explained
        listed = " ".join(keeper("clear", "--config", config, env={}).out.split())
        assert "halt scope state since 1 treasury halted" in listed
        assert told in listed
        cleared = keeper("clear", "treasury", "--reason", "the attacker is known", "--config", config, env={})
        assert cleared.out == "cleared 1 of treasury\n"
        _attack(second, ambush, 0, lambda: ambush.mined.count("swap") == 4)
        second.wait_for(lambda: bool(second.events("resolved")), "the all-clear")
        ambush.block()
        second.wait_for_ticks(2)
        assert len(_alerts(second)) == 1, "old evidence counts no more"
        assert second.stop()[0] == 0
    finally:
        second.end()
    with JournalReader(f"sqlite:///{config.parent / 'keeper.db'}") as journal:
        assert statuses(journal.transactions("treasury")) == [0, 0, 0, 1]
        assert keeper("clear", "--config", config, env={}).out == "Nothing is halted.\n"
        assert keeper("clear", "treasury", "--config", config, env={}).code == 2, "nobody clears without a reason"
        latest = journal.latest_cycle("treasury")
        assert latest is not None
        assert latest.code == "in_band"


def _attack(process: KeeperProcess, ambush: Ambush, bps: int, over: Callable[[], bool]) -> None:
    """Blocks for whatever the keeper sends, until it is over."""

    def holds() -> bool:
        if ambush.pending():
            ambush.mine(bps)
        return over()

    process.wait_for(holds, "the end of the attack", 40)


def _alerts(process: KeeperProcess) -> list[str]:
    return [event["text"] for event in process.events("alert") if event["key"] == "breaker:treasury"]


def _sends_nothing(process: KeeperProcess, ambush: Ambush) -> bool:
    """Within three ticks."""
    process.wait_for_ticks(3)
    return not ambush.pending()


# --- half open -------------------------------------------------------------------------------------------------------


@pytest.mark.fault("S22")
def test_half_open__its_trial_reverts_then_succeeds__rests_again_then_trades_whole_again(past: Treasury) -> None:
    config = on_chain_time(write(past, "{reverts: {at: 2 per 1h, after: 10m, trial: 500 USD}}"))
    with watch(past, config) as seen:
        for _ in range(2):
            seen.swap(TOO_FAR)
        assert seen.look().record.code == "halted"
        assert _rests(seen, 600)
        assert _traded(seen.swap(TOO_FAR)) <= usd(500)
        assert seen.look().record.code == "halted", "its trial failed"
        assert _rests(seen, 600)
        assert _traded(seen.swap()) <= usd(500)
        # The look that finds the trial's success was still planned within it.
        assert _traded(seen.swap()) <= usd(500)
        assert seen.journal.latches("treasury") == ()
        assert _traded(seen.swap()) > usd(20_000)
        assert seen.look().record.code == "in_band"
        assert statuses(_entries(config)) == [0, 0, 0, 1, 1, 1]
        told = [text.partition(";")[0] for text in seen.alerts("breaker:treasury")]
    rested = "the breaker of treasury has rested: one trade of at most $500.00 decides"
    stopped = "treasury is stopped by its breaker: reverts: "
    assert told == [
        f"{stopped}2 transactions reverted within 1h, limit 2",
        rested,
        f"{stopped}its trial failed",
        rested,
    ]


def _traded(turn: Turn) -> TokenAmount:
    (route,) = turn.decision.routes
    return route.trade.notional


def _rests(seen: Watch, seconds: int) -> bool:
    """Nothing is sent before the rest is over, and nothing by the look that ends it."""
    sent = len(seen.ambush.mined)
    looks = [seen.look()]
    seen.ambush.wait(seconds - 60)
    looks.append(seen.look())
    assert "trial: at most" not in keeper("status", seen.deployment.loaded.path, env={}).out
    seen.ambush.wait(60)
    looks.append(seen.look())
    assert "trial: at most $500.00 (breaker reverts" in keeper("status", seen.deployment.loaded.path, env={}).out
    return len(seen.ambush.mined) == sent and {turn.record.code for turn in looks} == {"halted"}


# --- loss ------------------------------------------------------------------------------------------------------------


@pytest.mark.fault("M16", "M20")
def test_loss__every_fill_is_ambushed_inside_its_tolerance__stops_before_the_limit_is_passed_twice(
    past: Treasury,
) -> None:
    config = on_chain_time(write(past, "{loss: 0.05% per 24h}"))
    with watch(past, config) as seen:
        trades = 0
        while seen.journal.latches("treasury") == ():
            seen.swap(INSIDE)
            trades += 1
            # What somebody puts in makes up for no loss, and brings the vault out of its band again.
            seen.ambush.give(TokenAmount.from_whole(past.uniswap.weth, 20), LIVE_HOLDER)
            seen.look()
            assert trades < 6, "it never tripped"
        assert trades > 1
        assert set(statuses(_entries(config))) == {1}
        (latch,) = seen.journal.latches("treasury")
        assert (latch.breaker, latch.rearm.after) == ("loss", None)
        lost = [trade.lost for trade in seen.journal.history("treasury", seen.now).trades]
        assert len(lost) == trades
        assert all(usd(40) < each < usd(80) for each in lost), "of each about 25 bps, of the tolerance's 30"
        (told,) = seen.alerts("breaker:treasury")
        assert "worse than their quotes within 1d" in told
        assert "limit 5 bps; until a person clears it" in told
        sent = len(seen.ambush.mined)
        seen.ambush.wait(86_400)
        assert [seen.look().record.code for _ in range(2)] == ["halted", "halted"], "time alone clears nothing"
        assert len(seen.ambush.mined) == sent
        seen.journal.clear("treasury", "ana", "trades go through a relay now")
        seen.swap()


# --- prices ----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("M10")
@pytest.mark.parametrize(
    ("breakers", "feeds", "told"),
    [
        (
            "{depeg: {at: 200bps, pegs: {USDC: 1 USD}}}",
            {"USDC / USD": Fraction(97, 100)},
            "depeg: USDC is at $0.9700, 300 bps from its peg of $1, limit 200 bps; until a person clears it",
        ),
        (
            "{price_jump: 5% per 1h}",
            {"ETH / USD": PRICE * 106 / 100, "second": PRICE * 106 / 100},
            "price_jump: WETH: $3,000.00 to $3,180.00 in",
        ),
        (
            "{drawdown: 3% per 1d}",
            {"ETH / USD": PRICE * 94 / 100, "second": PRICE * 94 / 100},
            "drawdown: $142,800.00, 480 bps below $150,000.00 within 1d, limit 300 bps; until a person clears it",
        ),
    ],
    ids=["depeg", "price_jump", "drawdown"],
)
def test_prices__a_feed_moves_beyond_the_limit__nothing_is_sent_from_that_look_on(
    past: Treasury, breakers: str, feeds: dict[str, Fraction], told: str
) -> None:
    config = on_chain_time(write(past, breakers, journal="{path: keeper.db, sample: 1m}"))
    with watch(past, config) as seen:
        assert seen.look().record.code == "approve", "it wants to trade"
        seen.ambush.wait(600)
        for feed, price in feeds.items():
            seen.ambush.say(feed, price)
        turn = seen.look()
        assert (turn.record.kind, turn.record.code) == ("wait", "halted")
        assert turn.record.reason.startswith(f"breaker: {told}")
        assert seen.look().record.code == "halted"
        assert seen.ambush.mined == ["other"]
        assert seen.alerts("breaker:treasury")[0].startswith(f"treasury is stopped by its breaker: {told}")
    assert [entry.intent.call.purpose for entry in _entries(config)] == [Purpose.APPROVE]


def _entries(config: Path) -> list[Entry]:
    with JournalReader(f"sqlite:///{config.parent / 'keeper.db'}") as journal:
        return journal.transactions("treasury")
