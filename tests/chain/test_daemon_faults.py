"""The whole keeper through a moving market, with every twentieth request to its node spoiled somehow."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import pytest

from keeper.core.calls import Purpose
from keeper.core.sending import FINAL, State
from keeper.core.units import Token
from keeper.journal.past import Entry
from keeper.local.anvil import run_anvil
from tests.chain.counting_proxy import CountingProxy
from tests.chain.daemon_market import TARGETS, TRIGGER, open_market
from tests.chain.daemon_ride import Setting
from tests.chain.node import Node
from tests.faults.fault_proxy import KINDS, Fault, FaultProxy

SHARE = 0.05
SEED = 11
MOVES: tuple[dict[str, int], ...] = (
    {"WETH": 3_240},
    {"LINK": 24},
    {"WETH": 2_980},
    {"LINK": 20},
    {"WETH": 3_220},
    {"WETH": 2_960, "LINK": 22},
    {"WETH": 3_200},
)
"""{USD} Each takes some vault out of its band."""


def _error(call: Any, answer: Any) -> Any:
    return {"jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": "something went wrong"}}


EXACTLY = {
    "delay": Fault("delay", seconds=0.3),
    "hang": Fault("hang", seconds=0.5),
    "mutate": Fault("mutate", change=_error),
    "status": Fault("status", status="429 Too Many Requests", headers=("retry-after: 1",)),
}
"""Kinds that need to know more."""


@dataclass
class Beset(Setting):
    """The keeper talks to a proxy that spoils, and that one to one that counts what gets through."""

    url: str = ""

    @property
    def env(self) -> dict[str, str]:
        return {"DAEMON_RPC": self.url}


@dataclass
class Through:
    """What was left after it."""

    before: dict[str, dict[Token, int]]
    """{raw}"""
    after: dict[str, dict[Token, int]]
    nonces: dict[str, int]
    spoiled: int
    asked: int
    kinds: set[str]
    exit_code: int = -1
    drifts: list[Fraction] = field(default_factory=list)
    """{bps} Of every asset, after every move."""
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    allowances: dict[tuple[str, str, str], int] = field(default_factory=dict)
    own_faults: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Through]:
    token = f"CANARY{secrets.token_hex(12)}"
    folder = tmp_path_factory.mktemp("through")
    with ExitStack() as stack:
        anvil = stack.enter_context(run_anvil())
        market = open_market(Node(anvil.url))
        stack.enter_context(market.blocks())
        counting = CountingProxy(anvil.port, token)
        stack.callback(counting.stop)
        spoiling = stack.enter_context(FaultProxy(counting.port, seed=SEED, token=token))
        setting = Beset(market, counting, folder, market.write_config(folder), url=spoiling.url)
        before = {vault: market.balances(vault) for vault in TARGETS}
        process = setting.start()
        stack.callback(process.end)
        # Each is asked in its turn, so that shares of what is left make one part in twenty together.
        spoiling.add(*(replace(EXACTLY.get(kind, Fault(kind)), share=SHARE / len(KINDS)) for kind in KINDS))
        drifts = []
        for prices in MOVES:
            setting.wait_until_calm(process, market.move(**prices))
            drifts += [abs(drift) for vault in TARGETS for drift in market.drifts(vault).values()]
        # Every kind at least once, however the dice fell.
        for kind in set(KINDS) - set(spoiling.happened):
            spoiling.faults.insert(0, replace(EXACTLY.get(kind, Fault(kind)), times=1))
        process.wait_for(lambda: set(spoiling.happened) == set(KINDS), "every kind of fault", 40)
        setting.wait_until_calm(process, final=True)
        exit_code, _ = process.stop()
        with setting.journal() as journal:
            entries = {vault: journal.transactions(vault) for vault in TARGETS}
        assert setting.leaks() == []
        yield Through(
            before=before,
            after={vault: market.balances(vault) for vault in TARGETS},
            nonces=market.nonces(),
            spoiled=spoiling.happened.total(),
            asked=len(spoiling.methods),
            kinds=set(spoiling.happened),
            exit_code=exit_code,
            drifts=drifts,
            entries=entries,
            allowances=market.allowances(),
            own_faults=[line for line in process.lines if "keeper's own" in line or "Traceback" in line],
        )


@pytest.mark.fault("R2")
@pytest.mark.fault("R3")
@pytest.mark.fault("R4")
@pytest.mark.fault("R5")
@pytest.mark.fault("R7")
@pytest.mark.fault("R9")
@pytest.mark.fault("R10")
@pytest.mark.fault("R11")
def test_run__every_twentieth_request_spoiled__ends_in_its_bands_and_with_0(
    through: Through, record_property: Callable[[str, object], None]
) -> None:
    sent = sum(through.nonces.values())
    record_property(
        "figure",
        f"daemon through faults: {through.spoiled} of {through.asked} requests spoiled in {len(through.kinds)} ways,"
        f" {sent} transactions, every weight in its band after each of {len(MOVES)} moves",
    )
    assert through.spoiled >= 0.02 * through.asked
    assert max(through.drifts) <= TRIGGER
    assert through.exit_code == 0
    assert through.own_faults == []


def test_run__every_twentieth_request_spoiled__each_nonce_is_one_transaction_of_the_journal(through: Through) -> None:
    for vault, entries in through.entries.items():
        intents = [entry.intent for entry in entries]
        assert [intent.nonce for intent in intents] == list(range(through.nonces[vault]))
        assert {intent.state for intent in intents} <= FINAL - {State.EXTERNAL}
        assert len({intent.cycle for intent in intents}) == len(intents), "one transaction a decision"
        assert len({intent.mined.hash for intent in intents if intent.mined}) == len(intents)


def test_run__every_twentieth_request_spoiled__balances_equal_the_journal_and_no_allowance_is_left(
    through: Through,
) -> None:
    for vault, entries in through.entries.items():
        expected = dict(through.before[vault])
        native = next(token for token in expected if token.is_native)
        wrapped = next(token for token in expected if token.symbol == "WETH")
        for entry in entries:
            assert entry.intent.mined is not None
            expected[native] -= entry.intent.mined.gas_cost
            if entry.intent.call.purpose is Purpose.WRAP and entry.intent.state is State.FINAL_OK:
                expected[native] -= entry.intent.call.value
                expected[wrapped] += entry.intent.call.value
            if entry.outcome is not None and entry.outcome.fill is not None:
                for token, raw in entry.outcome.fill.changes.items():
                    expected[token] += raw
        assert through.after[vault] == expected
    assert through.allowances == {}
