"""What a whole sequence of transactions would do at a block, before anything is signed.

`eth_simulateV1` runs the real transactions one after another and reads balances before and after, in one request. A
node without it runs our probe (contracts/Probe.sol) by code override at the sender's own address instead, which calls
the same targets as the same sender in one call. Neither needs a key, a nonce or gas money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from keeper.chain.nodes.headers import quantity, unhex
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.sending.fees import TX_GAS_CAP, FeePolicy
from keeper.chain.sending.l1_fees import Kind, fetch_estimate, fetch_op_fees
from keeper.chain.sending.reverts import decode_revert
from keeper.core.abi import calldata
from keeper.core.chain import Block, VaultView
from keeper.core.errors import TransientError
from keeper.core.foreign import printable
from keeper.core.module_calls import FAILED_QUIETLY, may_fail_quietly, says_it_failed
from keeper.core.plan import Call, Calls, Purpose, Simulation
from keeper.core.units import WHOLE_BPS, Address, Token

NOBODY = Address("0x0000000000000000000000000000000000000000")
SCALE = "0x6b65657065720000000000000000000062616c61"
"""Where the code below is put for the length of a simulation: "keeper…bala", nobody's address."""
BALANCE_CODE = "0x6000" + "35" + "31" + "6000" + "52" + "6020" + "6000" + "f3"
"""Returns the native balance of the address in its first word: BALANCE(CALLDATALOAD(0))."""

RUN = "run((address,uint256,bytes)[],address[],address)"


@dataclass(frozen=True, slots=True)
class Ran:
    """What the node said. `needed` is what the first transaction needs at its peak, refunds not yet given back."""

    failure: str
    gas: tuple[int, ...] = ()
    needed: int = 0
    deltas: Mapping[Token, int] | None = None


