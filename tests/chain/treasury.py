"""A treasury on a local node with the real Uniswap, its configuration, and the commands as a person runs them.

treasury = build_treasury(Node(url), folder)
path = treasury.write("mine", key=KEY, mode="live")
done = treasury.keeper("plan", path)
assert done.code == 0 and "WETH" in done.out
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from eth_account import Account

import contracts_abi
from keeper.core.abi import calldata
from keeper.core.units import Address, Token, TokenAmount
from tests.chain.node import Node
from tests.chain.uniswap import (
    Deployment,
    create_v2_pair,
    create_v3_pool,
    deploy_token,
    deploy_uniswap,
    position_around,
    transfer,
    wrap,
)
from tests.forks import ROOT, commands

KEY, LIVE_KEY = "7e5f" * 16, "5e6f" * 16
"""Of two accounts that hold the same: what one trades does not change what the other plans."""
HOLDER, LIVE_HOLDER = (Address(Account.from_key(key).address) for key in (KEY, LIVE_KEY))
WETH_PRICE = Fraction(3000)
GAS = 10**18
"""{wei}"""

CONFIG = """\
chains:
  local:
    chain_id: {chain_id}
    rpc: "{rpc}"
    confirmations: 1
    finality: 1 block
    block_time: 1s
    max_head_age: off
    native: {{symbol: ETH, wrapped: WETH}}
    tokens:
      WETH: "{weth}"
      USDC: {{address: "{usdc}", decimals: {usdc_decimals}}}
      DAI: "{dai}"
    factories:
      "{v3_factory}": {{kind: uniswap_v3, router: {{kind: swap_router02, address: "{swap_router02}"}}}}
    prices:
      WETH:
        sources:
          - {{kind: chainlink, feed: "{weth_feed}", heartbeat: 1h, pair: ETH / USD}}
          - {{kind: chainlink, feed: "{second_feed}", heartbeat: 1h}}
        need: 2
        apart: 2000bps
      USDC: {{sources: {{kind: chainlink, feed: "{usdc_feed}", heartbeat: 1h, pair: USDC / USD}}}}
signers:
  ops: {{key_file: {key_file}, address: "{holder}"}}
vaults:
  treasury:
    chain: local
    mode: {mode}
    custody: {custody}
    strategy: {{kind: weights, weights: {{WETH: {weth_weight}%, USDC: {usdc_weight}%}}, trigger: 4pp, destination: 2pp}}
    pools: ["{pool}"]
    schedule: {{every: 1m}}
    guards: {{cool_down: 1s, max_slippage: 30bps, max_gas_cost: 100bps, gas_reserve: {gas_reserve}}}
journal: {journal}
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended. `text` is everything it said."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(slots=True)
class Treasury:
    """Two accounts of 40 WETH and 30,000 USDC each, 80 % WETH at 3,000 USD, and a pool deep enough for them."""

    uniswap: Deployment
    folder: Path
    usdc: Token
    dai: Token
    pool: Address
    odd_pool: Address
    """Of USDC and DAI."""
    pair: Address
    """A v2 pair of WETH and USDC; its factory stands in no configuration."""
    feeds: Mapping[str, Address]
    home: Path = field(init=False)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.home.mkdir(parents=True)

    @property
    def node(self) -> Node:
        return self.uniswap.node

    def write(self, name: str, key: str = "", **changes: object) -> Path:
        """A configuration in a folder of its own, its key beside it where one is given; `changes` are of CONFIG."""
        folder = self.folder / name
        folder.mkdir()
        if key:
            file = folder / "ops.key"
            file.touch(mode=0o600)
            file.write_text(key, "utf-8")
            changes["holder"] = Account.from_key(key).address
        path = folder / "keeper.yaml"
        path.write_text(CONFIG.format(**(self.places | changes)), "utf-8")
        return path

    @property
    def places(self) -> dict[str, object]:
        return {
            "chain_id": self.node.chain_id,
            "rpc": self.node.url,
            "weth": self.uniswap.weth.address,
            "usdc": self.usdc.address,
            "usdc_decimals": 6,
            "dai": self.dai.address,
            "v3_factory": self.uniswap.v3_factory,
            "swap_router02": self.uniswap.swap_router02,
            "weth_feed": self.feeds["ETH / USD"],
            "second_feed": self.feeds["second"],
            "usdc_feed": self.feeds["USDC / USD"],
            "key_file": "ops.key",
            "holder": HOLDER,
            "mode": "dry",
            "custody": "{kind: wallet, signer: ops, native: ignore}",
            "weth_weight": 60,
            "usdc_weight": 40,
            "pool": self.pool,
            "gas_reserve": "0.02 ETH",
            "journal": "keeper.db",
        }

    def say(self, feed: str, price: Fraction | int) -> None:
        """What a feed answers from now on."""
        answer = int(price * 10**8)
        self.node.send(self.feeds[feed], calldata("set(int192,uint64)", answer, 0))

    def keeper(self, *words: object, env: Mapping[str, str] | None = None, text: str = "") -> Done:
        """`python -m keeper WORDS` with nothing in its environment but `env`, and no terminal."""
        bare = {"HOME": str(self.home), "PATH": os.defpath, "LANG": "C.UTF-8", **(env or {})}
        done = commands().run("keeper", [*map(str, words)], bare, ROOT, text=text)
        for key in (KEY, LIVE_KEY):
            assert key not in done.stdout + done.stderr, f"{words}: a private key was printed"
        return Done(done.returncode, done.stdout, done.stderr)

    def search_journals_for_keys(self) -> None:
        """Once nothing holds them any more: closing a file beside SQLite would drop this process's locks on it."""
        for file in self.folder.rglob("*.db"):
            data = file.read_bytes()
            for key in (KEY, LIVE_KEY):
                assert key.encode() not in data and bytes.fromhex(key) not in data, f"{file.name} holds a private key"


