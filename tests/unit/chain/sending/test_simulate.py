"""Simulation: what is asked, what the answers mean, and that every failure says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from eth_abi.abi import encode

from keeper.chain.nodes.rpc import RpcError
from keeper.chain.sending.fees import TX_GAS_CAP, FeePolicy
from keeper.chain.sending.l1_fees import op_fees, unsigned
from keeper.chain.sending.probe import paid_gas
from keeper.chain.sending.simulate import Simulator, is_unknown_method
from keeper.core.abi import calldata
from keeper.core.calls import Call, Calls, Purpose
from keeper.core.errors import Unreachable
from keeper.core.module_calls import EXECUTE_FROM_MODULE
from keeper.core.plan import Fees, Simulation
from keeper.core.units import Token, Wei
from tests.builders import ACCOUNT, ETH, USDC, WETH, address, make_view, units
from tests.unit.chain.lives import GWEI

POLICY = FeePolicy(Wei(90 * GWEI), Wei(9 * GWEI), Wei(GWEI))
APPROVE = Call(WETH.address, b"\x00\x11\x22", 0, Purpose.APPROVE, "approve 1 WETH", units(WETH, 1))
SWAP = Call(address(0x2007), b"", 7, Purpose.SWAP, "sell 1 WETH", units(WETH, 1))
CALLS = Calls((APPROVE, SWAP))
TOKENS = (ETH, WETH, USDC)
VIEW = make_view()
NO_SUCH = RpcError(-32601, "the method eth_simulateV1 does not exist/is not available")


def end(data: int | bytes = b"", status: int = 1, gas: int = 0, **more: Any) -> dict[str, Any]:
    raw = data if isinstance(data, bytes) else data.to_bytes(32, "big")
    return {"returnData": "0x" + raw.hex(), "status": hex(status), "gasUsed": hex(gas), "logs": [], **more}


def simulated(ours: list[dict[str, Any]], before: list[int], after: list[int]) -> Any:
    return [{"calls": [*map(end, before), *ours, *map(end, after)]}]


def probed(ok: bool, failed: int, reason: bytes, gas: list[int], deltas: list[int]) -> str:
    types = ["bool", "uint256", "bytes", "uint256[]", "int256[]"]
    return "0x" + encode(types, [ok, failed, reason, gas, deltas]).hex()


@dataclass
class Node:
    """Gives prepared answers, by method; an exception is raised."""

    simulate: Any = NO_SUCH
    probe: Any = None
    takes_hash: bool = True
    code: Any = "0x"
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    """But for questions after the sender's code, which ride with every simulation."""
    alone: Any = None
    """What it says of the sender's code where that is asked alone."""
    requests: int = 0

    def call(self, method: str, params: list[Any]) -> Any:
        assert (method, params) == ("eth_getCode", [ACCOUNT, "latest"])
        self.requests += 1
        if isinstance(self.alone, RpcError):
            raise self.alone
        return self.alone

    def batch(self, requests: Any, *, nullable: bool = False) -> list[Any]:
        self.requests += 1
        return [self.one(*request) for request in requests]

    def one(self, method: str, params: list[Any]) -> Any:
        if method == "eth_getCode":
            return self.code
        self.asked.append((method, params))
        answer = self.simulate if method == "eth_simulateV1" else self.probe
        if isinstance(params[1], dict) and not self.takes_hash:
            answer = RpcError(-32602, "invalid argument 1: hex string expected")
        if isinstance(answer, Unreachable):
            raise answer
        return answer


def run(node: Any, calls: Calls = CALLS) -> Simulation:
    return Simulator(node, POLICY, b"\xc0\xde").simulate(calls, VIEW)


GOOD = simulated([end(gas=46_000), end(gas=120_000)], [50, 10, 0], [43, 9, 3_100])


def test_simulate__whole_sequence__one_request_with_balances_around_it() -> None:
    node = Node(GOOD)
    found = run(node)
    assert found.failure == "" and found.gas == (46_000, 120_000)
    assert found.deltas == {ETH: -7, WETH: -1, USDC: 3_100}
    assert found.fees == Fees(Wei(3 * GWEI), Wei(GWEI)) and found.block_number == VIEW.block.number
    ((method, (script, at)),) = node.asked
    (block,) = script["blockStateCalls"]
    assert (method, at, script["validation"]) == ("eth_simulateV1", {"blockHash": VIEW.block.hash}, False)
    assert block["blockOverrides"] == {"time": hex(VIEW.block.timestamp + 1)}
    ours = block["calls"][3:5]
    assert [call["from"] for call in ours] == [ACCOUNT, ACCOUNT] and ours[1]["value"] == "0x7"


