"""What a key may sign at all, whatever the rest of the keeper asks of it: the last word before a signature.

Guards judge a decision with everything that is known of it. This looks at nothing but the transaction itself, so that a
fault elsewhere cannot make the key approve a stranger, move a token, take any price, or give coin away (FAULTS S13).

A key that acts through something else (a Safe, a role, a contract) sends an outer call. An *opener*, one for each
(target, selector), unwraps it to the calls that the account then makes; each of these is judged by the same rules as if
the key had made it, and together they must leave no allowance. What no opener unwraps is a call of the key's own
account. A new kind of custody adds its openers in `app/policies.py` and nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from keeper.chain.sending.fees import TX_GAS_CAP
from keeper.core.abi import address_word, selector, word
from keeper.core.calls import Inner, Opener
from keeper.core.errors import SubmitError
from keeper.core.ports import Signer
from keeper.core.units import Address, Wei

APPROVE = selector("approve(address,uint256)")
DEPOSIT = selector("deposit()")
WITHDRAW = selector("withdraw(uint256)")

ENDLESS = frozenset({(1 << 96) - 1})
"""Allowances below 2^128 - 1 that some tokens take for "for ever". Everything from there on is refused by size: no
trade is as large, and the largest values of 128, 160 and 256 bits mean the same."""
MOST_APPROVED = (1 << 128) - 1

FIELDS = frozenset(
    {"chainId", "nonce", "to", "value", "data", "gas", "gasPrice", "type", "maxFeePerGas", "maxPriorityFeePerGas"}
)
"""All that a transaction of ours has: no access list, no blobs, and above all no authorization (EIP-7702)."""


class Terms(Protocol):
    """What a swap's calldata says: sell `sell` raw of the first token for at least `min_out` of the last."""

    @property
    def tokens(self) -> tuple[Address, ...]: ...
    @property
    def sell(self) -> int: ...
    @property
    def min_out(self) -> int: ...
    @property
    def recipient(self) -> Address | None:
        """None where the call names none and pays whoever makes it."""

    @property
    def deadline(self) -> int | None:
        """Unix seconds; None where the venue's calls have none."""
        ...


