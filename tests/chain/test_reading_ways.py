"""The four ways to read, on a real EVM: whatever a read does, each says the same, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import contracts_abi
from keeper.chain.nodes.batch import BatchReader
from keeper.chain.nodes.headers import parse_block
from keeper.chain.nodes.multicall import MULTICALL3
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.nodes.sight import MAX_ANSWER, NOBODY, native_balance
from keeper.core.abi import calldata
from keeper.core.chain import Block, Read
from keeper.core.units import Address
from keeper.local.anvil import run_anvil
from tests.builders import CHAIN, address
from tests.chain.node import Node
from tests.chain.solidity import compile_solidity

RUNTIME = bytes.fromhex(contracts_abi.load("reader")["runtime"][2:])
ECHO = address(4)
"""The identity precompile answers with what it was asked."""
OVERRIDE, DEPLOYED, MULTICALL, PLAIN = (
    "reader put there for the call",
    "deployed reader",
    "Multicall3",
    "one by one",
)


@dataclass(frozen=True)
class Ways:
    rpc: Rpc
    node: Node
    readers: dict[str, BatchReader]
    oddity: Address

    def head(self) -> Block:
        return parse_block(self.rpc.call("eth_getBlockByNumber", ["latest", False]), CHAIN)

    def odd(self, signature: str, *arguments: int) -> Read:
        return Read(self.oddity, calldata(signature, *arguments))


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    compiled = compile_solidity("Aggregator.sol")
    with run_anvil() as anvil:
        node, rpc = Node(anvil.url), Rpc("local", [anvil.url])
        reader = node.deploy(contracts_abi.load("reader")["bytecode"])
        oddity = node.deploy(compiled["Oddity"])
        # Without code at Multicall3's address it is left out, without a runtime the override is.
        plain = BatchReader(rpc, CHAIN, b"")
        assert plain.way == PLAIN
        aggregator = node.deploy(compiled["Aggregator"])
        node.rpc("anvil_setCode", MULTICALL3, node.rpc("eth_getCode", aggregator, "latest"))
        readers = {
            OVERRIDE: BatchReader(rpc, CHAIN, RUNTIME),
            DEPLOYED: BatchReader(rpc, CHAIN, RUNTIME, reader),
            MULTICALL: BatchReader(rpc, CHAIN, b""),
            PLAIN: plain,
        }
        yield Ways(rpc, node, readers, oddity)
        rpc.close()


def test_probe__of_a_node_that_knows_them_all__takes_the_way_it_can(ways: Ways) -> None:
    assert [reader.way for reader in ways.readers.values()] == [OVERRIDE, DEPLOYED, MULTICALL, PLAIN]


def test_probe__of_an_address_with_other_code__does_not_use_it(ways: Ways) -> None:
    assert BatchReader(ways.rpc, CHAIN, RUNTIME, ways.oddity).way == OVERRIDE


def test_fetch__reads_that_end_in_every_way__are_the_same_on_each_path(ways: Ways) -> None:
    reads = (
        native_balance(ways.node.deployer),
        native_balance(address(0xDEAD)),
        ways.odd("bytesOf(uint256)", 32),
        *(ways.odd("bytesOf(uint256)", size) for size in (0, 1, 31, 33, 64, 1_000, MAX_ANSWER, MAX_ANSWER + 1)),
        ways.odd("refuse(uint256)", 7),
        ways.odd("refuseSilently()"),
        ways.odd("broken()"),
        Read(ways.oddity, b""),
        Read(ways.oddity, b"\1\2\3"),
        Read(address(0xDEAD), b""),
        Read(address(0xDEAD), b"no code here"),
        Read(NOBODY, b"neither a balance"),
        Read(ECHO, b"odd length"),
        Read(ECHO, b""),
        ways.odd("burn(uint256)", 2_900_000),
        ways.odd("forEver()"),
        ways.odd("bytesOf(uint256)", 96),
    )
    block = ways.head()
    found = {name: reader.fetch_list(reads, block) for name, reader in ways.readers.items()}
    again = {name: reader.fetch_list(reads, block) for name, reader in ways.readers.items()}

    failures = [at for at, answer in enumerate(found[PLAIN]) if answer is None]
    assert [reads[at] for at in failures] == [*reads[10:16], reads[22]]
    assert [len(answer or b"") for answer in found[PLAIN][2:10]] == [32, 0, 1, 31, 33, 64, 1_000, MAX_ANSWER]
    for name in ways.readers:
        assert found[name] == found[PLAIN], name
        assert again[name] == found[PLAIN], name


def test_fetch__a_read_of_more_gas_than_is_its_share__is_answered_by_multicall_alone(ways: Ways) -> None:
    read = ways.odd("burn(uint256)", 3_000_000)
    answered = {name for name, reader in ways.readers.items() if reader.fetch_list((read,), ways.head()) != [None]}
    assert answered == {MULTICALL}


def test_settle__a_tick_on_each_path__says_the_same_of_the_head(ways: Ways) -> None:
    reads = tuple(ways.odd("bytesOf(uint256)", size % 70) for size in range(300))
    header = ("eth_getBlockByNumber", ["latest", False])
    requests = {}
    for name, reader in ways.readers.items():
        reader.fetch_list(reads, ways.head())
        before = ways.rpc.requests_made
        asked = reader.ask([header], reads)
        found = reader.settle(asked, parse_block(asked.beside[0], CHAIN))
        requests[name] = ways.rpc.requests_made - before
        assert [len(answer or b"") for answer in found] == [size % 70 for size in range(300)], name
    assert requests == {OVERRIDE: 1, DEPLOYED: 1, MULTICALL: 1, PLAIN: 5}


def test_settle__where_a_block_came_in_between__reads_the_header_s_block(ways: Ways) -> None:
    account = address(0xCAFE)
    reads = (native_balance(account), ways.odd("bytesOf(uint256)", 32))
    for wei, reader in enumerate(ways.readers.values(), start=1):
        reader.fetch_list(reads, ways.head())
        ways.node.rpc("anvil_setBalance", account, hex(wei))
        ways.node.rpc("evm_mine")
        block = ways.head()
        ways.node.rpc("evm_mine")
        ways.node.rpc("anvil_setBalance", account, hex(10**18))
        ways.node.rpc("evm_mine")
        found = reader.settle(reader.ask([], reads), block)
        assert int.from_bytes(found[0] or b"", "big") == wei


def test_fetch__more_gas_than_a_call_has__takes_more_calls_and_starves_nobody(ways: Ways) -> None:
    """25 reads that burn all they are given need 75M gas; the node grants 30M."""
    greedy = [ways.odd("forEver()")] * 25
    reads = tuple(read for at in range(25) for read in (greedy[at], ways.odd("burn(uint256)", 100_000 + at)))
    for name in (OVERRIDE, DEPLOYED):
        found = ways.readers[name].fetch_list(reads, ways.head())
        assert found[0::2] == [None] * 25, name
        assert [int.from_bytes(answer or b"", "big") for answer in found[1::2]] == [100_000 + at for at in range(25)]


def test_fetch__through_multicall__a_greedy_read_is_not_the_end_of_the_others(ways: Ways) -> None:
    reads = (ways.odd("forEver()"), *(ways.odd("burn(uint256)", 2_000_000 + at) for at in range(5)))
    found = ways.readers[MULTICALL].fetch_list(reads, ways.head())
    assert found[0] is None
    assert [int.from_bytes(answer or b"", "big") for answer in found[1:]] == [2_000_000 + at for at in range(5)]
