"""Contracts that want to be called, and a keeper for them that is ticked by hand, in the chain's own time.

scene = open_scene(Node(url), folder, url)
scene.open_round("counter")
scene.tick()
assert scene.performed("counter") == [1]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from eth_account import Account

from keeper.app.deployment import Deployment
from keeper.app.loading import open_config
from keeper.config import Loaded
from keeper.core.abi import address_word, calldata, word
from keeper.core.units import Address
from keeper.daemon import ChainLoop
from keeper.journal.sql import SqlJournal
from tests.chain.node import Node
from tests.chain.solidity import compile_solidity

KEY = "6b31" * 16
SENDER = Address(Account.from_key(KEY).address)
CHAIN = """\
chains:
  local:
    chain_id: {chain_id}
    rpc: "{url}"
    confirmations: 1
    finality: 2 blocks
    block_time: 1s
    clock: chain
    max_head_age: off
    native: {{symbol: ETH}}
signers:
  ops: {{key_file: ops.key, address: "{sender}"}}
"""
UPKEEPS = {
    "counter": "kind: chainlink",
    "allocator": (
        'kind: view, check: {{function: "shouldUpdateDebt(address)", arguments: ["{sender}"]}}, '
        'function: "update_debt(address,uint256)"'
    ),
    "checker": 'kind: gelato, function: "work(uint256)", to: "{worker}"',
    "broken": "kind: chainlink",
}
"""Besides what all have."""
COMMON = (
    "chain: local, mode: live, signer: ops, schedule: {{every: 30s}}, guards: {{max_calls: 10000 per 24h, {guards}}}"
)


@dataclass
class Scene:
    node: Node
    folder: Path
    url: str
    """Of the node as the keeper reaches it."""
    contracts: Mapping[str, Address]
    loops: list[ChainLoop] = field(default_factory=list)
    step: int = 60
    """{s} Of the chain's time, from tick to tick."""

    # --- the contracts' side -----------------------------------------------------------------------------------------

    def rounds_of(self, name: str) -> Address:
        return self.contracts["worker" if name == "checker" else name]

    def open_round(self, *names: str) -> None:
        for name in names:
            self.node.send(self.rounds_of(name), calldata("open()"))

    def figure(self, name: str, getter: str, *arguments: object) -> int:
        return word(self.node.call(self.rounds_of(name), calldata(getter, *arguments)), 0)

    def performed(self, name: str) -> list[int]:
        """How often each round was performed, from the first on."""
        rounds = self.figure(name, "round()")
        return [self.figure(name, "performed(uint256)", each) for each in range(1, rounds + 1)]

    def now(self) -> int:
        return int(self.node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def nonce(self) -> int:
        return int(self.node.rpc("eth_getTransactionCount", SENDER, "latest"), 16)

    # --- the keeper's side -------------------------------------------------------------------------------------------

    def write(self, *names: str, text: str = "", guards: str = "max_gas_per_day: 1 ETH") -> Path:
        """The configuration of these upkeeps, or of `text`."""
        file = self.folder / "ops.key"
        file.touch(mode=0o600)
        file.write_text(KEY, "utf-8")
        places = {"sender": SENDER, "worker": self.contracts["worker"]}
        lines = [
            f'  {name}: {{{COMMON.format(guards=guards)}, target: "{self.contracts[name]}", '
            f"{UPKEEPS[name].format(**places)}}}"
            for name in names
        ]
        path = self.folder / "keeper.yaml"
        path.touch(mode=0o600)
        chain = CHAIN.format(chain_id=self.node.chain_id, url=self.url, sender=SENDER)
        path.write_text(chain + (text or "upkeeps:\n" + "\n".join(lines)) + "\n", "utf-8")
        return path

    @contextmanager
    def keeping(self, path: Path) -> Iterator[SqlJournal]:
        """A live keeper, ticked by `tick`."""
        loaded: Loaded = open_config(path)
        with SqlJournal(f"sqlite:///{self.folder / 'keeper.db'}") as journal:
            journal.keep_config(loaded.hash, loaded.canonical)
            deployment = Deployment.open(loaded, journal, live=True, adopt=True)
            self.loops = deployment.loops
            try:
                yield journal
            finally:
                deployment.close()

    def tick(self, times: int = 1) -> list[str]:
        """Some minutes later, one tick after the other; the cycles' kinds and codes."""
        found = []
        for _ in range(times):
            self.node.rpc("evm_increaseTime", hex(self.step))
            self.node.rpc("evm_mine")
            for loop in self.loops:
                found += [f"{turn.record.vault} {turn.record.kind} {turn.record.code}" for turn in loop.tick()]
        return found


def open_scene(node: Node, folder: Path, url: str = "") -> Scene:
    code = compile_solidity("Upkeeps.sol")
    named = {"counter": "Counter", "allocator": "DebtAllocator", "checker": "Checker", "broken": "Broken"}
    contracts = {name: node.deploy(code[contract]) for name, contract in named.items()}
    contracts["log"] = node.deploy(code["LogTriggered"])
    contracts["worker"] = address_word(node.call(contracts["checker"], calldata("worker()")), 0)
    node.rpc("anvil_setBalance", SENDER, hex(10**20))
    folder.mkdir(parents=True, exist_ok=True)
    return Scene(node, folder, url or node.url, contracts)
