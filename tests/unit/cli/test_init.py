from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.cli import init as asking
from keeper.cli.init import init
from keeper.config import load
from keeper.core.errors import ConfigError

ACCOUNT = "0x1111111111111111111111111111111111111111"
ANSWERS = {
    "chain": "base",
    "account": ACCOUNT,
    "weights": "WETH=60,USDC=40",
    "pools": "weth-usdc-500",
    "rpc": "BASE_RPC",
}


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_is_terminal", lambda: False)


def written(folder: Path, **changes: str | None) -> Path:
    path = folder / "keeper.yaml"
    init(path, **(ANSWERS | changes))
    return path


def refusal(folder: Path, **changes: str | None) -> str:
    with pytest.raises(ConfigError) as caught:
        written(folder, **changes)
    assert caught.value.exit_code == 2
    assert list(folder.iterdir()) == []
    return str(caught.value)


def test_init__with_every_flag__writes_a_dry_config_that_loads(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = written(tmp_path)
    loaded = load(path, {}, need_env=False)
    (vault,) = loaded.config.vaults.values()
    assert (vault.mode, vault.custody.signer, loaded.config.account_of("treasury")) == ("dry", None, ACCOUNT)
    assert dict(vault.strategy.weights) == {"WETH": 6_000, "USDC": 4_000}
    assert [str(url.source) for url in loaded.config.chains["base"].rpc] == ["${BASE_RPC}"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = capsys.readouterr().out
    assert f"wrote {path}: one dry vault, no key" in told
    steps = ("export BASE_RPC=", f"keeper check {path}", f"keeper plan {path}", f"keeper run {path}")
    assert [step for step in steps if step not in told] == []


@pytest.mark.parametrize("chain", ["arbitrum", "base", "mainnet", "optimism"])
def test_init__for_any_chain__takes_the_pools_of_its_preset(tmp_path: Path, chain: str) -> None:
    pools = asking._usual_pools({"--chain": chain, "--weights": ANSWERS["weights"]})
    assert "weth-usdc" in pools
    assert load(written(tmp_path, chain=chain, pools=pools), {}, need_env=False).config.vaults


@pytest.mark.parametrize("flag", ANSWERS)
def test_init__without_a_flag_and_without_a_terminal__names_it(tmp_path: Path, flag: str) -> None:
    said = refusal(tmp_path, **{flag: None})
    assert said.startswith(f"command: --{flag}: expected ")
    assert said.endswith(", found nothing, and no terminal to ask on")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"chain": "bse"}, "--chain: expected one of arbitrum, base"),
        ({"chain": "anvil"}, "--chain: expected one of arbitrum, base"),
        ({"account": "0x12"}, "--account: expected an address: 0x and 40 hex digits, found 0x12"),
        ({"account": 'x", mode: live, y: "'}, "--account: expected an address"),
        ({"account": ACCOUNT[:-1] + "g"}, "--account: expected an address"),
        ({"weights": "WETH"}, "--weights: expected weights such as WETH=60,USDC=40, found WETH"),
        ({"weights": "WETH=60"}, "--weights: expected weights that sum to 100%, found 60%"),
        ({"weights": "WETH=60,PEPE=40"}, "--weights: expected one of WETH, USDC"),
        ({"pools": "weth-pepe"}, "--pools: expected an address, or one of weth-usdc-500"),
        ({"pools": "]: x"}, "--pools: expected addresses or names"),
        ({"pools": ""}, "--pools: expected at least one pool"),
        ({"rpc": "http://node.example"}, "--rpc: expected https, or http on this machine"),
        ({"rpc": "not a url"}, "--rpc: expected a URL, or the name of an environment variable"),
        ({"rpc": 'https://a"b'}, "--rpc: expected a URL, or the name of an environment variable"),
    ],
)
def test_init__with_an_answer_that_is_wrong__says_which(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    assert refusal(tmp_path, **changes).startswith(f"command: {expected}")


@pytest.mark.fault("C11")
@pytest.mark.parametrize(
    "url",
    [
        "https://node.example/v2/c0ffeec0ffeec0ffeec0ffee",
        "https://someone:hunter2@node.example",
        "https://node.example/?key=c0ffee",
        "BASE_RPC,https://node.example/c0ffeec0ffeec0ffeec0ffee",
    ],
)
def test_init__with_a_token_in_the_url__wants_a_variable_instead(tmp_path: Path, url: str) -> None:
    said = refusal(tmp_path, rpc=url)
    assert "--rpc: expected the name of an environment variable, such as BASE_RPC" in said
    assert "c0ffee" not in said
    assert "hunter2" not in said


@pytest.mark.parametrize("url", ["https://mainnet.base.org", "http://127.0.0.1:8545", "${BASE_RPC}", "A_RPC, B_RPC"])
def test_init__with_urls_that_anybody_may_see__writes_them(tmp_path: Path, url: str) -> None:
    text = written(tmp_path, rpc=url).read_text("utf-8")
    assert all(part.strip("${} ") in text for part in url.split(","))


def test_init__for_a_small_target__takes_bands_that_leave_it_room(tmp_path: Path) -> None:
    path = written(tmp_path, weights="WETH=55,USDC=40,cbBTC=5", pools="weth-usdc-500,cbbtc-weth-500")
    strategy = load(path, {}, need_env=False).config.vaults["treasury"].strategy
    assert strategy.trigger.of_weight
    assert strategy.destination.of_weight


def test_init__where_a_file_is__leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "keeper.yaml"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="expected a file that does not exist yet"):
        written(tmp_path)
    assert path.read_text() == "mine"


def test_init__where_nothing_can_be_written__says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a place to write to"):
        init(tmp_path / "nowhere" / "keeper.yaml", **ANSWERS)


def test_init__on_a_terminal__asks_again_for_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []
    answers: Iterator[str] = iter(["bse", "base", "0x12", "WETH=50, USDC=50", "", "", ACCOUNT])

    def prompt(question: str, default: str | None, err: bool) -> str:
        asked.append((question, default))
        return next(answers) or default or ""

    monkeypatch.setattr(asking, "_is_terminal", lambda: True)
    monkeypatch.setattr(asking.typer, "prompt", prompt)
    init(tmp_path / "keeper.yaml", chain=None, account=None, weights=None, pools=None, rpc=None)
    config = load(tmp_path / "keeper.yaml", {}, need_env=False).config
    assert config.account_of("treasury") == ACCOUNT
    assert [default for _, default in asked] == [
        "base", "base", None, "WETH=60, USDC=40", "weth-usdc-500, weth-usdc-3000, weth-usdc-v2", "BASE_RPC", None,
    ]  # fmt: skip
