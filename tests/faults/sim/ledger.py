"""What is true: balances, nonces and a market, changed by transactions that a signer without a key made.

Executing a swap moves exactly what a constant-product pool would move, or reverts below min_out or after its deadline,
so that fills, reverts and sums can be judged against the ledger itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any

from eth_utils.crypto import keccak

from keeper.chain.sending.receipts import TRANSFER
from keeper.core.units import Address
from tests.builders import USDC, WETH, address

ORACLE = address(0x04AC1E)
"""Answers any read with {USD / whole WETH}, 8 decimals."""
MARKET = "0x" + b"ma".hex().rjust(40, "0")
"""Gives and takes what a move of the price needs. May owe."""
MINER = "0x" + b"mine".hex().rjust(40, "0")

SWAP = b"swap"
FEE = Fraction(5, 10_000)
SWAP_GAS, TRANSFER_GAS, INTRINSIC = 120_000, 21_000, 21_000


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction as nodes see it. On a legacy chain tip and cap are the gas price."""

    hash: str
    sender: str
    nonce: int
    to: str
    data: bytes
    value: int
    gas: int
    cap: int
    tip: int
    chain_id: int
    raw: bytes

    @property
    def is_swap(self) -> bool:
        return self.data[:4] == SWAP

    @property
    def min_out(self) -> int:
        return int.from_bytes(self.data[56:88], "big")


def swap_data(sell: Address, amount: int, min_out: int, deadline: int) -> bytes:
    return (
        SWAP + bytes.fromhex(sell[2:]) + b"".join(figure.to_bytes(32, "big") for figure in (amount, min_out, deadline))
    )


def encode_tx(sender: str, transaction: Mapping[str, object]) -> bytes:
    """What the signer without a key gives: the fields as text, the same for the same fields."""
    fields = {key: value.hex() if isinstance(value, bytes) else value for key, value in transaction.items()}
    return b"\x02" + json.dumps(fields | {"from": sender.lower()}, sort_keys=True).encode()


@lru_cache(maxsize=100_000)
def decode_tx(raw: bytes) -> Tx:
    """Raises ValueError or KeyError where these bytes are no transaction."""
    if raw[:1] != b"\x02":
        raise ValueError("not a transaction of this ledger")
    fields: dict[str, Any] = json.loads(raw[1:])
    price = fields.get("gasPrice")
    return Tx(
        hash="0x" + keccak(raw).hex(),
        sender=fields["from"],
        nonce=fields["nonce"],
        to=fields["to"].lower(),
        data=bytes.fromhex(fields["data"]),
        value=fields["value"],
        gas=fields["gas"],
        cap=fields["maxFeePerGas"] if price is None else price,
        tip=fields["maxPriorityFeePerGas"] if price is None else price,
        chain_id=fields["chainId"],
        raw=raw,
    )


class Reverted(Exception):
    """Why a call failed."""


