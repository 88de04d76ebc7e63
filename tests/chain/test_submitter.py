"""Sending for real: a key, a node with its own rules, and a journal in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address

import contracts_abi
from keeper.chain.nodes.headers import parse_block
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.sending.attempts import Rules
from keeper.chain.sending.fees import FeePolicy
from keeper.chain.sending.signers import KeySigner
from keeper.chain.sending.simulate import Simulator
from keeper.chain.sending.submitter import LiveSubmitter
from keeper.core.abi import calldata
from keeper.core.calls import Call, Calls, Purpose
from keeper.core.chain import VaultView
from keeper.core.ports import Journal
from keeper.core.sending import Expectation, Intent, State
from keeper.core.units import Address, Token, TokenAmount, Wei
from keeper.journal.sql import SqlJournal
from keeper.local.anvil import run_anvil
from tests.builders import CHAIN, ETH, USDC, address, expected_swap, make_view, units
from tests.unit.chain.lives import GWEI, Ears, MemoryJournal, new_intent

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
SENDER = Address(Account.from_key(KEY).address)
PROBE = bytes.fromhex(contracts_abi.load("probe")["runtime"][2:])
GRUMPY, MUTE = address(0x6203), address(0x407E)
# PUSH1 size, PUSH1 offset, PUSH0, CODECOPY, PUSH1 size, PUSH0, REVERT, then what it says.
_SAYS = calldata("Error(string)", "not today")
GRUMPY_CODE = "0x60" + f"{len(_SAYS):02x}" + "600a5f39" + "60" + f"{len(_SAYS):02x}" + "5ffd" + _SAYS.hex()


NOTHING = Expectation()


@dataclass
class World:
    """One Anvil with WETH, and a live submitter on it."""

    rpc: Rpc
    weth: Token
    journal: MemoryJournal
    ears: Ears
    submitter: LiveSubmitter
    simulator: Simulator

    def use(self, journal: Journal) -> None:
        """Starts afresh with another journal, as a new process would."""
        self.submitter = LiveSubmitter(
            self.rpc, journal, self.simulator, self.submitter._signers, CHAIN, self.submitter._rules,
            finality=3, stop=lambda _: "", alert=self.ears,
        )  # fmt: skip

    def do(self, method: str, *params: Any) -> Any:
        return self.rpc.call(method, list(params), nullable=True)

    def view(self, account: Address = SENDER) -> VaultView:
        block = parse_block(self.do("eth_getBlockByNumber", "latest", False), CHAIN)
        coin = TokenAmount(ETH, int(self.do("eth_getBalance", account, "latest"), 16))
        zero = TokenAmount.zero(self.weth)
        view = make_view((zero,), {}, (), block=block, sender=account, balances={self.weth: zero})
        return replace(view, account=account, native=coin, gas_balance=coin, tip=Wei(GWEI))

    def deposit(self, value: int = 10**18) -> Call:
        return Call(self.weth.address, calldata("deposit()"), value, Purpose.WRAP, "wrap 1 ETH")

    def send(
        self, call: Call | None = None, expect: Expectation = NOTHING, seconds: int = 600, cycle: int = 1
    ) -> Intent:
        """Simulates and submits, as a cycle does; a failing simulation does not stop it here."""
        view, call = self.view(), call or self.deposit()
        simulation = self.submitter.simulate(Calls((call,)), view)
        if simulation.failure:
            simulation = replace(simulation, gas_limit=100_000)
        nonce = int(self.do("eth_getTransactionCount", SENDER, "latest"), 16)
        new = new_intent(
            sender=SENDER, account=SENDER, call=call, gas_limit=simulation.gas_limit, at=view.block.timestamp,
            deadline=view.block.timestamp + seconds, expect=expect, cycle=cycle,
        )  # fmt: skip
        send = self.submitter.submit(new, view, simulation, nonce)
        assert send is not None, self.ears.heard
        return send()

    def mine(self, base_fee: int = GWEI, seconds: int = 12) -> None:
        self.do("anvil_setNextBlockBaseFeePerGas", hex(base_fee))
        self.do("evm_increaseTime", hex(seconds))
        self.do("evm_mine")

    def settle(self) -> State:
        self.busy = self.submitter.settle()
        return max(self.journal.intents.items())[1].state

    @property
    def intent(self) -> Intent:
        return max(self.journal.intents.items())[1]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with run_anvil(chain_id=CHAIN, options=["--no-mining", "--order", "fees"]) as anvil:
        rpc = Rpc("local", [anvil.url])
        rpc.call("anvil_setCode", [GRUMPY, GRUMPY_CODE], nullable=True)
        rpc.call("anvil_setCode", [MUTE, "0x00"], nullable=True)
        yield make_world(rpc, tmp_path)
        rpc.close()


def make_world(rpc: Rpc, tmp_path: Path, max_fee: int = 90) -> World:
    path = tmp_path / "ops.key"
    path.write_text(KEY)
    path.chmod(0o600)
    signer = KeySigner(path, SENDER, frozenset({CHAIN}))
    policy = FeePolicy(Wei(max_fee * GWEI), Wei(9 * GWEI), Wei(GWEI))
    journal, ears, simulator = MemoryJournal([]), Ears(), Simulator(rpc, policy, PROBE)
    rules = Rules(policy, confirmations=1, patience=60)
    submitter = LiveSubmitter(
        rpc, journal, simulator, {SENDER: signer}, CHAIN, rules, finality=3, stop=lambda _: "", alert=ears
    )  # type: ignore[arg-type]
    return World(rpc, deploy_weth(rpc), journal, ears, submitter, simulator)


def deploy_weth(rpc: Rpc) -> Token:
    found = json.loads(Path("node_modules/@uniswap/v2-periphery/build/WETH9.json").read_text())
    code = found["bytecode"]
    deployer = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    sent = rpc.call("eth_sendTransaction", [{"from": deployer, "data": "0x" + code.removeprefix("0x")}])
    rpc.call("evm_mine", [])
    receipt = rpc.call("eth_getTransactionReceipt", [sent])
    return Token(CHAIN, Address(to_checksum_address(receipt["contractAddress"])), "WETH", 18)


# --- simulating ------------------------------------------------------------------------------------------------------


def both_ways(world: World, calls: Calls, view: VaultView) -> Iterator[Any]:
    """The same simulation by eth_simulateV1 and by the probe."""
    yield world.simulator.simulate(calls, view)
    world.simulator._has_simulate = False
    yield world.simulator.simulate(calls, view)


def test_simulate__a_sequence_either_way__same_deltas_and_gas_that_suffices(world: World) -> None:
    out = calldata("transfer(address,uint256)", MUTE, 4 * 10**17)
    sequence = (world.deposit(), Call(world.weth.address, out, 0, Purpose.SWAP, "give 0.4 WETH away"))
    asked = world.rpc.requests_made
    simulations = list(both_ways(world, Calls(sequence), world.view()))
    assert world.rpc.requests_made == asked + 2 + 2, "two of view(), one for each simulation"
    for simulation in simulations:
        assert simulation.failure == ""
        assert simulation.deltas == {ETH: -(10**18), world.weth: 6 * 10**17}
    real = world.send()
    world.mine()
    assert world.settle() is State.CONFIRMED and world.intent.mined is not None
    for simulation in simulations:
        assert world.intent.mined.gas_used <= simulation.gas_limit <= 2 * world.intent.mined.gas_used
        # The probe pays for value and memory that a transaction does not: it errs upwards.
        assert 0.95 < simulation.gas[0] / world.intent.mined.gas_used < 1.2
    assert real.nonce == 0


def test_simulate__sender_without_gas_money_or_key__still_simulated(world: World) -> None:
    poor = address(0x900)
    zero = calldata("approve(address,uint256)", MUTE, 5)
    for simulation in both_ways(
        world, Calls((Call(world.weth.address, zero, 0, Purpose.APPROVE, "approve"),)), world.view(poor)
    ):
        assert simulation.failure == "" and simulation.deltas == {ETH: 0, world.weth: 0}


@pytest.mark.fault("T16")
def test_simulate__second_of_two_reverts__said_which_and_why(world: World) -> None:
    calls = Calls((world.deposit(), Call(GRUMPY, b"", 0, Purpose.SWAP, "sell 1 WETH")))
    for simulation in both_ways(world, calls, world.view()):
        assert simulation.failure == "transaction 2 of 2, sell 1 WETH: not today"


def test_simulate__value_beyond_the_balance__failure_not_an_exception(world: World) -> None:
    for simulation in both_ways(world, Calls((world.deposit(10**30),)), world.view()):
        assert simulation.failure


# --- sending ---------------------------------------------------------------------------------------------------------


def test_send__mined__confirmed_then_final(world: World) -> None:
    assert world.send().state is State.SENT
    assert world.settle() is State.SENT and "not mined yet" in world.busy["treasury"]
    world.mine()
    assert world.settle() is State.CONFIRMED and world.busy == {}
    for _ in range(3):
        world.mine()
    assert world.settle() is State.FINAL_OK
    asked = world.rpc.requests_made
    world.settle()
    assert world.rpc.requests_made == asked


@pytest.mark.fault("T2")
def test_send__base_fee_jumps__bumped_with_the_same_nonce_and_mined(world: World) -> None:
    world.send()
    world.mine(base_fee=30 * GWEI)
    world.settle()
    assert len(world.intent.attempts) == 2 and world.intent.state is State.SENT
    first, second = (attempt.fees for attempt in world.intent.attempts)
    assert second.cap * 8 >= first.cap * 9 and (second.tip or 0) * 8 >= (first.tip or 0) * 9
    world.mine(base_fee=30 * GWEI)
    assert world.settle() is State.CONFIRMED
    assert world.intent.mined is not None and world.intent.mined.hash == world.intent.attempts[1].hash


@pytest.mark.fault("T11")
def test_send__beyond_the_cap_until_its_deadline__cancelled(world: World, tmp_path: Path) -> None:
    world = make_world(world.rpc, tmp_path, max_fee=10)
    world.send(seconds=100)
    for _ in range(12):
        world.mine(base_fee=50 * GWEI)
        world.settle()
    assert [attempt.purpose for attempt in world.intent.attempts] == [Purpose.WRAP, Purpose.CANCEL]
    assert all(attempt.fees.cap <= 10 * GWEI for attempt in world.intent.attempts)
    world.mine()
    world.settle()  # Anvil evicts what the base fee has passed, so the cancel is offered again
    world.mine()
    assert world.settle() is State.CONFIRMED
    for _ in range(3):
        world.mine()
    assert world.settle() is State.FINAL_CANCELLED
    assert int(world.do("eth_getTransactionCount", SENDER, "latest"), 16) == 1


@pytest.mark.fault("T9")
def test_send__dropped_by_the_node__same_bytes_again(world: World) -> None:
    world.send()
    world.do("anvil_dropTransaction", world.intent.attempts[0].hash)
    world.mine()
    assert world.settle() is State.SENT
    world.mine()
    assert world.settle() is State.CONFIRMED and len(world.intent.attempts) == 1


@pytest.mark.fault("T15")
def test_send__reverts__reason_decoded_and_gas_counted(world: World) -> None:
    world.send(Call(GRUMPY, b"", 0, Purpose.SWAP, "sell 1 WETH"))
    world.mine()
    assert world.settle() is State.CONFIRMED
    outcome = world.journal.outcomes[0]
    assert outcome.reason == "not today" and outcome.mined is not None and outcome.mined.status == 0
    assert outcome.mined.gas_cost > 21_000 * GWEI
    for _ in range(3):
        world.mine()
    assert world.settle() is State.FINAL_REVERTED


@pytest.mark.fault("T17")
def test_send__success_that_did_nothing__vault_halted(world: World) -> None:
    expect = Expectation((expected_swap(TokenAmount(world.weth, 10**18), units(USDC, 3_000), units(USDC, 2_990)),))
    world.send(Call(MUTE, b"", 0, Purpose.SWAP, "sell 1 WETH"), expect)
    world.mine()
    assert world.settle() is State.CONFIRMED
    assert "without effects" in world.journal.halts["treasury"]


@pytest.mark.fault("T19")
@pytest.mark.fault("T20")
def test_send__reorg_drops_it__sent_again_and_confirmed_once(world: World) -> None:
    world.send()
    world.mine()
    assert world.settle() is State.CONFIRMED and world.intent.mined is not None
    before = world.intent.mined.block_hash
    world.do("anvil_reorg", 1, [])
    assert int(world.do("eth_getTransactionCount", SENDER, "latest"), 16) == 0
    assert world.settle() is State.SENT and "treasury" in world.busy
    world.mine()
    assert world.settle() is State.CONFIRMED
    assert world.intent.mined is not None and world.intent.mined.block_hash != before
    assert len(world.intent.attempts) == 1
    assert int(world.do("eth_getTransactionCount", SENDER, "latest"), 16) == 1


@pytest.mark.fault("T6")
def test_send__key_used_elsewhere__halted_once_that_is_final(world: World) -> None:
    world.send()
    foreign = {
        "chainId": CHAIN, "nonce": 0, "to": MUTE, "value": 1, "gas": 21_100, "type": 2, "data": b"",
        "maxFeePerGas": 50 * GWEI, "maxPriorityFeePerGas": 9 * GWEI,
    }  # fmt: skip
    raw = Account.sign_transaction(foreign, KEY).raw_transaction
    world.do("eth_sendRawTransaction", "0x" + bytes(raw).hex())
    world.mine()
    assert world.settle() is State.SENT
    for _ in range(3):
        world.mine()
    assert world.settle() is State.EXTERNAL
    assert "not in the journal" in world.journal.halts[SENDER]


def test_send__journal_on_disk_and_a_restart_while_live__one_transaction(world: World, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/journal.db"
    with SqlJournal(url) as journal:
        world.use(journal)
        assert world.send(cycle=0).state is State.SENT
        world.do("anvil_dropTransaction", journal.live(CHAIN)[0].attempts[0].hash)
    with SqlJournal(url) as journal:
        world.use(journal)
        world.mine()
        assert "treasury" in world.submitter.settle()
        world.mine()
        assert world.submitter.settle() == {}
        (intent,) = journal.live(CHAIN)
        assert intent.state is State.CONFIRMED and len(intent.attempts) == 1
        for _ in range(3):
            world.mine()
        assert world.submitter.settle() == {} and journal.live(CHAIN) == ()
    assert int(world.do("eth_getTransactionCount", SENDER, "latest"), 16) == 1
