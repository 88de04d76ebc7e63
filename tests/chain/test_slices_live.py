"""A live keeper trades in slices, and every cycle is another process: each goes on where the last one stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from keeper.core.slices import Slice
from keeper.core.units import Address, TokenAmount
from keeper.journal.reader import JournalReader
from keeper.local.anvil import run_anvil
from tests.builders import usd
from tests.chain.node import Node
from tests.chain.treasury import Treasury, build_treasury, says
from tests.chain.uniswap import transfer

KEY = "4d3c" * 16
HOLDER = Address(Account.from_key(KEY).address)
OLD, NEW = "destination: 2pp}", "destination: 2pp, clip: 14000 USD}"
WISHES = "\n    slices: {spacing: 6s, jitter: 0%}\n    execution: {slippage: auto}"


@pytest.fixture(scope="module")
def treasury(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Treasury]:
    """On a node of its own, whose time is moved; by seconds only, as the key's policy compares with its own clock."""
    with run_anvil() as running:
        yield build_treasury(Node(running.url), tmp_path_factory.mktemp("slices"))


@pytest.fixture(scope="module")
def path(treasury: Treasury) -> Path:
    """80 % WETH where 60 % is wanted: $27,000 to sell, at most $14,000 at once."""
    for amount in (TokenAmount.from_whole(treasury.uniswap.weth, 40), TokenAmount.from_whole(treasury.usdc, 30_000)):
        transfer(treasury.uniswap, amount, HOLDER)
    treasury.node.rpc("anvil_setBalance", HOLDER, hex(10**18))
    path = treasury.write("slices", key=KEY, mode="live")
    text = path.read_text("utf-8")
    assert text.count(OLD) == 1
    path.write_text(text.replace(OLD, NEW + WISHES), "utf-8")
    return path


def last(path: Path, now: int) -> Slice | None:
    with JournalReader(f"sqlite:///{path.parent / 'keeper.db'}") as reader:
        found = reader.history("treasury", now).last_slice
    return found[1] if found else None


def later(treasury: Treasury, seconds: int) -> int:
    """Another block, so much later on this chain's clock; the feeds report again."""
    treasury.node.rpc("evm_increaseTime", seconds)
    for feed, price in (("ETH / USD", 3000), ("second", 3000), ("USDC / USD", 1)):
        treasury.say(feed, price)
    return int(treasury.node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def test_slices__each_by_another_process__follow_one_schedule_to_the_destination(
    treasury: Treasury, path: Path
) -> None:
    seen: list[Slice] = []
    says(treasury.keeper("once", path, "--live"), 0, "treasury: approve: ", "slice 1 of 2 of WETH for USDC, 0 % done")
    says(treasury.keeper("once", path, "--live"), 0, "treasury: swap: ")
    seen.append(_found(path, later(treasury, 1)))
    # Between two slices it holds, and plan shows where it stands.
    says(treasury.keeper("once", path, "--live"), 0, "treasury: hold: slice 2 of 2", "next in ")
    text = says(treasury.keeper("plan", path), 0, "HOLD: slice 2 of 2 of WETH for USDC, ", "about 6s apart")
    assert "  slice    2 of 2 in " in text
    later(treasury, 13)
    for word in ("approve", "swap"):
        says(treasury.keeper("once", path, "--live"), 0, f"treasury: {word}: ")
    seen.append(_found(path, later(treasury, 1)))
    assert [(part.number, part.of) for part in seen] == [(1, 2), (2, 2)]
    assert len({part.parent for part in seen}) == 1
    assert usd(0) == seen[0].done < seen[1].done < usd(14_001)
    (record,) = json.loads(treasury.keeper("plan", path, "--json").out)
    assert record["plan"]["code"] == "in_band"
    assert 6190 < float(record["assets"][0]["weight_bps"]) < 6210


def _found(path: Path, now: int) -> Slice:
    part = last(path, now)
    assert part is not None
    return part
