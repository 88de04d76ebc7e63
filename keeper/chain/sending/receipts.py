"""What really happened: a receipt, checked; fills from its Transfer logs; what it cost. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from eth_utils.crypto import keccak

from keeper.chain.nodes.headers import hash_of, quantity
from keeper.core.calls import Call
from keeper.core.chain import Unusable
from keeper.core.errors import TransientError
from keeper.core.module_calls import EXECUTION_FAILED, may_fail_quietly
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


def heard_failure(receipt: Receipt, call: Call, sender: Address) -> Receipt:
    """The same receipt, with status 0 where a module call failed in silence: a log of the Safe says so, about the key
    or about the module that the key called. Nobody whom the call made the Safe call is believed."""
    if not may_fail_quietly(call):
        return receipt
    called, key = call.to.lower(), sender.lower()
    inside = {step.to.lower() for step in call.inner}

    def says_so(log: Log) -> bool:
        if len(log.topics) != 2 or log.topics[0] != EXECUTION_FAILED:
            return False
        module = "0x" + log.topics[1][-40:]
        return (module == key and log.address == called) or (module == called and log.address not in inside)

    return replace(receipt, status=0) if any(says_so(log) for log in receipt.logs) else receipt


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


def fill_of(changes: Mapping[Token, int], expect: Expectation) -> Fill:
    """What was sold and received, all legs together. `changes` are {raw} of the account, by token.

    A token that is only sold stands among what was sold, whatever became of it; what is bought and sold too, where its
    net puts it.
    """
    sells, quotes = expect.sells, expect.quotes
    sold = [TokenAmount(token, -changes[token]) for token in sells if token not in quotes or changes[token] < 0]
    bought = [TokenAmount(token, changes[token]) for token in quotes if token not in sells or changes[token] > 0]
    return Fill(tuple(sold), tuple(bought))


def missing_effects(changes: Mapping[Token, int], expect: Expectation, deltas: Mapping[Token, int]) -> str:
    """What a successful transaction failed to bring about, or an empty string. `changes` as above; `deltas` are {raw}
    of the account's balances over the block, as far as the node could tell; a token that is absent is judged by its
    logs alone."""
    if not expect.swaps:
        return ""
    sells, floors = expect.sells, expect.floors
    sold = [TokenAmount(token, -changes[token]) for token in sells if token not in floors]
    received = [TokenAmount(token, changes[token]) for token in floors if token not in sells]
    if any(each.raw <= 0 for each in (*sold, *received)):
        return f"success without effects: {listed(sold)} sold, {listed(received)} received"
    for amount in sold:
        if amount > sells[amount.token]:
            return f"sold {shown(amount)}, more than the {shown(sells[amount.token])} that were meant"
    for token, floor in expect.net(floors).items():
        if changes[token] < floor.raw:
            return f"received {shown(TokenAmount(token, changes[token]))}, less than min_out {shown(floor)}"
    for amount in (*received, *sold, *(TokenAmount(token, changes[token]) for token in floors if token in sells)):
        delta = deltas.get(amount.token)
        if delta is not None and delta < changes[amount.token] - _rounding(amount):
            moved_by = TokenAmount(amount.token, delta)
            return f"Transfer logs say {shown(amount)}, but the balance changed by {shown(moved_by)}"
    return ""


def _rounding(amount: TokenAmount) -> int:
    """{raw} Balances kept as shares of a pool (stETH) follow a transfer but for a unit or two; as long as that is less
    than a millionth of it, nobody took it."""
    return min(2, abs(amount.raw) // 1_000_000)


def listed(amounts: Sequence[TokenAmount]) -> str:
    """`1 WETH and 2.5 LINK`."""
    return " and ".join(shown(amount) for amount in amounts) or "nothing"


# --- costs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Costs:
    """Parts of the shortfall in the numeraire (MATH 9), positive where it cost us; None where it cannot be valued."""

    gas: TokenAmount | None = None
    fee: TokenAmount | None = None
    impact: TokenAmount | None = None
    others: TokenAmount | None = None
    """Quote minus fill: what others took, or gave where it is negative."""


def costs_of(changes: Mapping[Token, int] | None, gas_cost: Wei, expect: Expectation) -> Costs:
    """Estimates round up, against us. `changes` are None where no fill is known."""
    gas = None
    if expect.native_price is not None:
        gas = expect.native_price.value(TokenAmount(expect.native_price.base, gas_cost), Rounding.UP)
    if changes is None or not expect.swaps:
        return Costs(gas=gas)
    prices = {swap.quote.token: swap.bought_price for swap in expect.swaps}
    short = [quote - TokenAmount(token, changes[token]) for token, quote in expect.net(expect.quotes).items()]
    others = [prices[amount.token].value(amount, Rounding.UP) for amount in short]
    return Costs(gas, expect.fee_value, expect.impact_value, reduce(TokenAmount.__add__, others))