def test_simulate__node_takes_no_hash__asks_by_number_and_remembers() -> None:
    node = Node(GOOD, takes_hash=False)
    simulator = Simulator(node, POLICY, b"")  # type: ignore[arg-type]
    assert simulator.simulate(CALLS, VIEW).failure == "" == simulator.simulate(CALLS, VIEW).failure
    assert [params[1] for _, params in node.asked] == [{"blockHash": "0x01"}, "0x3e8", "0x3e8"]


def test_simulate__no_such_method__the_probe_from_then_on() -> None:
    node = Node(probe=probed(True, 2, b"", [20_000, 100_000], [-7, -1, 3_100]))
    simulator = Simulator(node, POLICY, b"\xc0\xde")  # type: ignore[arg-type]
    found = simulator.simulate(CALLS, VIEW)
    assert simulator.simulate(CALLS, VIEW) == found and found.failure == ""
    assert found.deltas == {ETH: -7, WETH: -1, USDC: 3_100}
    assert found.gas == (21_000 + 4 + 32 + 20_000, 121_000)
    assert [method for method, _ in node.asked] == ["eth_simulateV1", "eth_call", "eth_call"]
    call, at, override = node.asked[1][1]
    assert (call["from"], call["to"], at) == (ACCOUNT, ACCOUNT, {"blockHash": "0x01"})
    assert override == {ACCOUNT: {"code": "0xc0de"}}


@pytest.mark.fault("T16")
@pytest.mark.parametrize(
    ("answer", "probe", "expected"),
    [
        (simulated([end(), end(calldata("Error(string)", "STF"), 0)], [0] * 3, [0] * 3), None,
         "transaction 2 of 2, sell 1 WETH: STF (safe transfer failed"),
        (simulated([end(b"", 0), end(b"", 0)], [0] * 3, [0] * 3), None,
         "transaction 1 of 2, approve 1 WETH: reverted without a reason"),
        (simulated([end(b"", 0, error={"message": "out of gas"}), end()], [0] * 3, [0] * 3), None, "out of gas"),
        (simulated([end(), end()], [0] * 2, [0] * 3), None, "cannot be simulated: eth_simulateV1: expected 8"),
        ([{"calls": [*map(end, [0, 0]), end(b""), end(), end(), *map(end, [0] * 3)]}], None,
         "cannot be simulated: balance of USDC cannot be read"),
        ("0x", None, "cannot be simulated: eth_simulateV1: expected one block"),
        ([], None, "cannot be simulated"),
        (RpcError(-32000, "missing trie node"), None, "cannot be simulated: missing trie node"),
        (NO_SUCH, "0x", "cannot be simulated: probe: the node ignored the code override"),
        (NO_SUCH, RpcError(-32000, "header not found"), "cannot be simulated: header not found"),
        (NO_SUCH, probed(True, 2, b"", [1, 2], [0]), "cannot be simulated: probe: expected 3 balances"),
        (NO_SUCH, probed(False, 1, calldata("Panic(uint256)", 1), [1, 2], [0] * 3),
         "transaction 2 of 2, sell 1 WETH: panic 0x01"),
    ],
)  # fmt: skip
def test_simulate__anything_but_success__says_so(answer: Any, probe: Any, expected: str) -> None:
    assert expected in run(Node(answer, probe)).failure


MODULE_CALL = calldata(EXECUTE_FROM_MODULE, WETH.address, 0, b"", 1)
INSIDE = (APPROVE, SWAP)


def outer(data: bytes = b"\x01\x02\x03\x04") -> Calls:
    return Calls((Call(address(0x5AFE), data, 0, Purpose.SWAP, "Safe → MultiSend[approve, swap]", inner=INSIDE),))


@pytest.mark.parametrize(
    ("answer", "expected"), [(1, ""), (0, "failed without reverting"), (b"", "failed without reverting")]
)
def test_simulate__a_module_call_that_answers_false__counts_as_reverted(answer: int | bytes, expected: str) -> None:
    told = end(answer) if isinstance(answer, bytes) else end(answer, gas=90_000)
    fails = Node(simulated([told], [0] * 3, [0] * 3))
    assert expected in run(fails, outer(MODULE_CALL)).failure
    assert bool(run(fails, outer(MODULE_CALL)).failure) == bool(expected)
    assert run(fails, outer()).failure == "", "what others answer is no failure"


def test_simulate__a_module_call_and_only_a_probe__is_asked_again_by_itself() -> None:
    @dataclass
    class Silent(Node):
        def one(self, method: str, params: list[Any]) -> Any:
            answer = super().one(method, params)
            return answer if method == "eth_simulateV1" or len(params) > 2 else "0x" + bytes(32).hex()

    node = Silent(probe=probed(True, 1, b"", [90_000], [0, -1, 3]))
    assert "failed without reverting" in run(node, outer(MODULE_CALL)).failure
    assert node.asked[2][1][0]["from"] == ACCOUNT
    assert run(Node(probe=node.probe), outer()).failure == ""


