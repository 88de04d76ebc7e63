"""A small good deployment, as text to be spoiled."""

from __future__ import annotations

from pathlib import Path

from keeper.config import Loaded, load

REPOSITORY = Path(__file__).resolve().parents[3]

GOOD = """\
chains:
  base:
    preset: base
    rpc: ["${RPC_A}", "${RPC_B}"]
signers:
  ops: {keystore: ops.json, password_file: ops.pw, address: "0x1111111111111111111111111111111111111111"}
vaults:
  treasury:
    chain: base
    mode: live
    custody: {kind: wallet, signer: ops}
    strategy:
      kind: weights
      weights: {WETH: 60%, USDC: 40%}
      trigger: 4pp
      destination: 2pp
      dust: 10 USD
    pools: ["0xd0b53D9277642d899DF5C87A3966A349A798F224", weth-usdc-v2]
    schedule: {every: 5m}
    guards: {max_trade: 100000 USD, max_turnover: 10% per 24h, max_slippage: 30bps}
"""

ENV = {"RPC_A": "https://a.example/v3/SECRETTOKEN", "RPC_B": "https://b.example/v3/SECRETTOKEN"}


def written(folder: Path, text: str, name: str = "keeper.yaml") -> Path:
    """A config file as an editor would leave it."""
    path = folder / name
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def loaded(folder: Path, text: str = GOOD, env: dict[str, str] | None = None) -> Loaded:
    return load(written(folder, text), ENV if env is None else env)


def edited(old: str, new: str) -> str:
    """GOOD with one thing changed; the thing must be there exactly once."""
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)
