from __future__ import annotations

import re
from pathlib import Path

import pytest

from keeper.config.upkeeps import ChainlinkUpkeepConfig
from keeper.core.abi import selector
from keeper.core.errors import ConfigError
from keeper.guards import upkeeps as guards
from tests.unit.config.deployments import REPOSITORY, edited, loaded

ENV = {"RPC": "http://127.0.0.1:8545"}
OTHER = "0x3333333333333333333333333333333333333333"
TARGET, SIGNER = "0x2222222222222222222222222222222222222222", "0x1111111111111111111111111111111111111111"
TEXT = f"""\
chains:
  local:
    {{chain_id: 31337, rpc: "${{RPC}}", confirmations: 1, finality: 1 block, block_time: 1s, native: {{symbol: ETH}},
     tokens: {{USDC: "{SIGNER}"}}}}
signers:
  ops: {{key: "${{KEY}}", allow_env_key: true, address: "{SIGNER}"}}
upkeeps:
  counter: {{chain: local, signer: ops, kind: chainlink, target: "{TARGET}", guards: {{cool_down: 10m}}}}
  task:
    chain: local
    signer: ops
    kind: gelato
    target: "{TARGET}"
    function: "run(uint256)"
    to: "{OTHER}"
  debt:
    chain: local
    mode: live
    signer: ops
    kind: view
    target: "{TARGET}"
    check: {{function: "shouldUpdateDebt(address)", arguments: ["{TARGET}"]}}
    function: "update_debt(address,uint256)"
  even: {{chain: local, address: "{SIGNER}", kind: view, target: "{TARGET}", check: isDue(), call: rebalance()}}
  poke: {{chain: local, signer: ops, kind: call, target: "{TARGET}", call: poke(), schedule: {{cron: "0 8 * * *"}}}}
"""


def test_load__upkeeps_alone__are_a_valid_config(tmp_path: Path) -> None:
    config = loaded(tmp_path, TEXT, ENV | {"KEY": "11" * 32}).config
    assert (dict(config.vaults), list(config.kept)) == ({}, ["counter", "task", "debt", "even", "poke"])
    assert config.kept_on("local") == tuple(config.kept)
    assert config.upkeeps["debt"].is_live
    assert not config.upkeeps["task"].is_live


def test_load__what_is_left_out__is_filled_in(tmp_path: Path) -> None:
    found = loaded(tmp_path, TEXT, ENV | {"KEY": "11" * 32})
    counter = found.config.upkeeps["counter"]
    assert isinstance(counter, ChainlinkUpkeepConfig)
    assert (str(counter.guards.max_gas_per_day), str(counter.guards.gas_reserve)) == ("0.02 ETH per 24h", "0.02 ETH")
    assert (counter.check_data, counter.trigger, counter.schedule.every) == (b"", "condition", 300)
    assert found.origins["upkeeps.counter.guards.max_base_fee"] == "default"
    assert found.origins["upkeeps.counter.guards.cool_down"] == "file"


def test_allowed__each_kind__is_one_function_of_one_contract(tmp_path: Path) -> None:
    upkeeps = loaded(tmp_path, TEXT, ENV | {"KEY": "11" * 32}).config.upkeeps
    assert {name: upkeep.allowed for name, upkeep in upkeeps.items()} == {
        "counter": (TARGET, selector("performUpkeep(bytes)")),
        "task": (OTHER, selector("run(uint256)")),
        "debt": (TARGET, selector("update_debt(address,uint256)")),
        "even": (TARGET, selector("rebalance()")),
        "poke": (TARGET, selector("poke()")),
    }


def test_kept__who_calls_and_where_it_stands(tmp_path: Path) -> None:
    config = loaded(tmp_path, TEXT, ENV | {"KEY": "11" * 32}).config
    assert (config.sender_of("counter"), config.sender_of("even"), config.signing_for("even")) == (SIGNER, None, SIGNER)
    assert (config.place_of("counter"), config.signer_place("counter")) == (
        ("upkeeps", "counter"),
        "upkeeps.counter.signer",
    )
    assert config.pools_of("counter") == {}