def test_simulate__something_inside_a_safe_fails__the_accounts_own_calls_say_what() -> None:
    @dataclass
    class Two(Node):
        def one(self, method: str, params: list[Any]) -> Any:
            if method == "eth_getCode":
                return self.code
            whole, steps = super().one(method, params)
            return steps if len(params[0]["blockStateCalls"][0]["calls"]) == 8 else whole

    whole = simulated([end(calldata("Error(string)", "GS013"), 0)], [0] * 3, [0] * 3)
    steps = simulated([end(), end(calldata("Error(string)", "Too little received"), 0)], [0] * 3, [0] * 3)
    failure = run(Two((whole, steps)), outer()).failure
    assert "GS013 (the operation failed inside the Safe): step 2 of 2, sell 1 WETH: Too little received" in failure


@pytest.mark.parametrize("code", ["0x", "0xEF01"])
def test_simulate__code_of_the_sender__rides_in_the_same_request(code: str) -> None:
    node = Node(GOOD, code=code)
    found = run(node)
    assert (found.failure, found.sender_code, node.requests) == ("", code, 1)


@pytest.mark.parametrize("code", ["maybe", RpcError(-32000, "gone"), 7])
@pytest.mark.parametrize(
    ("alone", "told"), [("0x", "0x"), ("0xEF01", "0xEF01"), (None, None), (RpcError(-32000, "gone"), None)]
)
def test_simulate__nobody_tells_the_senders_code_beside_it__asked_alone(
    code: Any, alone: Any, told: str | None
) -> None:
    node = Node(GOOD, code=code, alone=alone)
    found = run(node)
    assert (found.failure, found.sender_code, node.requests) == ("", told, 2)


def test_simulate__it_fails__nobody_is_asked_for_the_code_alone() -> None:
    failing = simulated([end(calldata("Error(string)", "no"), 0), end()], [0] * 3, [0] * 3)
    node = Node(failing, code="maybe", alone="0x")
    assert run(node).failure and (run(node).sender_code, node.requests) == (None, 2)


def test_simulate__no_node_answers__raised() -> None:
    with pytest.raises(Unreachable):
        run(Node(Unreachable("gone")))


@pytest.mark.fault("R28")
@pytest.mark.fault("T25")
@pytest.mark.parametrize(
    ("end_of_first", "expected", "failure"),
    [
        # 46,000 before refunds, 64/63 of it, 20 % more
        (end(gas=40_000, maxUsedGas=hex(46_000)), 56_077, ""),
        # the node does not tell: refunds are at most a fifth
        (end(gas=46_000), 70_096, ""),
        (end(gas=14_000_000, maxUsedGas=hex(14_000_000)), TX_GAS_CAP, ""),
        (end(gas=16_800_000), TX_GAS_CAP, "needs 21,000,000 gas, a transaction may have 16,777,216"),
    ],
)
def test_simulate__gas_limit__needed_gas_with_room_and_a_ceiling(
    end_of_first: dict[str, Any], expected: int, failure: str
) -> None:
    found = run(Node(simulated([end_of_first, end(gas=1)], [0] * 3, [0] * 3)))
    assert (found.gas_limit, found.failure) == (expected, failure)


@pytest.mark.parametrize(
    ("data", "inner", "expected"),
    [(b"", 0, 21_000), (b"\x00\x01", 100, 21_120), (b"\x01" * 1_000, 0, 61_000), (b"\x01" * 1_000, 50_000, 87_000)],
)
def test_paid_gas__calldata_and_its_floor(data: bytes, inner: int, expected: int) -> None:
    assert paid_gas(data, inner) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NO_SUCH, True),
        (RpcError(-32601, "Method not found"), True),
        (RpcError(None, "Unsupported method: eth_simulateV1 on BASE"), True),
        (RpcError(-32000, "execution reverted"), False),
        (RpcError(-32000, "required historical state is not available"), False),
    ],
)
def test_is_unknown_method__texts_of_providers(error: RpcError, expected: bool) -> None:
    assert is_unknown_method(error) is expected


def test_tokens__spent_token_outside_the_holdings__measured_too() -> None:
    other = Token(ETH.chain_id, address(0xDA1), "DAI", 18)
    call = Call(SWAP.to, b"", 0, Purpose.SWAP, "sell", units(other, 1))
    found = run(Node(simulated([end(gas=1)], [0] * 4, [0, 0, 0, 5])), Calls((call,)))
    assert found.deltas[other] == 5


# --- what L1 costs ---------------------------------------------------------------------------------------------------


class Rollup(Node):
    """An L2: the oracle's answers in the order of its questions, and an estimate."""

    oracle: list[Any]
    estimate: Any = None

    def one(self, method: str, params: list[Any]) -> Any:
        answer = super().one(method, params)
        if method == "eth_estimateGas":
            return self.estimate
        return self.oracle.pop(0) if method == "eth_call" else answer


