"""docs/testnet.md, carried out: its commands, in its order, on a chain that says it is Sepolia. And what is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from keeper.app.testnet import REAL, TESTNETS, open_testnet
from keeper.core.errors import ConfigError
from keeper.journal.reader import JournalReader
from keeper.local.anvil import Anvil, run_anvil
from tests.chain.node import Node
from tests.forks import ROOT

PAGE = ROOT / "docs" / "testnet.md"
FUND = "keeper keys address ops.json\n"
BEGIN = "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n"
"""Whatever fails, no keeper stays behind."""
WITHIN = 200
"""{s}"""


def test_page__when_its_commands_are_run__then_a_key_deploys_keeps_breaks_and_recovers(tmp_path: Path) -> None:
    script = "".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    assert FUND in script
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin" / "keeper"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m keeper "$@"\n', "utf-8")
    shim.chmod(0o755)
    with run_anvil(chain_id=11_155_111, block_time=1) as sepolia:
        # The faucet, where the page sends people to one.
        faucet = f'"{sys.executable}" "{tmp_path / "faucet.py"}" "$(keeper keys address ops.json)"\n'
        (tmp_path / "faucet.py").write_text(_faucet(sepolia), "utf-8")
        done = _bash(tmp_path, BEGIN + script.replace(FUND, FUND + faucet), sepolia.url)
        assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
        node = Node(sepolia.url)
    with JournalReader(f"sqlite:///{tmp_path / 'testnet' / 'keeper.db'}") as reader:
        sent = [entry.intent for entry in reader.transactions()]
    assert [str(intent.call.purpose) for intent in sorted(sent, key=lambda one: one.nonce)] == ["approve", "swap"]
    assert all(intent.mined is not None and intent.mined.status == 1 for intent in sent)
    assert {intent.chain_id for intent in sent} == {11_155_111} == {node.chain_id}
    assert "a drill" in done.stdout and "UNEXPLAINED" not in done.stdout
    password = (tmp_path / "ops.password").read_text("utf-8").strip()
    assert password not in done.stdout + done.stderr
    assert sepolia.url not in (tmp_path / "testnet" / "keeper.yaml").read_text("utf-8")


def _bash(folder: Path, script: str, url: str) -> subprocess.CompletedProcess[str]:
    env = {
        "HOME": str(folder),
        "PATH": f"{folder / 'bin'}:{os.defpath}",
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "TESTNET_RPC": url,
    }
    (folder / "page.sh").write_text(script, "utf-8")
    said, wrong = (folder / name for name in ("out", "err"))
    # Into files: a keeper that stays behind would hold a pipe open.
    with said.open("w") as out, wrong.open("w") as err:
        code = subprocess.run(
            ["/bin/bash", "page.sh"], cwd=folder, env=env, stdout=out, stderr=err, timeout=WITHIN, check=False
        ).returncode
    return subprocess.CompletedProcess([], code, said.read_text("utf-8"), wrong.read_text("utf-8"))


def _faucet(node: Anvil) -> str:
    return (
        "import json, sys, urllib.request\n"
        'body = {"jsonrpc": "2.0", "id": 1, "method": "anvil_setBalance", "params": [sys.argv[1], hex(10**18)]}\n'
        'kind = {"Content-Type": "application/json"}\n'
        f'asked = urllib.request.Request("{node.url}", json.dumps(body).encode(), kind)\n'
        "urllib.request.urlopen(asked).read()\n"
    )


def test_testnet__when_coins_are_real_or_the_chain_is_unknown__then_it_is_refused() -> None:
    with run_anvil() as node:
        wire = Node(node.url)
        for chain_id, private, said in [
            (1, 1, "expected a testnet or a private chain, found chain 1, whose coins are real"),
            (8453, None, "found chain 8453, whose coins are real"),
            (4_242, None, "or --private-chain 4242 if it is yours, found chain 4242"),
            (4_242, 4_243, "or --private-chain 4242 if it is yours, found chain 4242"),
        ]:
            wire.rpc("anvil_setChainId", chain_id)
            with pytest.raises(ConfigError, match=said):
                open_testnet(node.url, private)
        assert open_testnet(node.url, 4_242).name == "chain 4242"
        wire.rpc("anvil_setChainId", 84_532)
        assert open_testnet(node.url, None).name == "Base Sepolia"
    assert not REAL & set(TESTNETS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rpc", "NOT_SET"], "command: --keystore: expected a keystore"),
        (
            ["--rpc", "NOT_SET", "--keystore", "ops.json"],
            "--rpc: expected the variable NOT_SET to be set, found nothing",
        ),
        (
            ["--rpc", "https://node/v3/k3y-of-mine", "--keystore", "ops.json"],
            "the name of a variable, such as TESTNET_RPC",
        ),
        (["--rpc", "NOT_SET", "--signer", "ops", "--config", "none.yaml"], "none.yaml: file: expected a readable file"),
    ],
)
def test_testnet__when_the_command_is_wrong__then_one_line_says_so(words: list[str], said: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "keeper", "demo", *words]
    env = {"HOME": str(tmp_path), "PATH": os.defpath, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr and "k3y" not in done.stderr
