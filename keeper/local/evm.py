"""A chain in memory: blocks, state and execution by py-evm, without a network, a mempool or a miner.

Guarantees that every block's state can be read for as long as the chain lives, and that the same inputs give the same
hashes. Does not keep transaction or receipt tries: their roots in the header are digests, as nobody proves anything
against this chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth._utils.address import generate_contract_address
from eth.abc import BlockHeaderAPI, StateAPI
from eth.constants import CREATE_CONTRACT_ADDRESS, EMPTY_UNCLE_HASH, ZERO_ADDRESS, ZERO_HASH32
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert
from eth.vm.chain_context import ChainContext
from eth.vm.forks.shanghai import ShanghaiVM
from eth.vm.forks.shanghai.blocks import ShanghaiBlockHeader
from eth.vm.message import Message
from eth_typing import Address as Account
from eth_typing import BlockNumber, Hash32
from eth_utils.crypto import keccak

GAS_LIMIT = 30_000_000
BLOCK_SECONDS = 12
HASHES = 256
"""How many hashes BLOCKHASH reaches back."""

State = StateAPI
Log = tuple[bytes, tuple[int, ...], bytes]
"""Address, topics, data."""


class Refused(Exception):
    """A call or a transaction that was not run at all, in the words of a node."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be run. `to` is None for a new contract; `price` is wei per gas as GASPRICE tells it."""

    sender: Account
    to: Account | None
    data: bytes
    value: int = 0
    gas: int = GAS_LIMIT
    price: int = 0

    @property
    def intrinsic(self) -> int:
        """Gas before the first opcode (EIP-2028; EIP-3860 for new contracts)."""
        zeros = self.data.count(0)
        words = -(-len(self.data) // 32)
        return 21_000 + 4 * zeros + 16 * (len(self.data) - zeros) + (32_000 + 2 * words if self.to is None else 0)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it. `error` is empty where it succeeded; `peak` is gas used before refunds."""

    error: str
    reverted: bool
    output: bytes
    gas_used: int
    peak: int
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction, or one of an account that this chain trusts by name (then `signature` is zeros)."""

    hash: bytes
    ask: Ask
    nonce: int
    kind: int
    fee_cap: int
    tip_cap: int
    signature: tuple[int, int, int] = (0, 0, 0)

    def price(self, base_fee: int) -> int:
        """{wei / gas} what it pays in a block of this base fee."""
        return min(self.fee_cap, base_fee + self.tip_cap)


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in its block."""

    transaction: Transaction
    ran: Ran
    price: int
    created: Account | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A block with its transactions: none or one, as every transaction gets a block of its own."""

    header: BlockHeaderAPI
    mined: tuple[Mined, ...]
    hash: Hash32

    @property
    def number(self) -> int:
        return self.header.block_number

    @property
    def timestamp(self) -> int:
        return self.header.timestamp

    @property
    def base_fee(self) -> int:
        return self.header.base_fee_per_gas or 0


@dataclass(slots=True)
class Override:
    """What a call pretends of an account. `state` replaces its storage, `diff` only the slots it names."""

    balance: int | None = None
    nonce: int | None = None
    code: bytes | None = None
    state: Mapping[int, int] | None = None
    diff: Mapping[int, int] = field(default_factory=dict)


class Evm:
    """The chain itself. Not safe for several threads at once: whoever serves it holds a lock."""

    def __init__(self, chain_id: int, accounts: Mapping[Account, int], *, timestamp: int, base_fee: int) -> None:
        """`accounts` hold that much wei at genesis; times are Unix seconds, fees wei per gas."""
        self.chain_id = chain_id
        self.base_fee = base_fee
        self.next_timestamp: int | None = None
        self._db = AtomicDB()
        self._context = ChainContext(chain_id)
        self.blocks: list[Sealed] = []
        self._numbers: dict[bytes, int] = {}
        self._places: dict[bytes, tuple[int, int]] = {}
        state = self._state(self._header(ZERO_HASH32, 0, timestamp))
        for address, balance in accounts.items():
            state.set_balance(address, balance)
        self._seal(state, self._header(ZERO_HASH32, 0, timestamp), ())

    # --- looking -----------------------------------------------------------------------------------------------------

    @property
    def head(self) -> Sealed:
        return self.blocks[-1]

    def block_by_hash(self, wanted: bytes) -> Sealed | None:
        number = self._numbers.get(wanted)
        return None if number is None else self.blocks[number]

    def find(self, wanted: bytes) -> tuple[Sealed, int] | None:
        """The block that holds this transaction, and its place in it."""
        place = self._places.get(wanted)
        return None if place is None else (self.blocks[place[0]], place[1])

    def state_at(self, block: Sealed) -> State:
        """A fresh state of this block, whose changes nobody sees."""
        return self._state(block.header)

    def state_after(self, block: Sealed, timestamp: int | None = None) -> State:
        """The state of this block, in the surroundings of the one that would follow it."""
        when = timestamp if timestamp is not None else self.time_after(block)
        return self._state(self._header(block.hash, block.number + 1, when, block.header.state_root))

    def time_after(self, block: Sealed) -> int:
        """The timestamp of the next block, unless somebody sets another."""
        natural = block.timestamp + BLOCK_SECONDS
        return natural if self.next_timestamp is None or block is not self.head else self.next_timestamp

    # --- building ----------------------------------------------------------------------------------------------------

    def mine(self, transaction: Transaction | None = None) -> Sealed:
        """Adds a block with this transaction, or an empty one. Raises Refused where it cannot be paid for."""
        parent = self.head
        number, when = parent.number + 1, self.time_after(parent)
        header = self._header(parent.hash, number, when, parent.header.state_root)
        state = self._state(header)
        mined = () if transaction is None else (self._apply(state, transaction),)
        self.next_timestamp = None
        return self._seal(state, header, mined)

    def rewind(self, number: int) -> None:
        """Forgets every block after this one, and what was in them: a reorg, or a day that begins again."""
        for block in self.blocks[number + 1 :]:
            self._numbers.pop(block.hash, None)
            for one in block.mined:
                self._places.pop(one.transaction.hash, None)
        del self.blocks[number + 1 :]
        self.next_timestamp = None

    def _apply(self, state: State, transaction: Transaction) -> Mined:
        """Buys the gas, runs, gives back what is left and pays the tip. The base fee is burnt."""
        ask, price = transaction.ask, transaction.price(self.base_fee)
        created = generate_contract_address(ask.sender, transaction.nonce) if ask.to is None else None
        state.delta_balance(ask.sender, -ask.gas * price)
        ran = run(state, ask)
        state.delta_balance(ask.sender, (ask.gas - ran.gas_used) * price)
        state.delta_balance(ZERO_ADDRESS, ran.gas_used * (price - self.base_fee))
        return Mined(transaction, ran, price, created)

    def _seal(self, state: State, header: BlockHeaderAPI, mined: tuple[Mined, ...]) -> Sealed:
        state.lock_changes()
        state.persist()
        sealed = header.copy(
            state_root=state.state_root,
            gas_used=sum(one.ran.gas_used for one in mined),
            transaction_root=keccak(b"".join(one.transaction.hash for one in mined)),
        )
        block = Sealed(sealed, mined, sealed.hash)
        self._numbers[block.hash] = len(self.blocks)
        for index, one in enumerate(mined):
            self._places[one.transaction.hash] = len(self.blocks), index
        self.blocks.append(block)
        return block

    def _header(self, parent: Hash32, number: int, timestamp: int, root: bytes | None = None) -> BlockHeaderAPI:
        fields: dict[str, Any] = {} if root is None else {"state_root": root}
        return ShanghaiBlockHeader(
            difficulty=0,
            block_number=BlockNumber(number),
            gas_limit=GAS_LIMIT,
            timestamp=timestamp,
            coinbase=ZERO_ADDRESS,
            parent_hash=parent,
            uncles_hash=EMPTY_UNCLE_HASH,
            base_fee_per_gas=self.base_fee,
            **fields,
        )

    def _state(self, header: BlockHeaderAPI) -> State:
        number = header.block_number
        hashes = [block.hash for block in reversed(self.blocks[max(0, number - HASHES) : number])]
        return ShanghaiVM.build_state(self._db, header, self._context, hashes)


def override(state: State, changes: Mapping[Account, Override]) -> None:
    for address, change in changes.items():
        if change.balance is not None:
            state.set_balance(address, change.balance)
        if change.nonce is not None:
            state.set_nonce(address, change.nonce)
        if change.code is not None:
            state.set_code(address, change.code)
        if change.state is not None:
            state.delete_storage(address)
        for slot, value in {**(change.state or {}), **change.diff}.items():
            state.set_storage(address, slot, value)


def run(state: State, ask: Ask) -> Ran:
    """Runs one call on `state` as a transaction of its own, gas accounting included, without charging for it.

    Raises Refused where it could not even begin.
    """
    if ask.gas < ask.intrinsic:
        raise Refused(f"intrinsic gas too low: gas {ask.gas}, minimum needed {ask.intrinsic}")
    balance = state.get_balance(ask.sender)
    if balance < ask.value:
        who = "0x" + ask.sender.hex()
        raise Refused(f"insufficient funds for gas * price + value: address {who} have {balance} want {ask.value}")
    nonce = state.get_nonce(ask.sender)
    state.increment_nonce(ask.sender)
    created = generate_contract_address(ask.sender, nonce) if ask.to is None else None
    message = Message(
        gas=ask.gas - ask.intrinsic,
        to=CREATE_CONTRACT_ADDRESS if ask.to is None else ask.to,
        sender=ask.sender,
        value=ask.value,
        data=b"" if ask.to is None else ask.data,
        code=ask.data if ask.to is None else state.get_code(ask.to),
        create_address=created,  # type: ignore[arg-type]  # py-evm means None and says Address
    )
    for address in (ask.sender, message.storage_address):
        state.mark_address_warm(address)
    context = state.get_transaction_context_class()(gas_price=ask.price, origin=ask.sender)
    apply = state.computation_class.apply_create_message if ask.to is None else state.computation_class.apply_message
    done = apply(state, message, context)
    for address in done.get_accounts_for_deletion():
        state.delete_account(address)
    peak = ask.gas - done.get_gas_remaining()
    refund = min(done.get_gas_refund(), peak // 5)
    return Ran(
        error=_told(done.error) if done.is_error else "",
        reverted=done.is_error and isinstance(done.error, Revert),
        output=done.output,
        gas_used=peak - refund,
        peak=peak,
        logs=tuple((address, tuple(topics), data) for address, topics, data in done.get_log_entries()),
    )


def _told(error: Exception) -> str:
    """A VM error in the words that nodes use for it."""
    words = {"Revert": "execution reverted", "OutOfGas": "out of gas", "InvalidInstruction": "invalid opcode"}
    return words.get(type(error).__name__, str(error) or type(error).__name__)


def run_all(state: State, asks: Sequence[Ask]) -> list[Ran]:
    """One after another, each seeing what the ones before it did. The state cannot go back to an earlier snapshot."""
    done = []
    for ask in asks:
        # What one transaction stored is the "original value" that the next one's SSTORE is priced against (EIP-2200).
        state.lock_changes()
        done.append(run(state, ask))
    return done