def word(value: int) -> str:
    return "0x" + value.to_bytes(32, "big").hex()


def rolled(node: Any, l1: Any) -> Simulation:
    return Simulator(node, POLICY, b"", l1=l1).simulate(CALLS, VIEW)


def test_simulate__op_stack__data_and_operator_fee_of_each_transaction_in_the_same_request() -> None:
    node = Rollup(GOOD)
    node.oracle = [word(8_000), word(16_000), word(5), word(5 + 100 * TX_GAS_CAP)]
    found = rolled(node, "op")
    assert (found.failure, found.l1_fees) == ("", (9_000 + 5 + 100 * 46_000, 18_000 + 5 + 100 * 120_000))
    assert (node.requests, len(node.asked)) == (1, 1 + 4)
    call, at = node.asked[1][1]
    assert (call["to"], at) == ("0x420000000000000000000000000000000000000F", hex(VIEW.block.number))
    first = unsigned(31337, APPROVE, 0xFF_FFFF, found.fees)
    assert call["data"] == "0x" + calldata("getL1Fee(bytes)", first).hex()
    operator = [params[0]["data"] for _, params in node.asked[3:]]
    assert operator == ["0x" + calldata("getOperatorFee(uint256)", gas).hex() for gas in (0, TX_GAS_CAP)]


@pytest.mark.parametrize("gas", [0, 1, 46_000, TX_GAS_CAP - 1, TX_GAS_CAP])
@pytest.mark.parametrize(("scalar", "constant"), [(0, 0), (1, 0), (7_654_321, 3), (10**9, 10**12)])
def test_op_fees__operator_fee_between_its_two_ends__the_oracles_within_a_wei(
    gas: int, scalar: int, constant: int
) -> None:
    def fee(used: int) -> int:
        return used * scalar // 10**6 + constant  # as the predeploy has it since Isthmus

    (found,) = op_fees([word(0), word(fee(0)), word(fee(TX_GAS_CAP))], [gas])
    assert fee(gas) - 1 <= found <= fee(gas) + 1


def test_unsigned__as_eth_account_would_hash_it() -> None:
    from eth_account.typed_transactions import TypedTransaction
    from eth_utils.crypto import keccak

    fees = Fees(Wei(3 * GWEI), Wei(GWEI))
    same = TypedTransaction.from_dict(
        {
            "type": 2, "chainId": 31337, "nonce": 0xFFFF_FFFF, "to": SWAP.to, "value": 7, "data": b"", "gas": 9,
            "maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": GWEI,
        }
    )  # fmt: skip
    assert keccak(unsigned(31337, SWAP, 9, fees)) == bytes(same.hash())


@pytest.mark.parametrize(
    ("oracle", "failure"),
    [
        ([word(8_000), word(1), RpcError(3, "execution reverted"), RpcError(3, "execution reverted")], ""),
        ([RpcError(3, "execution reverted"), word(1), word(0), word(0)], "L1 fee: execution reverted"),
        (["0x", "0x", "0x", "0x"], "expected one figure"),
        ([word(8_000), word(1), RpcError(-32000, "header not found"), word(0)], "operator fee: header not found"),
        ([word(8_000), word(1), word(0), RpcError(-32000, "header not found")], "operator fee: header not found"),
    ],
)
def test_simulate__oracle_without_an_answer__not_traded_unless_it_has_no_operator_fee(
    oracle: list[Any], failure: str
) -> None:
    node = Rollup(GOOD)
    node.oracle = oracle
    found = rolled(node, "op")
    assert failure in found.failure and bool(failure) == bool(found.failure)


@pytest.mark.fault("R28")
@pytest.mark.parametrize(
    ("estimate", "gas", "failure"),
    [
        ("0x186a0", (100_000, 174_000), ""),  # 54,000 more than the simulation, for each
        ("0x1", (46_000, 120_000), ""),  # an absurdly low one changes nothing
        (hex(10**9), (10**9, 10**9 + 74_000), "needs 1,000,000,000 gas"),
        (RpcError(3, "execution reverted"), (46_000, 120_000), "gas estimate: execution reverted"),
        ("many", (46_000, 120_000), "gas estimate: expected a hex figure"),
    ],
)
def test_simulate__l1_within_the_gas__nodes_estimate_counts_where_it_is_more(
    estimate: Any, gas: tuple[int, ...], failure: str
) -> None:
    node = Rollup(GOOD)
    node.estimate = estimate
    found = rolled(node, "node")
    assert found.gas == gas and failure in found.failure and bool(failure) == bool(found.failure)
    if not failure:
        assert found.gas_limit >= max(gas[0], 57_500)
