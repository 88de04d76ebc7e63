"""The embedded chain beside Anvil: the same market deployed on both, the same questions, the same answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3

import contracts_abi
from keeper.chain.nodes.batch import BatchReader
from keeper.chain.nodes.calls import READER
from keeper.chain.nodes.headers import parse_block, unhex
from keeper.chain.nodes.packed import decode_found, encode_reads
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.nodes.sight import native_balance
from keeper.core.abi import calldata
from keeper.core.chain import Block, Read
from keeper.core.units import NATIVE, Address
from keeper.local.anvil import run_anvil
from keeper.local.deployer import Deployer, UnlockedAccount
from keeper.local.embedded import CHAIN_ID, EmbeddedChain
from keeper.local.market import Market
from keeper.local.paths import START as PRICES
from keeper.local.paths import price_path

DEPLOYER = Address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
"""Anvil's first account. The same account and nonces give the same addresses on both chains."""
VAULT = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
FAR = 4_000_000_000
SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
RUN = "run((address,uint256,bytes)[],address[],address)"


def runtime(name: str) -> str:
    return str(contracts_abi.load(name)["runtime"])


@dataclass(frozen=True)
class Side:
    """One of the two chains."""

    rpc: Rpc
    market: Market

    def head(self) -> Block:
        return parse_block(self.rpc.call("eth_getBlockByNumber", ["latest", False]), CHAIN_ID)

    def ask(self, method: str, *params: Any) -> Any:
        """The result, or the error's code and data: words differ between nodes."""
        try:
            return self.rpc.call(method, list(params))
        except RpcError as error:
            return error.code, error.data

    def receipt(self, sent: str) -> Any:
        """Anvil answers a moment before its block is mined."""
        while (found := self.rpc.call("eth_getTransactionReceipt", [sent], nullable=True)) is None:
            time.sleep(0.005)
        return found

    def symbol(self, name: str) -> Address:
        return self.market.tokens[name].address


def make_side(url: str) -> Side:
    rpc = Rpc("local", [url])
    market = Market.deploy(Deployer(rpc, UnlockedAccount(DEPLOYER)))
    market.fund(VAULT, {"WETH": 10, "USDC": 20_000, "BTC": 1})
    return Side(rpc, market)


@pytest.fixture(scope="module")
def chain() -> Iterator[EmbeddedChain]:
    with EmbeddedChain(accounts={DEPLOYER: 10**22, VAULT: 10**22}) as running:
        yield running


@pytest.fixture(scope="module")
def ours(chain: EmbeddedChain) -> Side:
    return make_side(chain.url)


@pytest.fixture(scope="module")
def theirs() -> Iterator[Side]:
    # The same rules for gas as py-evm's Shanghai.
    with run_anvil(options=["--hardfork", "shanghai"]) as anvil:
        yield make_side(anvil.url)


def call(to: str, data: bytes, sender: str = VAULT, value: int = 0) -> dict[str, str]:
    return {"from": sender, "to": to, "data": "0x" + data.hex(), "value": hex(value)}


def trade(side: Side) -> list[dict[str, str]]:
    """A wallet's rebalance: approve, sell, revoke, and one call that must fail."""
    weth, usdc, router = side.symbol("WETH"), side.symbol("USDC"), side.market.router
    return [
        call(weth, calldata("approve(address,uint256)", router, 10**18)),
        call(router, calldata(SWAP, 10**18, 1, [weth, usdc], VAULT, FAR)),
        call(weth, calldata("approve(address,uint256)", router, 0)),
        call(weth, calldata("deposit()"), value=7),
        call(usdc, calldata("transfer(address,uint256)", DEPLOYER, 10**30)),
    ]


def test_market__when_deployed_on_both__then_at_the_same_places_with_the_same_reserves(
    ours: Side, theirs: Side
) -> None:
    assert ours.market.tokens == theirs.market.tokens
    assert ours.market.pools == theirs.market.pools
    assert ours.market.reserves() == theirs.market.reserves()