Decode = Callable[[bytes], Sequence[Terms] | str]
"""Calldata of one router -> its swaps, in order, or why these bytes are none."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What one key may sign on one chain: swaps of these routers that pay one of `accounts` at least something in time,
    exact approvals of these routers for these tokens, wrapping and unwrapping, the calls named in `targets`, each of
    them directly or inside what an opener unwraps, and a transfer of nothing to itself (a cancel).

    Does not know what anything is worth: the size of a trade and its price are the guards' business.
    """

    chain_id: int
    max_fee: Wei
    """{wei / gas}"""
    accounts: frozenset[Address]
    """Who holds the funds that this key moves; the key's own address only where it holds some itself."""
    tokens: frozenset[Address]
    routers: Mapping[Address, Decode]
    now: Callable[[], int]
    """Unix seconds."""
    max_deadline: int
    """{s} How far ahead of `now` a swap's deadline may lie."""
    wrapped: Address | None = None
    targets: frozenset[tuple[Address, bytes]] = frozenset()
    """Further calls by target and selector, without coin: upkeeps."""
    openers: Mapping[tuple[Address, bytes], Opener] = field(default_factory=dict)
    unfloored: frozenset[Address] = frozenset()
    """Routers whose calls cannot say the least that they must bring, and that may be called nevertheless."""

    def objection(self, transaction: Mapping[str, object], sender: Address) -> str:
        """Why this must not be signed, or an empty string."""
        if wrong := self._terms(transaction):
            return wrong
        to, value, data = transaction.get("to"), transaction.get("value"), transaction.get("data")
        if not isinstance(to, str) or not isinstance(data, bytes) or not isinstance(value, int):
            return "call: expected a target, bytes and a value, found something else"
        if to == sender:
            return "" if not data and not value else "call: expected neither data nor value for the sender itself"
        target = Address(to)
        opener = self.openers.get((target, data[:4]))
        if opener is not None:
            return self._opened(opener, value, data)
        if sender not in self.accounts and (target, data[:4]) not in self.targets:
            return f"call: expected one through the custody of the funds, was 0x{data[:4].hex()} of {target}"
        return self._call((target, value, data))

    def _terms(self, transaction: Mapping[str, object]) -> str:
        """Chain, fees and gas."""
        chain_id, gas = transaction.get("chainId"), transaction.get("gas")
        if chain_id != self.chain_id:
            return f"chain: expected {self.chain_id}, was {chain_id}"
        if unknown := sorted(set(transaction) - FIELDS):
            return f"transaction: expected a plain one, found {', '.join(unknown)}"
        if transaction.get("type", 2) != 2:
            return f"transaction: expected type 2 or a legacy one, was type {transaction['type']}"
        fee, tip = transaction.get("maxFeePerGas", transaction.get("gasPrice")), transaction.get("maxPriorityFeePerGas")
        if not isinstance(fee, int) or not 0 <= fee <= self.max_fee:
            return f"fee: expected at most {self.max_fee:,} wei, was {fee}"
        if tip is not None and (not isinstance(tip, int) or not 0 <= tip <= fee):
            return f"tip: expected at most the fee cap of {fee:,} wei, was {tip}"
        if not isinstance(gas, int) or not 0 < gas <= TX_GAS_CAP:
            return f"gas: expected 1 to {TX_GAS_CAP:,}, was {gas}"
        return ""

    def _opened(self, opener: Opener, value: int, data: bytes) -> str:
        if value:
            return f"value: expected none with a call of the custody, was {value:,} wei"
        inner = opener(data)
        if isinstance(inner, str):
            return inner
        if not inner:
            return "call: expected something inside, found nothing"
        return next((wrong for call in inner if (wrong := self._call(call))), "") or self._left_approved(inner)

    def _call(self, call: Inner) -> str:
        """One call of the account that holds the funds."""
        to, value, data = call
        if to == self.wrapped and data == DEPOSIT:
            return ""  # the one call that takes coin along
        if value:
            return f"value: expected none for {to}, was {value:,} wei"
        if (to, data[:4]) in self.targets:
            return ""
        if to in self.routers:
            swaps = self.routers[to](data)
            if isinstance(swaps, str):
                return f"swap: {swaps}"
            return next((wrong for swap in swaps if (wrong := self._swap(to, swap))), "")
        if to in self.tokens and data[:4] == APPROVE and len(data) == 68:
            return self._approval(data)
        if to == self.wrapped and data[:4] == WITHDRAW and len(data) == 36:
            return ""
        return f"call: expected an approval, a wrap or a router's function, was 0x{data[:4].hex()} of {to}"

    def _swap(self, router: Address, swap: Terms) -> str:
        if not {swap.tokens[0], swap.tokens[-1]} <= self.tokens:
            return f"swap: expected tokens of the configuration, was {' to '.join(swap.tokens)}"
        if swap.recipient is not None and swap.recipient not in self.accounts:
            return f"swap: expected an account of the configuration as recipient, was {swap.recipient}"
        if swap.sell <= 0 or (swap.min_out <= 0 and router not in self.unfloored):
            return f"swap: expected amounts above 0, was {swap.sell} for at least {swap.min_out}"
        left = None if swap.deadline is None else swap.deadline - self.now()
        if left is not None and not 0 < left <= self.max_deadline:
            return f"swap: expected a deadline within {self.max_deadline} s, was one in {left} s"
        return ""

    def _approval(self, data: bytes) -> str:
        try:
            spender, amount = address_word(data[4:], 0), word(data[4:], 1)
        except ValueError as error:
            return f"approval: {error}"
        if not amount:
            return ""  # it only takes away, from whomever
        if spender not in self.routers:
            return f"approval: expected a router of the configuration, was {spender}"
        return (
            f"approval: expected an exact amount, was {amount}" if amount in ENDLESS or amount >= MOST_APPROVED else ""
        )

    def _left_approved(self, calls: Sequence[Inner]) -> str:
        """What one transaction approves, it also uses up or takes back. Each call was judged before."""
        left: dict[tuple[Address, Address], int] = {}
        for to, _, data in calls:
            if data[:4] == APPROVE and to in self.tokens:
                left[to, address_word(data[4:], 0)] = word(data[4:], 1)
            elif to in self.routers and not isinstance(swaps := self.routers[to](data), str):
                for swap in swaps:
                    pair = swap.tokens[0], to
                    left[pair] = max(left.get(pair, 0) - swap.sell, 0)
        found = next(((pair, raw) for pair, raw in left.items() if raw), None)
        return f"approval: expected none left, was {found[1]} raw of {found[0][0]} for {found[0][1]}" if found else ""


@dataclass(frozen=True, slots=True)
class HeldSigner:
    """A signer that refuses what its policy does not allow, before the key is asked."""

    signer: Signer
    policy: Policy

    @property
    def address(self) -> Address:
        return self.signer.address

    @property
    def is_here(self) -> bool:
        return self.signer.is_here

    def sign(self, transaction: Mapping[str, object]) -> bytes:
        """Raises SubmitError."""
        if objection := self.policy.objection(transaction, self.address):
            raise SubmitError(f"signer {self.address}: policy: {objection}")
        return self.signer.sign(transaction)