class Simulator:
    """Guarantees that whatever cannot be simulated says so in `failure`, and so is never traded. Does not promise that
    execution in a later block does the same: min_out bounds the difference.
    """

    def __init__(
        self, rpc: Rpc, policy: FeePolicy, probe: bytes, *, margin_bps: int = 2_000, l1: Kind = "none"
    ) -> None:
        """`probe` is the runtime code of Probe.sol; `margin_bps` is put on top of the gas that was needed; `l1` says
        how the chain charges for its L1."""
        self._rpc, self._policy, self._probe, self._margin_bps, self._l1 = rpc, policy, probe, margin_bps, l1
        self._has_simulate = True
        self._takes_hash = True

    def simulate(self, calls: Calls, view: VaultView) -> Simulation:
        """Raises Unreachable where no node answers."""
        if calls.next.inner and calls.next.to == view.account == view.sender:
            # For owners to sign, whose signatures nobody has yet: what is inside, as the account's own calls.
            calls = Calls(calls.steps)
        tokens = _tokens(calls, view)
        ran, fees = self._run(calls.sequence, view, tokens), self._policy.first(view.block.base_fee, view.tip)
        if ran.failure and _acts_itself(calls.next):
            ran = replace(ran, failure=self._with_reason_inside(ran.failure, calls.next, view, tokens))
        l1_fees: tuple[int, ...] = ()
        try:
            if self._l1 == "node" and not ran.failure:
                ran = self._as_estimated(ran, calls, view)
            if self._l1 == "op" and not ran.failure:
                chain_id, at = view.block.chain_id, hex(view.block.number)
                l1_fees = fetch_op_fees(self._rpc, chain_id, calls.sequence, ran.gas, fees, at)
        except TransientError as error:
            ran = replace(ran, failure=f"its cost is not known: {printable(str(error), 300)}")
        limit, too_much = self._gas_limit(ran.needed, view.block)
        return Simulation(
            block_number=view.block.number,
            failure=ran.failure or too_much,
            gas=ran.gas,
            deltas=ran.deltas or {},
            gas_limit=limit,
            fees=fees,
            l1_fees=l1_fees,
        )

    def _as_estimated(self, ran: Ran, calls: Calls, view: VaultView) -> Ran:
        """With the gas for L1 data that only the node's own estimate holds. It is asked for the next transaction; the
        later ones, which cannot be estimated before it, are taken to need as much more."""
        estimate = fetch_estimate(self._rpc, calls.next, view.sender or view.account, hex(view.block.number))
        more = max(0, estimate - ran.gas[0])
        return replace(ran, gas=tuple(used + more for used in ran.gas), needed=max(ran.needed, estimate))

    def _run(self, calls: Sequence[Call], view: VaultView, tokens: Sequence[Token]) -> Ran:
        try:
            if self._has_simulate:
                answer = self._ask(lambda at: ("eth_simulateV1", [_script(calls, view, tokens), at]), view.block)
                if not (isinstance(answer, RpcError) and is_unknown_method(answer)):
                    return read_simulated(answer, calls, tokens)
                self._has_simulate = False
            answer = self._ask(lambda at: ("eth_call", self._probe_call(calls, view, tokens, at)), view.block)
            ran = read_probed(answer, calls, tokens)
            return replace(ran, failure=ran.failure or self._quiet_failure(calls[0], view))
        except TransientError as error:
            return Ran(f"cannot be simulated: {printable(str(error), 300)}")

    def _quiet_failure(self, call: Call, view: VaultView) -> str:
        """The probe does not bring back what a call returned, so the one kind that fails in silence is asked again."""
        if not may_fail_quietly(call):
            return ""
        wanted = {"from": view.sender or view.account, "to": call.to, "data": "0x" + call.data.hex()}
        answer = self._ask(lambda at: ("eth_call", [wanted, at]), view.block)
        if isinstance(answer, RpcError):
            raise answer
        return _told(0, [call], FAILED_QUIETLY) if says_it_failed(call, unhex(answer, "answer")) else ""

    def _with_reason_inside(self, failure: str, outer: Call, view: VaultView, tokens: Sequence[Token]) -> str:
        """A Safe only says that something inside failed: what, its account's own calls say, one after another."""
        inside = self._run(outer.inner, replace(view, sender=view.account), tokens).failure
        return f"{failure}: {inside.replace('transaction', 'step', 1)}" if inside else failure

    def _ask(self, request: Any, block: Block) -> Any:
        """The answer at exactly this block: by hash, or by number where the node does not take a hash."""
        if self._takes_hash:
            answer = self._one(*request({"blockHash": block.hash}))
            if not isinstance(answer, RpcError) or is_unknown_method(answer):
                return answer
        by_number = self._one(*request(hex(block.number)))
        if self._takes_hash and not isinstance(by_number, RpcError):
            self._takes_hash = False
        return by_number

    def _one(self, method: str, params: list[Any]) -> Any:
        try:
            return self._rpc.call(method, params)
        except RpcError as error:
            return error

    def _probe_call(self, calls: Sequence[Call], view: VaultView, tokens: Sequence[Token], at: Any) -> list[Any]:
        actor = view.sender or view.account
        wanted = [(call.to, call.value, call.data) for call in calls]
        data = calldata(RUN, wanted, [token.address for token in tokens], view.account)
        override = {actor: {"code": "0x" + self._probe.hex()}}
        return [{"from": actor, "to": actor, "data": "0x" + data.hex()}, at, override]

    def _gas_limit(self, needed: int, block: Block) -> tuple[int, str]:
        """Needed gas, plus what EIP-150 keeps back from inner calls (1/64), plus the margin; and why that cannot be."""
        most = min(TX_GAS_CAP, block.gas_limit)
        if needed > most:
            return most, f"needs {needed:,} gas, a transaction may have {most:,}"
        wanted = -(-needed * 64 * (WHOLE_BPS + self._margin_bps) // (63 * WHOLE_BPS))
        return min(wanted, most), ""


def _acts_itself(call: Call) -> bool:
    """What is inside stands there whole, approvals included: run as the account's own calls it does the same."""
    return any(step.purpose in (Purpose.APPROVE, Purpose.REVOKE) for step in call.inner)


def _tokens(calls: Calls, view: VaultView) -> tuple[Token, ...]:
    spent = [call.spends.token for call in calls.sequence if call.spends is not None]
    everything = dict.fromkeys([*view.holdings, *view.balances, *spent])
    return (view.native.token, *(token for token in everything if not token.is_native))


def is_unknown_method(error: RpcError) -> bool:
    """The node has no such method, or the provider does not offer it."""
    text = error.message.lower()
    words = ("not found", "does not exist", "not supported", "unsupported", "unknown", "not available", "not allowed")
    return error.code == -32601 or ("method" in text and any(word in text for word in words))


# --- eth_simulateV1 --------------------------------------------------------------------------------------------------


def _script(calls: Sequence[Call], view: VaultView, tokens: Sequence[Token]) -> dict[str, Any]:
    """Balances, the transactions, balances. Without validation no gas is charged, so the sender may have no gas money
    and the native balance moves by values alone; it must still own what it sends along."""
    actor = view.sender or view.account
    balances = [_balance_call(token, view.account) for token in tokens]
    gas = hex(min(TX_GAS_CAP, view.block.gas_limit // 2))
    wanted = [
        {"from": actor, "to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value), "gas": gas}
        for call in calls
    ]
    block = {
        # Some nodes simulate at time 1; deadlines, feeds and accruals need the time of a next block.
        "blockOverrides": {"time": hex(view.block.timestamp + 1)},
        "stateOverrides": {SCALE: {"code": BALANCE_CODE}},
        "calls": [*balances, *wanted, *balances],
    }
    return {"blockStateCalls": [block], "validation": False, "traceTransfers": False}


def _balance_call(token: Token, account: Address) -> dict[str, str]:
    if token.is_native:
        return {"from": NOBODY, "to": SCALE, "data": "0x" + bytes(12).hex() + account[2:].lower()}
    return {"from": NOBODY, "to": token.address, "data": "0x" + calldata("balanceOf(address)", account).hex()}


def read_simulated(answer: Any, calls: Sequence[Call], tokens: Sequence[Token]) -> Ran:
    """Raises TransientError where the answer is an error or not what was asked for."""
    if isinstance(answer, RpcError):
        raise answer
    ends = _ends(answer)
    count = len(tokens)
    if len(ends) != 2 * count + len(calls):
        raise TransientError(f"eth_simulateV1: expected {2 * count + len(calls)} results, found {len(ends)}")
    before, ours, after = ends[:count], ends[count:-count], ends[-count:]
    gas = tuple(quantity(end.get("gasUsed"), "gas used") for end in ours)
    reasons = [_why_failed(call, end) for call, end in zip(calls, ours, strict=True)]
    failure = next((_told(i, calls, reason) for i, reason in enumerate(reasons) if reason), "")
    deltas = {token: _balance(a, token) - _balance(b, token) for token, b, a in zip(tokens, before, after, strict=True)}
    return Ran(failure, gas, _peak(ours[0], gas[0]), deltas)


def _ends(answer: Any) -> list[dict[str, Any]]:
    try:
        ends = answer[0]["calls"]
    except (KeyError, IndexError, TypeError):
        ends = None
    if not isinstance(ends, list) or not all(isinstance(end, dict) for end in ends):
        raise TransientError("eth_simulateV1: expected one block of calls, found something else")
    return ends


def _peak(end: Mapping[str, Any], used: int) -> int:
    """Gas before refunds. Refunds are at most 1/5 of what was used before them (EIP-3529), so 5/4 bounds it where the
    node does not tell."""
    told = end.get("maxUsedGas")
    return max(used, quantity(told, "max used gas")) if told is not None else -(-used * 5 // 4)


def _balance(end: Mapping[str, Any], token: Token) -> int:
    data = unhex(end.get("returnData"), f"balance of {token.symbol}")
    if quantity(end.get("status"), "status") != 1 or len(data) < 32:
        raise TransientError(f"balance of {token.symbol} cannot be read")
    return int.from_bytes(data[:32], "big")


def _why_failed(call: Call, end: Mapping[str, Any]) -> str:
    """Empty where it succeeded, and does not say otherwise by what it returned."""
    if quantity(end.get("status"), "status") != 1:
        return _reason(end)
    return FAILED_QUIETLY if says_it_failed(call, unhex(end.get("returnData") or "0x", "answer")) else ""


def _reason(end: Mapping[str, Any]) -> str:
    data = unhex(end.get("returnData") or "0x", "revert data")
    if data:
        return decode_revert(data)
    error = end.get("error")
    message = str(error.get("message", "")) if isinstance(error, dict) else ""
    return printable(message, 200) or decode_revert(b"")


def _told(index: int, calls: Sequence[Call], reason: str) -> str:
    place = f"transaction {index + 1} of {len(calls)}, " if len(calls) > 1 else ""
    return f"{place}{calls[index].text}: {reason}"


# --- the probe -------------------------------------------------------------------------------------------------------


def read_probed(answer: Any, calls: Sequence[Call], tokens: Sequence[Token]) -> Ran:
    """Raises TransientError where the answer is an error or not what was asked for."""
    if isinstance(answer, RpcError):
        raise answer
    try:
        ok, failed, reason, used, deltas = decode(
            ["bool", "uint256", "bytes", "uint256[]", "int256[]"], unhex(answer, "probe")
        )
    except (DecodingError, OverflowError):
        raise TransientError("probe: the node ignored the code override") from None
    gas = tuple(paid_gas(call.data, inner) for call, inner in zip(calls, used, strict=False))
    if len(deltas) != len(tokens) or not gas:
        raise TransientError(f"probe: expected {len(tokens)} balances, found {len(deltas)}")
    failure = "" if ok else _told(min(failed, len(calls) - 1), calls, decode_revert(reason))
    return Ran(failure, gas, gas[0], dict(zip(tokens, deltas, strict=True)))


def paid_gas(data: bytes, inner: int) -> int:
    """Gas of a transaction whose call used `inner`: 21,000, calldata at 4 a zero and 16 another byte (EIP-2028), and
    at least 10 and 40 a byte in all (EIP-7623)."""
    zeros = data.count(0)
    tokens = zeros + 4 * (len(data) - zeros)
    return 21_000 + max(4 * tokens + inner, 10 * tokens)