def test_reader__when_asked_on_both__then_the_same_bytes_for_every_item(ours: Side, theirs: Side) -> None:
    market = ours.market
    reads = [
        *(Read(token.address, calldata("balanceOf(address)", VAULT)) for token in market.tokens.values()),
        *(
            Read(token.address, calldata(name))
            for token in market.tokens.values()
            for name in ("symbol()", "decimals()")
        ),
        *(Read(pool, calldata("token0()")) for pool in market.pools.values()),
        Read(
            market.router,
            calldata("getAmountsOut(uint256,address[])", 10**18, [ours.symbol("WETH"), ours.symbol("USDC")]),
        ),
        Read(market.router, calldata("getAmountsOut(uint256,address[])", 10**18, [ours.symbol("WETH")])),
        Read(market.factory, b"\x01\x02\x03"),
        Read(VAULT, b""),
        native_balance(VAULT),
    ]
    found = []
    for side in (ours, theirs):
        head = side.head()
        answer = side.ask(
            "eth_call",
            {"to": READER, "data": "0x" + encode_reads(reads).hex()},
            {"blockHash": head.hash},
            {READER: {"code": runtime("reader")}},
        )
        sight, items = decode_found(unhex(answer, "reader"), reads)
        assert sight.matches(head)
        found.append(items)

    assert found[0] == found[1]
    assert sum(item is None for item in found[0].values()) == 2


def test_probe__when_run_on_both__then_the_same_bytes_but_for_the_time_of_a_block(ours: Side, theirs: Side) -> None:
    answers = []
    for side in (ours, theirs):
        wanted = [(c["to"], int(c["value"], 16), bytes.fromhex(c["data"][2:])) for c in trade(side)]
        tokens = [NATIVE, *(token.address for token in side.market.tokens.values())]
        asked = call(VAULT, calldata(RUN, wanted, tokens, VAULT))
        answers.append(side.ask("eth_call", asked, "latest", {VAULT: {"code": runtime("probe")}}))

    assert isinstance(answers[0], str)
    assert answers[0] == answers[1]


def test_simulate__when_run_on_both__then_the_same_status_gas_data_and_logs(ours: Side, theirs: Side) -> None:
    def ends(side: Side) -> list[tuple[Any, ...]]:
        when = hex(side.head().timestamp + 1)
        calls = [one | {"gas": hex(10**6)} for one in trade(side)]
        script = {"blockStateCalls": [{"blockOverrides": {"time": when}, "calls": calls}], "validation": False}
        (block,) = side.ask("eth_simulateV1", script, "latest")
        return [
            (
                end["status"],
                int(end["gasUsed"], 16),
                end["returnData"],
                [(log["address"].lower(), log["topics"], log["data"]) for log in end["logs"]],
            )
            for end in block["calls"]
        ]

    assert ends(ours) == ends(theirs)
    assert [end[0] for end in ends(ours)] == ["0x1"] * 4 + ["0x0"]


def test_overrides__when_storage_is_replaced_or_changed__then_both_read_the_same(ours: Side, theirs: Side) -> None:
    token = ours.symbol("USDC")
    slot, value = "0x" + (2).to_bytes(32, "big").hex(), "0x" + (123).to_bytes(32, "big").hex()
    for data in (calldata("totalSupply()"), calldata("balanceOf(address)", VAULT)):
        for change in ({"stateDiff": {slot: value}}, {"state": {slot: value}}, {"code": "0x"}, {"balance": "0x5"}):
            asked = (call(token, data), "latest", {token: change})
            assert ours.ask("eth_call", *asked) == theirs.ask("eth_call", *asked)


