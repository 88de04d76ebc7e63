"""A key changed under a keeper as users run it, a transaction in flight: no gap, no double, and the old key idle."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from eth_account import Account

from keeper.core.drain import drain_scope
from keeper.core.sending import FINAL, LIVE, State
from keeper.core.units import Address
from keeper.local.anvil import run_anvil
from tests.chain.counting_proxy import CountingProxy
from tests.chain.daemon_market import HOLDINGS, Market, fund, open_market
from tests.chain.daemon_ride import SEND, Setting
from tests.chain.keeper_process import wait_until
from tests.chain.node import Node
from tests.forks import ROOT

KEY = secrets.token_bytes(32)
FRESH = Address(Account.from_key(KEY).address)


@dataclass
class Change:
    """Vault `old` of the market, whose key `old` is to give way to `fresh`."""

    setting: Setting

    @property
    def market(self) -> Market:
        return self.setting.market

    @property
    def sender(self) -> Address:
        return self.market.senders["old"]

    def nonce(self, sender: Address) -> int:
        return int(self.market.node.rpc("eth_getTransactionCount", sender, "latest"), 16)

    def edit(self, old: str, new: str) -> None:
        text = self.setting.config.read_text()
        assert text.count(old) == 1, old
        self.setting.config.write_text(text.replace(old, new))

    def rotate(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "keeper", "keys", "rotate", str(self.setting.config), "old", "fresh"]
        environment = {"PYTHONPATH": str(ROOT), **self.setting.env}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)

    def is_draining(self) -> bool:
        with self.setting.journal() as journal:
            return drain_scope(self.sender) in {halt.scope for halt in journal.halts()}

    def states(self, sender: Address) -> list[tuple[int, State]]:
        with self.setting.journal() as journal:
            return [(i.nonce, i.state) for i in journal.intents_of(self.market.node.chain_id, sender)]

    def code(self) -> str:
        """Of the vault's latest cycle."""
        with self.setting.journal() as journal:
            latest = journal.latest_cycle("old")
        return latest.code if latest else ""


@pytest.fixture
def change(tmp_path: Path) -> Iterator[Change]:
    with run_anvil() as anvil:
        market = open_market(Node(anvil.url))
        fund(market, FRESH, HOLDINGS["old"])
        with market.blocks():
            proxy = CountingProxy(int(anvil.url.rpartition(":")[2]), secrets.token_hex(12))
            setting = Setting(market, proxy, tmp_path, market.write_config(tmp_path))
            (tmp_path / "fresh.key").touch(mode=0o600)
            (tmp_path / "fresh.key").write_text(KEY.hex())
            made = Change(setting)
            made.edit("signers:\n", f'signers:\n  fresh: {{key_file: fresh.key, address: "{FRESH}"}}\n')
            yield made
            for process in setting.started:
                process.end()
            proxy.stop()
            assert setting.leaks() == []


@pytest.mark.fault("S9")
def test_rotate__with_a_transaction_in_flight__no_gap_no_double_and_the_old_key_idle(change: Change) -> None:
    setting, market = change.setting, change.market
    first = setting.start()
    setting.wait_until_calm(first)
    begun = change.nonce(change.sender)
    with market.quiet():
        market.move_quietly(WETH=market.prices["WETH"] * Fraction(108, 100))
        first.wait_for(lambda: any(s in LIVE for _, s in change.states(change.sender)), "a transaction in flight")
        rotating = change.rotate()
        first.wait_for(change.is_draining, "the old key to drain")
        assert rotating.poll() is None, "it waits for what is in flight"
        rotating.send_signal(signal.SIGINT)
        assert "goes on draining: ask again" in rotating.communicate(timeout=30)[0]
        assert first.stop()[0] == 0
        # Too early for the new key, whatever the configuration says.
        change.edit("signer: old,", "signer: fresh,")
        early = setting.run("run", setting.config, "--live")
        assert early.code == 2
        assert f"expected the signer of {change.sender}, until its transactions are final" in early.complaints[-1]
        change.edit("signer: fresh,", "signer: old,")
        assert change.is_draining(), "nobody has to remember it"
        second = setting.start()
        rotating = change.rotate()
        assert change.nonce(change.sender) == begun
    out, err = rotating.communicate(timeout=40)
    assert rotating.returncode == 0, err
    assert f"old {change.sender} is idle on anvil" in out and "signer: fresh in place of old" in out
    assert {state for _, state in change.states(change.sender)} <= FINAL
    # It stays idle, however far the vault drifts.
    idle = change.nonce(change.sender)
    assert idle > begun
    market.move(WETH=market.prices["WETH"] * Fraction(92, 100))
    second.wait_for(lambda: change.code() == "draining", "the vault to wait for its new key")
    second.wait_for_ticks(2)
    assert change.nonce(change.sender) == idle
    assert second.stop()[0] == 0
    change.edit("signer: old,", "signer: fresh,")
    third = setting.start()
    setting.wait_until_calm(third, market.move(WETH=market.prices["WETH"] * Fraction(92, 100)), final=True)
    assert third.stop()[0] == 0
    assert change.nonce(FRESH) > 0 and change.nonce(change.sender) == idle
    for sender in (change.sender, FRESH):
        assert change.states(sender) == [(nonce, State.FINAL_OK) for nonce in range(change.nonce(sender))]


@pytest.mark.fault("S9")
def test_rotate__no_keeper_runs__it_finishes_what_is_in_flight_by_itself(change: Change) -> None:
    setting, market = change.setting, change.market
    first = setting.start()
    setting.wait_until_calm(first)
    with market.quiet():
        market.move_quietly(WETH=market.prices["WETH"] * Fraction(108, 100))
        sent = setting.proxy.sent(SEND)
        first.wait_for(lambda: setting.proxy.sent(SEND) > sent, "a transaction in flight")
        assert first.stop()[0] == 0
    rotating = change.rotate()
    wait_until(lambda: rotating.poll() is not None, 40, "the rotation's end")
    out, err = rotating.communicate()
    assert rotating.returncode == 0, err
    assert "is idle on anvil" in out
    assert change.states(change.sender) == [(nonce, State.FINAL_OK) for nonce in range(change.nonce(change.sender))]
    listed = setting.run("keys", "list", setting.config)
    assert f"old  {change.sender}  drained" in listed.out and "not used" in listed.out
    assert f"next nonce {change.nonce(change.sender)}" in listed.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("old", "old"), "NEW: expected another signer than old"),
        (("old", "nobody"), "NEW: expected a signer (fresh, old, new), found nobody"),
        (("fresh", "old"), "OLD: expected a signer that a vault uses"),
    ],
)
def test_rotate__keys_that_cannot_change_places__refused(change: Change, words: tuple[str, str], said: str) -> None:
    done = change.setting.run("keys", "rotate", change.setting.config, *words)
    assert done.code == 2 and said in done.complaints[-1]
    assert not (change.setting.folder / "keeper.db").exists()
