"""What really happened: a receipt, checked; fills from its Transfer logs; what it cost. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from keeper.chain.nodes.headers import hash_of, quantity
from keeper.core.chain import Unusable
from keeper.core.errors import TransientError
from keeper.core.sending import Attempt, Expectation, Fill, Mined
from keeper.core.text import amount as shown
from keeper.core.units import Address, Rounding, Token, TokenAmount, Wei

TRANSFER = "0x" + keccak(text="Transfer(address,address,uint256)").hex()


@dataclass(frozen=True, slots=True)
class Log:
    """An event; everything in lower-case hex."""

    address: str
    topics: tuple[str, ...]
    data: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """As the node gives it, checked for what a lie or an old node would leave out."""

    hash: str
    block_number: int
    block_hash: str
    status: int
    gas_used: int
    gas_cost: Wei
    """L1 data fee included where the chain has one."""
    logs: tuple[Log, ...]

    def mined(self, timestamp: int) -> Mined:
        return Mined(
            self.hash, self.block_number, self.block_hash, timestamp, self.status, self.gas_used, self.gas_cost
        )


def parse_receipt(raw: Any, attempt: Attempt, sender: Address) -> Receipt | Unusable | None:
    """None where the node knows of no receipt; Unusable where what it says cannot be ours or is incomplete."""
    if raw is None:
        return None
    try:
        receipt = _receipt(raw)
        origin = str(raw["from"]).lower()
    except (KeyError, TypeError, ValueError, AttributeError, TransientError) as error:
        return Unusable(f"receipt of {attempt.hash}: damaged or incomplete ({type(error).__name__}: {error})")
    if receipt.hash != attempt.hash.lower():
        return Unusable(f"receipt: expected {attempt.hash}, was {receipt.hash}")
    if origin != sender.lower():
        return Unusable(f"receipt of {attempt.hash}: expected sender {sender}, was {origin}")
    return receipt


def _receipt(raw: Mapping[str, Any]) -> Receipt:
    status = quantity(raw["status"], "status")
    if status not in (0, 1):
        raise ValueError(f"status {status}")
    gas_used = quantity(raw["gasUsed"], "gas used")
    # {wei} = {gas} * {wei / gas} + {wei}
    cost = gas_used * quantity(raw["effectiveGasPrice"], "gas price") + quantity(raw.get("l1Fee") or "0x0", "L1 fee")
    return Receipt(
        hash=hash_of(raw["transactionHash"], "transaction"),
        block_number=quantity(raw["blockNumber"], "block number"),
        block_hash=hash_of(raw["blockHash"], "block hash"),
        status=status,
        gas_used=gas_used,
        gas_cost=Wei(cost),
        logs=parse_logs(raw["logs"]),
    )


def parse_logs(raw: Any) -> tuple[Log, ...]:
    """Raises KeyError, TypeError or AttributeError where the node's logs are damaged."""
    return tuple(
        Log(log["address"].lower(), tuple(topic.lower() for topic in log["topics"]), log["data"].lower()) for log in raw
    )


# --- fills -----------------------------------------------------------------------------------------------------------


def moved(logs: tuple[Log, ...], token: Token, account: Address) -> int:
    """{raw} What the account gained of `token` by its Transfer events; negative where it gave."""
    us = "0x" + account[2:].lower().rjust(64, "0")
    total = 0
    for log in logs:
        if log.address != token.address.lower() or len(log.topics) != 3 or log.topics[0] != TRANSFER:
            continue
        amount = int(log.data[:66], 16) if len(log.data) >= 66 else 0
        total += amount * ((log.topics[2] == us) - (log.topics[1] == us))
    return total


def fill_of(logs: tuple[Log, ...], expect: Expectation, account: Address) -> Fill | None:
    """What was sold and received; None where no trade was expected."""
    if expect.sell is None or expect.quote is None:
        return None
    sold = TokenAmount(expect.sell.token, -moved(logs, expect.sell.token, account))
    return Fill(sold, TokenAmount(expect.quote.token, moved(logs, expect.quote.token, account)))


def missing_effects(fill: Fill | None, expect: Expectation, deltas: Mapping[Token, int]) -> str:
    """What a successful transaction failed to bring about, or an empty string. `deltas` are {raw} of the account's
    balances over the block, as far as the node could tell; a token that is absent is judged by its logs alone."""
    if fill is None or expect.sell is None:
        return ""
    sold, received = fill.sold, fill.received
    if sold.raw <= 0 or received.raw <= 0:
        return f"success without effects: {shown(sold)} sold, {shown(received)} received"
    if sold > expect.sell:
        return f"sold {shown(sold)}, more than the {shown(expect.sell)} that were meant"
    if expect.min_out is not None and received < expect.min_out:
        return f"received {shown(received)}, less than min_out {shown(expect.min_out)}"
    for moved_amount, sign in ((received, 1), (sold, -1)):
        delta = deltas.get(moved_amount.token)
        if delta is not None and delta < sign * moved_amount.raw:
            moved_by = TokenAmount(moved_amount.token, delta)
            return f"Transfer logs say {shown(moved_amount)}, but the balance changed by {shown(moved_by)}"
    return ""


# --- costs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Costs:
    """Parts of the shortfall in the numeraire (MATH 9), positive where it cost us; None where it cannot be valued."""

    gas: TokenAmount | None = None
    fee: TokenAmount | None = None
    impact: TokenAmount | None = None
    others: TokenAmount | None = None
    """Quote minus fill: what others took, or gave where it is negative."""


def costs_of(fill: Fill | None, gas_cost: Wei, expect: Expectation) -> Costs:
    """Estimates round up, against us."""
    gas = None
    if expect.native_price is not None:
        gas = expect.native_price.value(TokenAmount(expect.native_price.base, gas_cost), Rounding.UP)
    if fill is None or expect.quote is None or expect.bought_price is None:
        return Costs(gas=gas)
    others = expect.bought_price.value(expect.quote - fill.received, Rounding.UP)
    return Costs(gas, expect.fee_value, expect.impact_value, others)