def test_errors__when_a_call_fails__then_both_give_code_and_data(ours: Side, theirs: Side) -> None:
    asked = call(ours.symbol("USDC"), calldata("transfer(address,uint256)", DEPLOYER, 10**30))

    assert ours.ask("eth_call", asked, "latest") == theirs.ask("eth_call", asked, "latest")


def test_transactions__when_sent_on_both__then_the_same_gas_logs_and_balances(ours: Side, theirs: Side) -> None:
    def send_all(side: Side) -> list[tuple[Any, ...]]:
        receipts = []
        for fields in trade(side)[:4]:
            sent = side.ask("eth_sendTransaction", fields | {"gas": hex(10**6)})
            receipts.append(side.receipt(sent))
        return [
            (r["status"], r["gasUsed"], r["type"], [(log["topics"], log["data"], log["logIndex"]) for log in r["logs"]])
            for r in receipts
        ]

    assert send_all(ours) == send_all(theirs)
    assert ours.market.reserves() == theirs.market.reserves()


def test_reading__when_through_the_keepers_own_reader__then_pinned_by_hash_at_an_old_block(ours: Side) -> None:
    old = ours.head()
    before = ours.market.reserves()
    reads = [Read(ours.market.pools["WETH/USDC"], calldata("getReserves()"))]
    reader = BatchReader(ours.rpc, CHAIN_ID, bytes.fromhex(runtime("reader")[2:]))
    assert reader.way == "reader put there for the call"
    first = reader.fetch(reads, old)

    ours.market.move(next(price_path(5, 1)))

    assert ours.market.reserves() != before
    assert reader.fetch(reads, old) == first
    assert reader.fetch(reads, ours.head()) != first


def test_market__when_moved__then_pools_and_feeds_stand_at_its_prices(chain: EmbeddedChain, ours: Side) -> None:
    for moment in list(price_path(9, 5))[20:23]:
        ours.market.move(moment)
        weth, usdc = ours.market.reserves()["WETH/USDC"]
        (answer,) = ours.market.deployer.read([(ours.market.feeds["ETH/USD"], calldata("latestRoundData()"))])

        assert abs(usdc * 10**12 / weth / float(moment.prices["ETH"]) - 1) < 1e-6
        assert int.from_bytes(answer[32:64], "big") == moment.prices["ETH"] * 10**8
        assert int.from_bytes(answer[96:128], "big") == chain.now
    assert moment.prices["ETH"] != PRICES["ETH"]


def test_pace__when_twenty_items_are_read__then_well_within_a_tick(ours: Side) -> None:
    token = ours.symbol("USDC")
    reads = [Read(token, calldata("balanceOf(address)", f"0x{i:040x}")) for i in range(1, 21)]
    reader = BatchReader(ours.rpc, CHAIN_ID, bytes.fromhex(runtime("reader")[2:]))
    head = ours.head()

    def seconds() -> float:
        started = time.perf_counter()
        reader.fetch(reads, head)
        return time.perf_counter() - started

    # About 10 ms on a quiet machine; the bound only catches a fall by an order of magnitude.
    assert min(seconds() for _ in range(10)) < 0.1


def test_http__when_kept_alive_or_shared__then_every_request_is_answered(chain: EmbeddedChain) -> None:
    pool = urllib3.connection_from_url(chain.url, maxsize=4)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
    answers: list[Any] = []

    def ask() -> None:
        answers.extend([pool.request("POST", "/", body=body, retries=False).json() for _ in range(25)])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [{"jsonrpc": "2.0", "id": 1, "result": hex(CHAIN_ID)}] * 100
    # 4 threads, 100 requests, at most 4 connections: keep-alive works.
    assert pool.num_connections <= 4
    pool.close()


def test_close__when_a_connection_is_kept_alive__then_ends_at_once() -> None:
    with EmbeddedChain() as running:
        rpc = Rpc("local", [running.url])
        assert rpc.call("eth_blockNumber", []) == "0x0"
        started = time.monotonic()
    assert time.monotonic() - started < 2
    rpc.close()
