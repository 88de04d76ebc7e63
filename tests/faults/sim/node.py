"""One node's JSON-RPC, without a socket: what keeper asks, answered from the chain as this node sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_utils.crypto import keccak

from keeper.chain.nodes.calls import READER
from keeper.chain.sending.simulated import SCALE
from keeper.core.abi import selector
from tests.builders import CHAIN
from tests.faults.sim.ledger import ORACLE, Ledger, Reverted
from tests.faults.sim.network import GAS_LIMIT, Network, SimBlock, View
from tests.faults.sim.pool import Refused

_BALANCE, _ALLOWANCE = selector("balanceOf(address)"), selector("allowance(address,address)")
_REVERT = selector("Error(string)")
_NOBODY = bytes(20)
_ORACLE = bytes.fromhex(ORACLE[2:])


class NodeError(Exception):
    """An error answer: code, message, data."""

    def __init__(self, message: str, code: int = -32000, data: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


def word(figure: int) -> bytes:
    return (figure % (1 << 256)).to_bytes(32, "big")


@dataclass(slots=True)
class SimNode:
    """Answers one request at a time. Raises NodeError for what JSON-RPC calls an error."""

    network: Network
    view: View
    name: str = "node"
    asked: dict[str, int] = field(default_factory=dict)

    @property
    def blocks(self) -> Sequence[SimBlock]:
        return self.network.blocks(self.view)

    def handle(self, method: str, params: Sequence[Any]) -> Any:
        self.asked[method] = self.asked.get(method, 0) + 1
        answer = getattr(self, f"_{method}", None)
        if answer is None:
            raise NodeError(f"the method {method} does not exist/is not available", -32601)
        return answer(*params)

    # --- blocks ------------------------------------------------------------------------------------------------------

    def _at(self, tag: Any) -> SimBlock:
        blocks = self.blocks
        if isinstance(tag, Mapping):
            if "blockHash" not in tag:
                tag = tag["blockNumber"]
            else:
                found = next((block for block in reversed(blocks) if block.hash == tag["blockHash"]), None)
                if found is None:
                    raise NodeError("header not found")
                return found
        if tag in ("latest", "pending"):
            return blocks[-1]
        number = min(self.network.finalized, len(blocks) - 1) if tag in ("finalized", "safe") else int(tag, 16)
        if number >= len(blocks):
            raise NodeError("header not found")
        return blocks[number]

    def _eth_chainId(self) -> str:
        return hex(CHAIN)

    def _net_version(self) -> str:
        return str(CHAIN)

    def _eth_syncing(self) -> bool:
        return False

    def _eth_blockNumber(self) -> str:
        return hex(self.blocks[-1].number)

    def _eth_getBlockByNumber(self, tag: str, full: bool = False) -> Any:
        try:
            return header(self._at(tag))
        except NodeError:
            return None

    def _eth_getBlockByHash(self, block_hash: str, full: bool = False) -> Any:
        return self._eth_getBlockByNumber({"blockHash": block_hash})  # type: ignore[arg-type]

    def _eth_feeHistory(self, count: Any, newest: Any, percentiles: list[int]) -> Any:
        block = self._at(newest)
        size = min(int(count, 16) if isinstance(count, str) else count, block.number + 1)
        fees = [hex(self.blocks[block.number - size + 1 + at].base_fee) for at in range(size)]
        tip = hex(self.network.tip)
        return {
            "oldestBlock": hex(block.number - size + 1),
            "baseFeePerGas": [*fees, hex(self.network.base_fee)],
            "gasUsedRatio": [0.5] * size,
            "reward": [[tip] * len(percentiles)] * size,
        }

    def _eth_gasPrice(self) -> str:
        return hex(self.network.base_fee + self.network.tip)

    def _eth_maxPriorityFeePerGas(self) -> str:
        return hex(self.network.tip)

    # --- accounts ----------------------------------------------------------------------------------------------------

    def _eth_getTransactionCount(self, account: str, tag: Any = "latest") -> str:
        count = self._at(tag).after.nonces.get(account.lower(), 0)
        if tag == "pending":
            mine = self.view.pool.waiting.get(account.lower(), {})
            while count in mine:
                count += 1
        return hex(count)

    def _eth_getBalance(self, account: str, tag: Any = "latest") -> str:
        return hex(self._at(tag).after.native.get(account.lower(), 0))

    def _eth_getCode(self, account: str, tag: Any = "latest") -> str:
        return "0x60" if account.lower() in self.network.genesis.pools else "0x"

    # --- transactions ------------------------------------------------------------------------------------------------

    def _eth_sendRawTransaction(self, raw: str) -> str:
        data = bytes.fromhex(raw[2:])
        self.network.show(data)
        try:
            self.view.pool.add(data, self.blocks[-1].after)
        except Refused as refused:
            raise NodeError(str(refused)) from None
        return "0x" + keccak(data).hex()

    def _mined(self, tx_hash: str) -> tuple[SimBlock, dict[str, Any]] | None:
        blocks = self.blocks
        # What is looked for is near the head, where it is anywhere.
        for at in range(len(blocks) - 1, max(-1, len(blocks) - 400), -1):
            if (receipt := blocks[at].receipts.get(tx_hash)) is not None:
                return blocks[at], receipt
        return None

    def _eth_getTransactionReceipt(self, tx_hash: str) -> Any:
        found = self._mined(tx_hash)
        return dict(found[1]) if found else None

    def _eth_getTransactionByHash(self, tx_hash: str) -> Any:
        found = self._mined(tx_hash)
        if found:
            tx = next(tx for tx in found[0].txs if tx.hash == tx_hash)
            place = {"blockHash": found[0].hash, "blockNumber": hex(found[0].number)}
        elif (pooled := self.view.pool.hashes.get(tx_hash)) is not None:
            tx, place = pooled, {"blockHash": None, "blockNumber": None}
        else:
            return None
        return {
            "hash": tx.hash,
            "from": tx.sender,
            "to": tx.to,
            "nonce": hex(tx.nonce),
            "input": "0x" + tx.data.hex(),
            "value": hex(tx.value),
            "gas": hex(tx.gas),
            "chainId": hex(tx.chain_id),
            "maxFeePerGas": hex(tx.cap),
            "maxPriorityFeePerGas": hex(tx.tip),
            "type": "0x2",
            **place,
        }

    def _eth_getRawTransactionByHash(self, tx_hash: str) -> Any:
        known = self.view.pool.hashes.get(tx_hash)
        return "0x" + known.raw.hex() if known else None

    # --- calls -------------------------------------------------------------------------------------------------------

    def _eth_call(self, call: Mapping[str, Any], tag: Any = "latest", overrides: Any = None) -> str:
        block, data = self._at(tag), bytes.fromhex(call.get("data", "0x")[2:])
        if str(call["to"]).lower() == READER:
            return "0x" + _packed(block, data).hex()
        try:
            ledger = block.after.copy()  # a call changes nothing that stays
            return "0x" + view_call(ledger, bytes.fromhex(call["to"][2:]), data, call, block.timestamp).hex()
        except Reverted as reason:
            text = str(reason).encode()
            wrapped = _REVERT + word(32) + word(len(text)) + text.ljust(-(-len(text) // 32) * 32, b"\0")
            raise NodeError(f"execution reverted: {reason}", 3, "0x" + wrapped.hex()) from None

    def _eth_simulateV1(self, script: Mapping[str, Any], tag: Any = "latest") -> Any:
        block = self._at(tag)
        ledger, wanted = block.after.copy(), script["blockStateCalls"][0]
        now = int(wanted.get("blockOverrides", {}).get("time", hex(block.timestamp + 1)), 16)
        ends = []
        for call in wanted["calls"]:
            to, data = bytes.fromhex(call["to"][2:]), bytes.fromhex(call["data"][2:])
            try:
                out = view_call(ledger, to, data, call, now)
                ends.append({"status": "0x1", "returnData": "0x" + out.hex(), "gasUsed": hex(120_000), "logs": []})
            except Reverted as reason:
                ends.append(
                    {"status": "0x0", "returnData": "0x", "gasUsed": "0x5208", "error": {"message": str(reason)}}
                )
        return [header(block) | {"calls": ends}]


def header(block: SimBlock) -> dict[str, Any]:
    return {
        "number": hex(block.number),
        "hash": block.hash,
        "parentHash": block.parent,
        "timestamp": hex(block.timestamp),
        "baseFeePerGas": hex(block.base_fee),
        "gasLimit": hex(GAS_LIMIT),
        "gasUsed": hex(21_000 * len(block.txs)),
        "transactions": [tx.hash for tx in block.txs],
    }


def view_call(ledger: Ledger, to: bytes, data: bytes, call: Mapping[str, Any], now: int) -> bytes:
    """What a contract answers; a swap changes this ledger. Raises Reverted."""
    target = "0x" + to.hex()
    if target == SCALE:
        return word(ledger.native.get("0x" + data[12:32].hex(), 0))
    if to == _ORACLE:
        return word(ledger.price)
    if data[:4] == _BALANCE:
        return word(ledger.of(target, "0x" + data[16:36].hex()))
    if data[:4] == _ALLOWANCE:
        return word(1 << 200)
    if target in ledger.pools:
        if data[:4] == b"swap":
            ledger.swap(str(call["from"]).lower(), target, data, now)
            return b""
        return b"".join(word(reserve) for reserve in ledger.reserves(target))
    return b""


def _packed(block: SimBlock, data: bytes) -> bytes:
    """What the packed reader returns: number, parent and chain from the opcodes, then each answer."""
    out, count = b"", 0
    while data:
        target, length = data[:20], int.from_bytes(data[20:23], "big")
        asked, data = data[23 : 23 + length], data[23 + length :]
        if target == _NOBODY:
            found = word(block.after.native.get("0x" + asked.hex(), 0))
        else:
            found = view_call(block.after, target, asked, {}, block.timestamp)
        out, count = out + b"\1" + len(found).to_bytes(3, "big") + found, count + 1
    sight = word(block.number) + bytes.fromhex(block.parent[2:]) + word(CHAIN) + word(block.timestamp)
    return sight + word(count) + out