def build_treasury(node: Node, folder: Path) -> Treasury:
    uniswap = deploy_uniswap(node)
    weth, usdc, dai = uniswap.weth, deploy_token(uniswap, "USDC", 6), deploy_token(uniswap, "DAI")
    wrap(uniswap, 20_000)
    base, quote = TokenAmount.from_whole(weth, 5_000), TokenAmount.from_whole(usdc, 15_000_000)
    deep = position_around(base, quote, 500, WETH_PRICE, 2_000)
    one, other = TokenAmount.from_whole(usdc, 1_000_000), TokenAmount.from_whole(dai, 1_000_000)
    level = position_around(one, other, 500, Fraction(1), 2_000)
    found = Treasury(
        uniswap=uniswap,
        folder=folder,
        usdc=usdc,
        dai=dai,
        pool=create_v3_pool(uniswap, weth, usdc, 500, WETH_PRICE, [deep]),
        odd_pool=create_v3_pool(uniswap, usdc, dai, 500, Fraction(1), [level]),
        pair=create_v2_pair(uniswap, TokenAmount.from_whole(weth, 100), TokenAmount.from_whole(usdc, 300_000)),
        feeds={name: _deploy_feed(node, name) for name in ("ETH / USD", "second", "apart", "USDC / USD")},
    )
    prices = {"ETH / USD": WETH_PRICE, "second": WETH_PRICE, "apart": WETH_PRICE - 50, "USDC / USD": Fraction(1)}
    for feed, price in prices.items():
        found.say(feed, price)
    for holder in (HOLDER, LIVE_HOLDER):
        transfer(uniswap, TokenAmount.from_whole(weth, 40), holder)
        transfer(uniswap, TokenAmount.from_whole(usdc, 30_000), holder)
        node.rpc("anvil_setBalance", holder, hex(GAS))
    return found


def _deploy_feed(node: Node, description: str) -> Address:
    code: str = contracts_abi.load("demo_feed")["bytecode"]
    return node.deploy(code, ["address", "string", "uint8"], [node.deployer, description, 8])


# --- what commands say ------------------------------------------------------------------------------------------------


def says(done: Done, code: int, *words: str) -> str:
    """Everything that was said, after looking for `words` in it."""
    assert done.code == code, done.text
    assert "Traceback" not in done.text
    for word in words:
        assert word in done.text, f"{word!r} is not in:\n{done.text}"
    return done.text


def one_line(done: Done, code: int, *words: str) -> None:
    """Fails with `keeper: …` and nothing else."""
    says(done, code, *words)
    assert done.err.startswith("keeper: ")
    assert (done.out, done.err.count("\n")) == ("", 1)