def test_guards__every_key_is_a_guards_name() -> None:
    own = {
        each.key for each in (guards.MaxGas, guards.MaxGasPerDay, guards.CoolDown, guards.MaxCalls, guards.MinProfit)
    }
    fields = set(type(ChainlinkUpkeepConfig.model_fields["guards"].get_default(call_default_factory=True)).model_fields)
    assert fields == own | {"max_base_fee", "gas_reserve"}


BAD = (
    (
        "trigger: log",
        "kind: chainlink",
        "kind: chainlink, trigger: log",
        "counter.trigger: expected condition: a contract that is asked. Log triggers need a follower of "
        "logs, which this is not, found log",
    ),
    (
        "kind log",
        "kind: chainlink",
        "kind: log",
        "counter.kind: expected one of chainlink, gelato, view, call, found log",
    ),
    ("no function", '    function: "run(uint256)"\n', "", "task.function: expected a value, found nothing"),
    (
        "function without types",
        "run(uint256)",
        "run",
        "task.function: expected a function such as harvest() or rebalance(uint256,address), found run",
    ),
    (
        "a function that gives tokens away",
        "run(uint256)",
        "approve(address,uint256)",
        "task.function: expected a function that hands no tokens on (approve(address,uint256) does), found 0x095ea7b3",
    ),
    (
        "a token as target",
        f'target: "{TARGET}", call: poke()',
        f'target: "{SIGNER}", call: poke()',
        "poke.target: expected a contract that is no token, found the token USDC",
    ),
    (
        "both call and function",
        "call: rebalance()",
        'call: rebalance(), function: "x()"',
        "even: expected function, whose calldata the check returns, or a fixed call, found both",
    ),
    (
        "neither call nor function",
        ", call: rebalance()",
        "",
        "even: expected function, whose calldata the check returns, or a fixed call, found neither",
    ),
    (
        "call without cron",
        ', schedule: {cron: "0 8 * * *"}',
        "",
        "poke.schedule: expected a cron: nothing else says when it is due, found none",
    ),
    (
        "arguments that do not fit",
        f'arguments: ["{TARGET}"]',
        "arguments: []",
        "debt.check: expected 1 arguments for shouldUpdateDebt(address), found 0",
    ),
    (
        "live without signer",
        "mode: live\n    signer: ops",
        "mode: live",
        "debt.signer: expected a signer: the upkeep is live, found nothing",
    ),
    (
        "nobody to call",
        f'address: "{SIGNER}", kind: view',
        "kind: view",
        "even: expected a signer, or the address that would call, found neither",
    ),
    (
        "unknown signer",
        "signer: ops, kind: chainlink",
        "signer: opp, kind: chainlink",
        "counter.signer: expected one of ops, found opp",
    ),
    (
        "unknown chain",
        "chain: local, signer: ops, kind: chainlink",
        "chain: base, signer: ops, kind: chainlink",
        "counter.chain: expected one of local, found base",
    ),
    (
        "USD without a price",
        "cool_down: 10m",
        "max_gas: 2 USD",
        "counter.guards.max_gas: expected an amount of ETH: the chain has no price of it, found 2 USD",
    ),
    (
        "another coin",
        "cool_down: 10m",
        "max_gas_per_day: 2 BNB",
        "counter.guards.max_gas_per_day: expected an amount of ETH or USD, found 2 BNB",
    ),
    (
        "profit in an unknown token",
        "cool_down: 10m",
        "min_profit: {DAI: 2 DAI}",
        "counter.guards.min_profit.DAI: expected one of ETH, USDC, found an unknown token",
    ),
    (
        "profit in another token",
        "cool_down: 10m",
        "min_profit: {USDC: 2 ETH}",
        "counter.guards.min_profit.USDC: expected an amount of USDC, found 2 ETH",
    ),
    ("no calls", "cool_down: 10m", "max_calls: 0 per 24h", "counter.guards.max_calls: expected 1 or more, found 0"),
    (
        "a vault's guard",
        "cool_down: 10m",
        "max_trade: 5 USD",
        "counter.guards.max_trade: expected one of cool_down, gas_reserve, max_base_fee, max_calls, "
        "max_gas, max_gas_per_day, min_profit, found an unknown key",
    ),
    (
        "a trial",
        "guards: {cool_down: 10m}",
        "breakers: {reverts: {at: 3 per 1h, after: 1h, trial: 5 USD}}",
        "counter.breakers.reverts.trial: expected no trial: an upkeep trades nothing, found one",
    ),
    (
        "too little gas",
        "guards: {cool_down: 10m}",
        "gas_limit: 20000",
        "counter.gas_limit: expected 21,000 to 16,777,216 gas, found 20000",
    ),
)


