from __future__ import annotations

from pathlib import Path

import pytest

from keeper.app.policies import make_policy
from keeper.app.setting import Setting
from keeper.app.upkeeps import PERFORM, gas_budget, introduce, make_guards, make_plan, make_upkeep, upkeep_reads
from keeper.chain.reading.pins import Pins
from keeper.chain.sending.signing_policy import Policy
from keeper.config import Loaded
from keeper.core.abi import calldata, selector
from keeper.core.calls import Calls
from keeper.core.chain import Read
from keeper.core.plan import NoRoute, Simulation, Trade
from keeper.core.units import Token
from keeper.custody.wallet import Wallet
from tests.builders import CHAIN, NOW, USDC, WETH, address, make_block, units, usd
from tests.unit.app.app_configs import HOLDER, config
from tests.unit.chain.lives import GWEI

TARGET, WORKER, OPERATOR = address(0xC0FFEE), address(0x4044), address(0x0945)
UPKEEPS = f"""\
upkeeps:
  counter: {{chain: local, signer: bot, kind: chainlink, target: "{TARGET}", check_data: "0x07",
            guards: {{max_gas: 2 USD, max_gas_per_day: 20 USD, min_profit: {{USDC: 5 USDC, ETH: 0.01 ETH}}}}}}
  task: {{chain: local, signer: bot, kind: gelato, target: "{TARGET}", function: "work(uint256)", to: "{WORKER}"}}
  even: {{chain: local, signer: bot, kind: view, target: "{TARGET}", check: isDue(), call: rebalance()}}
  poke: {{chain: local, signer: bot, kind: call, target: "{TARGET}", call: "0xdeadbeef",
         schedule: {{cron: "0 8 * * *"}}}}
vaults:"""


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    signer = f'  bot: {{key_file: bot.key, address: "{OPERATOR}"}}\nvaults:'
    (tmp_path / "bot.key").touch(mode=0o600)
    return config(tmp_path, ("vaults:", signer), ("vaults:\n  treasury", f"{UPKEEPS}\n  treasury"))


def setting(loaded: Loaded, name: str) -> Setting:
    tokens = {token.address: token for token in (WETH, USDC)}
    return Setting(loaded.config, name, Pins(make_block(), tokens=tokens))


def policy(loaded: Loaded, sender: str) -> Policy:
    class Clock:
        def now(self) -> int:
            return NOW

    return make_policy(loaded.config, "local", (), sender, Clock())  # type: ignore[arg-type]


# --- what it is made of ----------------------------------------------------------------------------------------------


def test_plan__each_kind__asks_its_own_question(loaded: Loaded) -> None:
    asked = {name: upkeep_reads(upkeep) for name, upkeep in loaded.config.upkeeps.items()}
    assert asked == {
        "counter": (Read(TARGET, calldata("checkUpkeep(bytes)", b"\x07")),),
        "task": (Read(TARGET, calldata("checker()")),),
        "even": (Read(TARGET, calldata("isDue()")),),
        "poke": (),
    }


def test_plan__each_kind__calls_its_own_function(loaded: Loaded) -> None:
    plans = {name: make_plan(upkeep) for name, upkeep in loaded.config.upkeeps.items()}
    assert {name: (plan.target, plan.function, plan.fixed) for name, plan in plans.items()} == {
        "counter": (TARGET, PERFORM, b""),
        "task": (WORKER, "work(uint256)", b""),
        "even": (TARGET, "rebalance()", calldata("rebalance()")),
        "poke": (TARGET, "", bytes.fromhex("deadbeef")),
    }


def test_upkeep__composed__is_a_vault_of_a_plain_wallet_without_venues(loaded: Loaded) -> None:
    found = make_upkeep(setting(loaded, "counter"), Idle(), "hash", armed=True)
    assert (found.name, found.armed, found.config_hash, dict(found.venues)) == ("counter", True, "hash", {})
    assert isinstance(found.custody, Wallet)
    assert (found.custody.routers, found.custody.wrapped) == ((), None)
    trade = Trade(units(WETH, 1), USDC, usd(1))
    assert isinstance(found.routing.allocate(trade, None), NoRoute)  # type: ignore[arg-type]


class Idle:
    def simulate(self, calls: Calls, view: object) -> Simulation:
        raise NotImplementedError

    def submit(self, *new: object) -> None:
        raise NotImplementedError

    def settle(self) -> dict[str, str]:
        return {}


def test_guards__those_that_apply__in_one_order(loaded: Loaded) -> None:
    keys = [guard.key for guard in make_guards(setting(loaded, "counter"))]  # type: ignore[attr-defined]
    assert keys == [
        "succeeds", "gas_limit", "max_gas", "max_gas_per_day", "max_base_fee", "gas_reserve", "cool_down", "max_calls",
        "min_profit", "allow_list", "paused",
    ]  # fmt: skip
    assert [guard.key for guard in make_guards(setting(loaded, "poke"))] == [  # type: ignore[attr-defined]
        key for key in keys if key not in ("max_gas", "min_profit")
    ]


def test_tokens__of_the_profit_only__and_none_for_native_coin(loaded: Loaded) -> None:
    assert setting(loaded, "counter").tokens == {"USDC": USDC}
    found: dict[str, Token] = dict(setting(loaded, "poke").tokens)
    assert found == {}


def test_budget__in_usd_only__holds_replacements(loaded: Loaded) -> None:
    kept = loaded.config.kept
    assert gas_budget(kept["counter"]) == (usd(20), 86_400)
    assert gas_budget(kept["poke"]) is None
    assert gas_budget(kept["treasury"]) == (usd(50), 86_400)


def test_introduction__says_the_one_call_and_its_limits(loaded: Loaded) -> None:
    kept = loaded.config.kept
    assert introduce(kept["counter"]) == (
        f"calls 0x4585e33b of {TARGET} and nothing else, at most 100 per 24h calls, gas 20 USD per 24h"
    )
    assert introduce(kept["treasury"]).startswith("at most $100,000.00 a trade")


# --- what its key may sign -------------------------------------------------------------------------------------------


def signed(to: str, data: bytes, value: int = 0) -> dict[str, object]:
    return {
        "chainId": CHAIN, "nonce": 7, "gas": 200_000, "value": value, "type": 2, "maxFeePerGas": 3 * GWEI,
        "maxPriorityFeePerGas": GWEI, "to": to, "data": data,
    }  # fmt: skip


def test_policy__its_own_calls__are_all_that_the_key_may_sign(loaded: Loaded) -> None:
    held = policy(loaded, OPERATOR)
    for to, data in (
        (TARGET, calldata("performUpkeep(bytes)", b"x")),
        (WORKER, calldata("work(uint256)", 1)),
        (TARGET, b"\xde\xad\xbe\xef"),
    ):
        assert held.objection(signed(to, data), OPERATOR) == ""
        assert "value: expected none" in held.objection(signed(to, data, value=1), OPERATOR)
    for to, data in (
        (WORKER, calldata("performUpkeep(bytes)", b"x")),
        (TARGET, calldata("withdraw()")),
        (USDC.address, calldata("approve(address,uint256)", TARGET, 5)),
        (WETH.address, selector("deposit()")),
    ):
        assert held.objection(signed(to, data), OPERATOR) != ""


def test_policy__of_a_vaults_key__does_not_know_them(loaded: Loaded) -> None:
    assert policy(loaded, HOLDER).objection(signed(TARGET, calldata("performUpkeep(bytes)", b"x")), HOLDER) != ""
