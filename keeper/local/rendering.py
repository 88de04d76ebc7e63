"""Blocks, transactions, receipts and logs of the embedded chain, as JSON-RPC writes them."""

from __future__ import annotations

from typing import Any

from eth_utils.address import to_checksum_address

from keeper.local.evm import Log, Sealed

NO_BLOOM = "0x" + "00" * 256


def as_hex(data: bytes) -> str:
    return "0x" + data.hex()


def render_address(address: bytes | None) -> str | None:
    return None if address is None else to_checksum_address(address)


def render_block(block: Sealed, full: bool) -> dict[str, Any]:
    """Where `full`, with whole transactions instead of their hashes."""
    header = block.header
    mined = range(len(block.mined))
    return {
        "number": hex(block.number),
        "hash": as_hex(block.hash),
        "parentHash": as_hex(header.parent_hash),
        "timestamp": hex(block.timestamp),
        "baseFeePerGas": hex(block.base_fee),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "miner": render_address(header.coinbase),
        "stateRoot": as_hex(header.state_root),
        "transactionsRoot": as_hex(header.transaction_root),
        "receiptsRoot": as_hex(header.receipt_root),
        "sha3Uncles": as_hex(header.uncles_hash),
        "mixHash": as_hex(header.mix_hash),
        "nonce": as_hex(header.nonce),
        "extraData": as_hex(header.extra_data),
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "size": "0x0",
        "logsBloom": NO_BLOOM,
        "uncles": [],
        "transactions": [
            render_transaction(block, index) if full else as_hex(block.mined[index].transaction.hash) for index in mined
        ],
    }


def _place(block: Sealed, index: int) -> dict[str, Any]:
    return {
        "blockHash": as_hex(block.hash),
        "blockNumber": hex(block.number),
        "transactionHash": as_hex(block.mined[index].transaction.hash),
        "transactionIndex": hex(index),
    }


def render_transaction(block: Sealed, index: int) -> dict[str, Any]:
    mined = block.mined[index]
    tx, ask = mined.transaction, mined.transaction.ask
    place = _place(block, index)
    v, r, s = tx.signature
    fields = {
        "hash": place.pop("transactionHash"),
        **place,
        "type": hex(tx.kind),
        "from": render_address(ask.sender),
        "to": render_address(ask.to),
        "nonce": hex(tx.nonce),
        "value": hex(ask.value),
        "input": as_hex(ask.data),
        "gas": hex(ask.gas),
        "gasPrice": hex(mined.price),
        "v": hex(v),
        "r": hex(r),
        "s": hex(s),
    }
    if tx.kind == 2:
        fields |= {"maxFeePerGas": hex(tx.fee_cap), "maxPriorityFeePerGas": hex(tx.tip_cap), "accessList": []}
    return fields


def render_receipt(block: Sealed, index: int) -> dict[str, Any]:
    mined = block.mined[index]
    gas_before = sum(one.ran.gas_used for one in block.mined[:index])
    return {
        **_place(block, index),
        "from": render_address(mined.transaction.ask.sender),
        "to": render_address(mined.transaction.ask.to),
        "type": hex(mined.transaction.kind),
        "status": "0x0" if mined.ran.error else "0x1",
        "gasUsed": hex(mined.ran.gas_used),
        "cumulativeGasUsed": hex(gas_before + mined.ran.gas_used),
        "effectiveGasPrice": hex(mined.price),
        "contractAddress": render_address(None if mined.ran.error else mined.created),
        "logs": render_logs(block, index),
        "logsBloom": NO_BLOOM,
    }


def render_logs(block: Sealed, index: int) -> list[dict[str, Any]]:
    first = sum(len(one.ran.logs) for one in block.mined[:index])
    place = _place(block, index)
    logs: tuple[Log, ...] = block.mined[index].ran.logs
    return [{**render_log(log), **place, "logIndex": hex(first + i), "removed": False} for i, log in enumerate(logs)]


def render_log(log: Log) -> dict[str, Any]:
    address, topics, data = log
    return {
        "address": render_address(address),
        "topics": [as_hex(topic.to_bytes(32, "big")) for topic in topics],
        "data": as_hex(data),
    }


def gas_and_tips(block: Sealed) -> list[tuple[int, int]]:
    """Gas used and tip per gas of each transaction, lowest tip first."""
    return sorted(((one.ran.gas_used, one.price - block.base_fee) for one in block.mined), key=_tip)


def _tip(pair: tuple[int, int]) -> int:
    return pair[1]