@pytest.mark.parametrize(("old", "new", "line"), [each[1:] for each in BAD], ids=[each[0] for each in BAD])
def test_load__bad_upkeep__one_line_says_where_and_why(old: str, new: str, line: str, tmp_path: Path) -> None:
    assert TEXT.count(old) == 1, old
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, TEXT.replace(old, new), ENV | {"KEY": "11" * 32})
    place, _, rest = str(caught.value).partition(": ")
    assert place.startswith("keeper.yaml:")
    assert rest == f"upkeeps.{line}"


def test_load__neither_vault_nor_upkeep__one_line_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="vaults: expected at least one vault, or an upkeep, found none"):
        loaded(tmp_path, TEXT.partition("upkeeps:")[0], ENV | {"KEY": "11" * 32})


UPKEEP = f"""\
upkeeps:
  treasury: {{chain: base, signer: ops, kind: chainlink, target: "{TARGET}"}}
vaults:"""


def test_load__a_vaults_name__is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"upkeeps\.treasury: expected a name of its own, found the name of a vault"):
        loaded(tmp_path, edited("vaults:", UPKEEP))


def test_load__a_vaults_account__draws_a_warning(tmp_path: Path) -> None:
    folder = loaded(tmp_path, edited("vaults:", UPKEEP.replace("treasury:", "counter:")), env=None)
    assert [line for line in folder.warnings if "upkeeps" in line] == [
        "upkeeps.counter: calls from the account of vault treasury: "
        "each waits for the other, and its gas is a withdrawal"
    ]


def blocks(page: str) -> list[str]:
    """The configurations that a page shows."""
    return re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "docs" / page).read_text("utf-8"), re.DOTALL)


HEAD, *MOVED = blocks("migrating.md")
SHOWN = [*blocks("strategies/upkeeps.md"), *(HEAD + block for block in MOVED)]


@pytest.mark.parametrize("text", SHOWN, ids=lambda text: text.rpartition("upkeeps:\n")[2].split(":")[0].strip())
def test_documentation__every_configuration_to_copy__loads(text: str, tmp_path: Path) -> None:
    for name in ("ops.json", "ops.pw"):
        (tmp_path / name).touch(mode=0o600)
    names = re.findall(r"\$\{(\w+)\}", text)
    found = loaded(tmp_path, text, dict.fromkeys(names, "https://a.example") | {names[0]: "https://b.example"})
    assert found.config.upkeeps
    assert {upkeep.mode for upkeep in found.config.upkeeps.values()} == {"dry"}


def test_documentation__of_migrating__has_one_for_each_service() -> None:
    assert len(MOVED) == 3
    page = (REPOSITORY / "docs/migrating.md").read_text("utf-8")
    assert [page.count(f"## From {name}") for name in ("Chainlink Automation", "Gelato", "Defender")] == [1, 1, 1]
