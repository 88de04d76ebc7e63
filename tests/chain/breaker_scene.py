"""A treasury whose trades somebody waits for: an ambush in the block of each, and the keeper's own loop around it.

The ambush has the block's order: it moves the pool, lets the trade happen, and moves the pool back, so that the next
look finds everything as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from keeper.app.deployment import Deployment
from keeper.config import load
from keeper.core.abi import calldata, word
from keeper.core.units import WHOLE_BPS, Address, TokenAmount
from keeper.cycle import Turn
from keeper.journal.past import Entry
from keeper.journal.sql import SqlJournal
from keeper.telemetry.logs import configure
from tests.chain.treasury import LIVE_KEY, Treasury
from tests.chain.uniswap import FOREVER, balance, sqrt_price
from tests.unit.telemetry.streams import Stream

FEE = 500
PRICE = Fraction(3000)
SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
SCHEDULE, GUARDS = "schedule: {every: 1m}", "guards: {cool_down: 1s"
GAS = 400_000


def write(treasury: Treasury, breakers: str, key: str = LIVE_KEY, **changes: object) -> Path:
    """A live configuration that looks every second. `breakers` is YAML in one line."""
    path = treasury.write("breakers", key=key, mode="live", **changes)
    text = path.read_text("utf-8")
    assert (text.count(SCHEDULE), text.count(GUARDS)) == (1, 1)
    text = text.replace(SCHEDULE, f"schedule: {{every: 1s}}\n    breakers: {breakers}")
    path.write_text(text.replace(GUARDS, f"{GUARDS}, max_turnover: 100% per 24h"), "utf-8")
    return path


def on_chain_time(path: Path) -> Path:
    text = path.read_text("utf-8")
    path.write_text(text.replace("    block_time: 1s\n", "    block_time: 1s\n    clock: chain\n"), "utf-8")
    return path


@dataclass
class Ambush:
    """Whoever orders the blocks of a treasury's chain: none comes by itself."""

    treasury: Treasury
    price: Fraction = PRICE
    steps: bool = True
    """Blocks are a second apart, whatever this machine's clock says."""
    mined: list[str] = field(default_factory=list)
    """`swap` or `other` for each transaction of the keeper that it put into a block."""

    def __post_init__(self) -> None:
        self.treasury.node.rpc("evm_setAutomine", False)

    def pending(self) -> list[Mapping[str, Any]]:
        """What the keeper has in the pool."""
        found = self.treasury.node.rpc("txpool_content")["pending"]
        return [tx for mine in found.values() for tx in mine.values()]

    def mine(self, bps: int = 0) -> None:
        """A block. Before a swap in it the price is `bps` lower, and afterwards as it was."""
        for seen in self.pending():
            swap = seen["to"].lower() == self.treasury.uniswap.swap_router02.lower()
            self.mined.append("swap" if swap else "other")
            if swap and bps:
                # The node orders a block by what is offered at most.
                cap = int(seen["maxFeePerGas"], 16)
                self._trade(True, self.price * (WHOLE_BPS - bps) / WHOLE_BPS, cap * 2)
                self._trade(False, self.price, cap // 2)
        self.block()

    def block(self, seconds: int = 1) -> None:
        """With whatever is pending, so much later than the one before."""
        if self.steps:
            self.treasury.node.rpc("evm_setNextBlockTimestamp", head_time(self.treasury) + seconds)
        self.treasury.node.rpc("evm_mine")

    def _trade(self, sells: bool, price: Fraction, cap: int) -> None:
        """The deployer trades until the pool stands at a price."""
        uniswap = self.treasury.uniswap
        weth, usdc = uniswap.weth, self.treasury.usdc
        sell, buy = (weth, usdc) if sells else (usdc, weth)
        most = balance(uniswap.node, sell, uniswap.node.deployer).raw // 2
        limit = sqrt_price(weth, usdc, price)
        swap = (sell.address, buy.address, FEE, uniswap.node.deployer, FOREVER, most, 0, limit)
        message = {
            "from": uniswap.node.deployer,
            "to": uniswap.swap_router,
            "data": "0x" + calldata(SWAP, swap).hex(),
            "gas": hex(GAS),
            "maxFeePerGas": hex(cap),
            "maxPriorityFeePerGas": "0x0",
        }
        uniswap.node.rpc("eth_sendTransaction", message)

    def pool_price(self) -> int:
        """Its square root as the pool has it."""
        return word(self.treasury.node.call(self.treasury.pool, calldata("slot0()")), 0)

    def say(self, feed: str, price: Fraction | int) -> None:
        """What a feed answers from the next block on."""
        node, data = self.treasury.node, calldata("set(int192,uint64)", int(price * 10**8), 0)
        node.rpc("eth_sendTransaction", {"from": node.deployer, "to": self.treasury.feeds[feed], "data": _hex(data)})

    def give(self, amount: TokenAmount, to: Address) -> None:
        node, data = self.treasury.node, calldata("transfer(address,uint256)", to, amount.raw)
        node.rpc("eth_sendTransaction", {"from": node.deployer, "to": amount.token.address, "data": _hex(data)})

    def wait(self, seconds: int) -> None:
        """So much later; the feeds report the same again."""
        for feed, price in (("ETH / USD", self.price), ("second", self.price), ("USDC / USD", Fraction(1))):
            self.say(feed, price)
        self.block(seconds)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


@dataclass
class Watch:
    """A live keeper's loop, turned by hand on the chain's own time."""

    ambush: Ambush
    deployment: Deployment
    said: Stream

    @property
    def journal(self) -> SqlJournal:
        return self.deployment.journal

    @property
    def now(self) -> int:
        return self.deployment.loops[0].clock.now()

    def look(self, bps: int = 0) -> Turn:
        """A block, a look, and a block with what that look sent, ambushed by so many bps."""
        self.ambush.block()
        turns = self.deployment.loops[0].tick()
        assert len(turns) == 1, self.said.getvalue()[-2_000:]
        self.ambush.mine(bps)
        return turns[0]

    def swap(self, bps: int = 0) -> Turn:
        """Looks until a swap was sent and mined: approvals come before it."""
        for _ in range(6):
            turn = self.look(bps)
            if turn.intent is not None and turn.record.code == "swap":
                return turn
            assert turn.record.code in ("approve", "revoke"), turn.record.reason
        raise AssertionError("no swap within six looks")

    def alerts(self, key: str) -> list[str]:
        """What was said under this key, all-clears too."""
        return [each["text"] for each in self.said.records if each.get("key") == key]


@contextmanager
def watch(treasury: Treasury, path: Path) -> Iterator[Watch]:
    said = Stream()
    undo = configure(stream=said, as_json=True)
    ambush = Ambush(treasury)
    loaded = load(path, {})
    try:
        # Both times are the chain's: a person who clears a breaker does so in its present, too.
        with SqlJournal(f"sqlite:///{path.parent / 'keeper.db'}", now=lambda: head_time(treasury)) as journal:
            journal.keep_config(loaded.hash, loaded.canonical)
            deployment = Deployment.open(loaded, journal, live=True)
            try:
                yield Watch(ambush, deployment, said)
            finally:
                deployment.close()
    finally:
        undo()


def head_time(treasury: Treasury) -> int:
    return int(treasury.node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def statuses(entries: list[Entry]) -> list[int]:
    """Status of each swap that was mined."""
    return [e.intent.mined.status for e in entries if e.intent.mined and e.intent.call.purpose == "swap"]
