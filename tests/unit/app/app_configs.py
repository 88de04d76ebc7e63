"""Configurations for the composition root, of a chain that nobody has to reach."""

from __future__ import annotations

from pathlib import Path

from keeper.config import Loaded, load
from tests.builders import CHAIN, USDC, WETH, address

WSTETH, DAI = address(0x57E7), address(0xDA1)
POOL, OTHER_POOL = address(0xB001), address(0xB002)
ETH_FEED, USDC_FEED, RATE_FEED = address(0xFEED1), address(0xFEED2), address(0xFEED3)
HOLDER = address(0x4013)

TEXT = f"""\
chains:
  local:
    chain_id: {CHAIN}
    rpc: http://127.0.0.1:8545
    confirmations: 1
    finality: 1 block
    block_time: 1s
    native: {{symbol: ETH, wrapped: WETH}}
    tokens: {{WETH: "{WETH.address}", USDC: "{USDC.address}", wstETH: "{WSTETH}", DAI: "{DAI}"}}
    pools: {{deep: "{OTHER_POOL}"}}
    factories:
      "{address(0xFAC)}": {{kind: uniswap_v3, router: {{kind: swap_router02, address: "{address(0x3202)}"}}}}
    prices:
      WETH: {{sources: [{{kind: chainlink, feed: "{ETH_FEED}", heartbeat: 1h, pair: ETH / USD}}]}}
      USDC: {{sources: [{{kind: chainlink, feed: "{USDC_FEED}", heartbeat: 24h, pair: USDC / USD}}]}}
signers:
  ops: {{key_file: ops.key, address: "{HOLDER}"}}
vaults:
  treasury:
    chain: local
    mode: live
    custody: {{kind: wallet, signer: ops}}
    strategy: {{kind: weights, weights: {{WETH: 60%, USDC: 40%}}, trigger: 4pp, destination: 2pp}}
    pools: ["{POOL}"]
"""

WETH_PRICE = f'{{sources: [{{kind: chainlink, feed: "{ETH_FEED}", heartbeat: 1h, pair: ETH / USD}}]}}'


def config(folder: Path, *edits: tuple[str, str]) -> Loaded:
    """TEXT after these edits, each of which must find its place exactly once."""
    text = TEXT
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "keeper.yaml"
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
    return load(path, {}, need_env=False)