@dataclass(slots=True)
class Ledger:
    """Everything that a block leaves behind. Keys in lower case."""

    tokens: dict[tuple[str, str], int] = field(default_factory=dict)
    native: dict[str, int] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)
    pools: tuple[str, ...] = ()
    price: int = 0

    def copy(self) -> Ledger:
        return Ledger(dict(self.tokens), dict(self.native), dict(self.nonces), self.pools, self.price)

    def of(self, token: str, holder: str) -> int:
        return self.tokens.get((token, holder), 0)

    def total(self, token: str) -> int:
        return sum(amount for (kind, _), amount in self.tokens.items() if kind == token)

    def reserves(self, pool: str) -> tuple[int, int]:
        return self.of(_WETH, pool), self.of(_USDC, pool)

    # --- the market --------------------------------------------------------------------------------------------------

    def move_price(self, price: int) -> None:
        """{USD / WETH, 8 decimals} Oracle and pools go there together; the market pays."""
        self.price = price
        for pool in self.pools:
            weth, usdc = self.reserves(pool)
            # {USDC raw} = {WETH raw} * {USD * 10^8 / WETH} * 10^6 / 10^8 / 10^18
            self._pay(_USDC, MARKET, pool, weth * price // 10**20 - usdc)

    def skim(self, bps: int) -> None:
        """Somebody trades before us: every pool gives less WETH and less USDC for the same by `bps`. Oracle stays."""
        for pool in self.pools:
            weth, usdc = self.reserves(pool)
            self._pay(_WETH, pool, MARKET, weth * bps // 10_000)
            self._pay(_USDC, pool, MARKET, usdc * bps // 10_000 // 2)

    def _pay(self, token: str, giver: str, taker: str, amount: int) -> None:
        self.tokens[token, giver] = self.of(token, giver) - amount
        self.tokens[token, taker] = self.of(token, taker) + amount

    # --- transactions ------------------------------------------------------------------------------------------------

    def execute(self, tx: Tx, base_fee: int, now: int) -> dict[str, Any]:
        """The receipt, without its block. The fee goes to the miner, so that native coin is kept too."""
        price = min(tx.cap, base_fee + tx.tip)
        self.nonces[tx.sender] = tx.nonce + 1
        used, status, logs = TRANSFER_GAS, 1, []
        if tx.is_swap:
            used = SWAP_GAS
            try:
                logs = self.swap(tx.sender, tx.to, tx.data, now)
            except Reverted:
                used, status = SWAP_GAS // 2, 0
        cost = used * price
        self.native[tx.sender] = self.native.get(tx.sender, 0) - cost
        self.native[MINER] = self.native.get(MINER, 0) + cost
        return {
            "transactionHash": tx.hash,
            "from": tx.sender,
            "to": tx.to,
            "type": "0x2",
            "status": hex(status),
            "gasUsed": hex(used),
            "effectiveGasPrice": hex(price),
            "logs": logs,
        }

    def swap(self, account: str, pool: str, data: bytes, now: int) -> list[dict[str, Any]]:
        """Raises Reverted."""
        sell = "0x" + data[4:24].hex()
        amount, min_out, deadline = (int.from_bytes(data[at : at + 32], "big") for at in (24, 56, 88))
        if pool not in self.pools or sell not in (_WETH, _USDC):
            raise Reverted("no such pool")
        if now > deadline:
            raise Reverted("Transaction too old")
        if self.of(sell, account) < amount or not amount:
            raise Reverted("STF")
        buy = _USDC if sell == _WETH else _WETH
        x, y = self.of(sell, pool), self.of(buy, pool)
        paid = amount * (1 - FEE).numerator
        out = paid * y // (x * FEE.denominator + paid)
        if out < min_out:
            raise Reverted("Too little received")
        self._pay(sell, account, pool, amount)
        self._pay(buy, pool, account, out)
        return [_transfer(sell, account, pool, amount), _transfer(buy, pool, account, out)]


def _transfer(token: str, giver: str, taker: str, amount: int) -> dict[str, Any]:
    topics = [TRANSFER, *("0x" + side[2:].rjust(64, "0") for side in (giver, taker))]
    return {"address": token, "topics": topics, "data": "0x" + amount.to_bytes(32, "big").hex()}


_WETH, _USDC = WETH.address.lower(), USDC.address.lower()


def open_ledger(accounts: list[str], pools: list[str], price: int = 3_000) -> Ledger:
    """Every account has 100 ETH, 100 WETH and as much again in USDC; pools are 100 times as deep."""
    ledger = Ledger(pools=tuple(pool.lower() for pool in pools), price=price * 10**8)
    for account in (each.lower() for each in accounts):
        ledger.native[account] = 100 * 10**18
        ledger.tokens[_WETH, account] = 100 * 10**18
        ledger.tokens[_USDC, account] = 100 * price * 10**6
    for pool in ledger.pools:
        ledger.tokens[_WETH, pool] = 10_000 * 10**18
        ledger.tokens[_USDC, pool] = 10_000 * price * 10**6
    return ledger
