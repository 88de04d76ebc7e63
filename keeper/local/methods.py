"""The JSON-RPC methods that the embedded chain answers: those a keeper asks, and a few to move time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any

from eth_typing import Address as Account

from keeper.local.calls import Calls
from keeper.local.evm import GAS_LIMIT, Evm, Sealed, Transaction
from keeper.local.node_error import NO_METHOD, SERVER_ERROR, NodeError
from keeper.local.parsing import (
    argument,
    bad,
    block_at,
    look_up,
    parse_address,
    parse_ask,
    parse_bytes,
    parse_figure,
    parse_list,
    parse_object,
    parse_quantity,
)
from keeper.local.rendering import (
    as_hex,
    gas_and_tips,
    render_address,
    render_block,
    render_logs,
    render_receipt,
    render_transaction,
)
from keeper.local.taking import check, decode_transaction, trusted_transaction

MAX_HISTORY = 1_024
CLIENT = "keeper/embedded"


class Methods:
    """One lock around one chain: every method sees it at rest. Raises NodeError."""

    def __init__(self, evm: Evm, trusted: Collection[Account], tip: int) -> None:
        """`trusted` accounts send without a signature; `tip` is suggested to others, in wei per gas."""
        self.evm, self._trusted, self._tip = evm, frozenset(trusted), tip
        self.lock = threading.RLock()
        self._calls = Calls(evm)
        self._methods = self._table()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._methods)

    def answer(self, method: str, params: list[Any]) -> Any:
        known = self._methods.get(method)
        if known is None:
            raise NodeError(NO_METHOD, f"the method {method} does not exist/is not available")
        with self.lock:
            return known(params)

    def _table(self) -> dict[str, Callable[[list[Any]], Any]]:
        evm = self.evm
        return {
            "web3_clientVersion": lambda _: CLIENT,
            "net_version": lambda _: str(evm.chain_id),
            "eth_chainId": lambda _: hex(evm.chain_id),
            "eth_accounts": lambda _: [render_address(account) for account in sorted(self._trusted)],
            "eth_syncing": lambda _: False,
            "eth_blockNumber": lambda _: hex(evm.head.number),
            "eth_gasPrice": lambda _: hex(evm.base_fee + self._tip),
            "eth_maxPriorityFeePerGas": lambda _: hex(self._tip),
            "eth_feeHistory": self._fee_history,
            "eth_getBlockByNumber": self._block,
            "eth_getBlockByHash": self._block,
            "eth_getBalance": lambda p: hex(self._state(p, 1).get_balance(parse_address(argument(p, 0)))),
            "eth_getTransactionCount": lambda p: hex(self._state(p, 1).get_nonce(parse_address(argument(p, 0)))),
            "eth_getCode": lambda p: as_hex(self._state(p, 1).get_code(parse_address(argument(p, 0)))),
            "eth_getStorageAt": self._storage,
            "eth_call": self._calls.eth_call,
            "eth_estimateGas": self._calls.eth_estimate_gas,
            "eth_simulateV1": self._calls.eth_simulate,
            "eth_sendRawTransaction": self._send_raw,
            "eth_sendTransaction": self._send_trusted,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getLogs": self._logs,
            "evm_mine": self._mine,
            "evm_increaseTime": self._increase_time,
            "evm_setNextBlockTimestamp": self._set_time,
        }

    # --- reading -----------------------------------------------------------------------------------------------------

    def _state(self, params: list[Any], place: int) -> Any:
        return self._calls.state(block_at(self.evm, argument(params, place, "latest")))

    def _block(self, params: list[Any]) -> dict[str, Any] | None:
        found = look_up(self.evm, argument(params, 0, "latest"))
        return None if found is None else render_block(found, bool(argument(params, 1, False)))

    def _storage(self, params: list[Any]) -> str:
        address, slot = parse_address(argument(params, 0)), parse_quantity(argument(params, 1))
        return as_hex(self._state(params, 2).get_storage(address, slot).to_bytes(32, "big"))

    def _fee_history(self, params: list[Any]) -> dict[str, Any]:
        """A block without transactions tells the suggested tip, so that a quiet chain does not advise zero."""
        count = parse_figure(argument(params, 0))
        newest = block_at(self.evm, argument(params, 1, "latest")).number
        percentiles = parse_list(argument(params, 2, []), "percentiles")
        if not all(type(part) in (int, float) and 0 <= part <= 100 for part in percentiles):
            raise bad("percentiles of 0 to 100", percentiles)
        blocks = self.evm.blocks[max(0, newest + 1 - min(count, MAX_HISTORY)) : newest + 1]
        base_fees = [block.base_fee for block in blocks] + [self.evm.base_fee]
        return {
            "oldestBlock": hex(blocks[0].number if blocks else newest),
            "baseFeePerGas": [hex(fee) for fee in base_fees],
            "gasUsedRatio": [block.header.gas_used / block.header.gas_limit for block in blocks],
            "reward": [[hex(self._reward(block, part)) for part in percentiles] for block in blocks],
        }

    def _reward(self, block: Sealed, percentile: float) -> int:
        """{wei / gas} The tip that this part of the block's gas paid at most."""
        left = block.header.gas_used * percentile / 100
        for gas, tip in gas_and_tips(block):
            left -= gas
            if left <= 0:
                return tip
        return self._tip

    # --- transactions ------------------------------------------------------------------------------------------------

    def _send_raw(self, params: list[Any]) -> str:
        return self.take(decode_transaction(parse_bytes(argument(params, 0)), self.evm.chain_id))

    def _send_trusted(self, params: list[Any]) -> str:
        fields = argument(params, 0)
        if parse_ask(fields).sender not in self._trusted:
            raise NodeError(SERVER_ERROR, "unknown account")
        # Estimating would run it several times; what is not used costs nothing here.
        fields = {"gas": hex(GAS_LIMIT // 2), **fields}
        return self.take(trusted_transaction(self.evm, fields, self._tip))

    def take(self, transaction: Transaction) -> str:
        """Mines it at once, in a block of its own. The transaction's hash; raises NodeError where it is refused."""
        check(self.evm, transaction, self._calls.state(self.evm.head))
        self.evm.mine(transaction)
        return as_hex(transaction.hash)

    def _transaction(self, params: list[Any]) -> dict[str, Any] | None:
        found = self.evm.find(parse_bytes(argument(params, 0), 32))
        return None if found is None else render_transaction(*found)

    def _receipt(self, params: list[Any]) -> dict[str, Any] | None:
        found = self.evm.find(parse_bytes(argument(params, 0), 32))
        return None if found is None else render_receipt(*found)

    def _logs(self, params: list[Any]) -> list[dict[str, Any]]:
        wanted = parse_object(argument(params, 0), "a filter")
        if "blockHash" in wanted:
            blocks = [block_at(self.evm, {"blockHash": wanted["blockHash"]})]
        else:
            ends = (block_at(self.evm, wanted.get(end) or "latest") for end in ("fromBlock", "toBlock"))
            first, last = (end.number for end in ends)
            blocks = self.evm.blocks[first : last + 1]
        addresses = _some(wanted.get("address"))
        topics = [_some(topic) for topic in parse_list(wanted.get("topics") or [], "topics")]
        logs = [log for block in blocks for i in range(len(block.mined)) for log in render_logs(block, i)]
        return [log for log in logs if _matches(log, addresses, topics)]

    # --- time --------------------------------------------------------------------------------------------------------

    def _mine(self, params: list[Any]) -> str:
        if (when := argument(params, 0)) is not None:
            self.set_time(parse_figure(when))
        self.evm.mine()
        return "0x0"

    def _increase_time(self, params: list[Any]) -> str:
        seconds = parse_figure(argument(params, 0))
        self.set_time(self.evm.time_after(self.evm.head) + seconds)
        return hex(seconds)

    def _set_time(self, params: list[Any]) -> None:
        self.set_time(parse_figure(argument(params, 0)))

    def set_time(self, timestamp: int) -> None:
        """The next block's time, in Unix seconds. Raises NodeError where it is not after the head's."""
        head = self.evm.head.timestamp
        if timestamp <= head:
            raise NodeError(SERVER_ERROR, f"timestamp: expected more than {head}, was {timestamp}")
        self.evm.next_timestamp = timestamp


def _some(wanted: Any) -> frozenset[str] | None:
    """One text or several, without regard to case; None matches everything."""
    if wanted is None:
        return None
    texts = [wanted] if isinstance(wanted, str) else parse_list(wanted, "one text or several")
    return frozenset(str(text).lower() for text in texts)


def _matches(log: dict[str, Any], addresses: frozenset[str] | None, topics: list[frozenset[str] | None]) -> bool:
    if addresses is not None and log["address"].lower() not in addresses:
        return False
    if len(topics) > len(log["topics"]):
        return False
    return all(wanted is None or found in wanted for wanted, found in zip(topics, log["topics"], strict=False))
