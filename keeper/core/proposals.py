"""A transaction that only the owners of a Safe can sign, while it waits for them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from keeper.core import text
from keeper.core.units import WHOLE_BPS, Address, Token, TokenAmount

OTHER_SIZE = Fraction(1, 10)
"""A proposal that sells a tenth more or less than is wanted now is another one. Signatures take hours: replacing it for
less would take them away again and again, and a tenth of a trade is about what a band's destination leaves undone."""

Bargain = tuple[TokenAmount, TokenAmount]
"""Sell exactly the first, get at least the second."""


class Fate(StrEnum):
    """What became of a proposal. One that is open may still be executed, and so may one that was superseded, until its
    deadline: both have the same Safe nonce, so at most one of them ever is."""

    OPEN = "open"
    SUPERSEDED = "superseded"
    EXECUTED = "executed"
    OVERTAKEN = "overtaken"
    """The Safe used its nonce for something else."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class OpenProposal:
    """What a vault's next decision must know of the proposal that waits: its hash, the Safe's nonce, the Unix second
    after which it is dead, and its trades."""

    hash: str
    nonce: int
    deadline: int
    bargains: tuple[Bargain, ...] = ()
    withdrawn: str = ""
    """Why nobody should sign it any more; it may have been signed before."""

    def __str__(self) -> str:
        return f"proposal {self.hash[:10]}… at nonce {self.nonce} of the Safe"


def why_stale(open_: OpenProposal, wanted: Sequence[Bargain], now: int, tolerance: int) -> str:
    """Why owners should sign another one instead, or an empty string. `tolerance` in bps: what may lie between a floor
    and its quote.

    A floor that the price has left behind by more than that either fails on chain, or leaves that much to others.
    """
    if now > open_.deadline:
        return "it is past its deadline"
    if open_.withdrawn:
        return open_.withdrawn
    before, after = _by_pair(open_.bargains), _by_pair(wanted)
    if before.keys() != after.keys():
        return "other tokens are to be traded now"
    for (sell, buy), (sold, floor) in after.items():
        old_sold, old_floor = before[sell, buy]
        if abs(old_sold - sold) > OTHER_SIZE * max(sold, old_sold):
            then, now_ = (text.amount(TokenAmount(sell, raw)) for raw in (old_sold, sold))
            return f"it sells {then}, and {now_} are to be sold now"
        # {bps} of the floors per unit sold, one over the other
        moved = Fraction(old_floor * sold * WHOLE_BPS, old_sold * floor) - WHOLE_BPS if floor and old_sold else None
        if moved is None or abs(moved) > tolerance:
            away = "far from" if moved is None else f"{text.bps(abs(moved))} {'above' if moved > 0 else 'below'}"
            return f"the price of {sell.symbol} in {buy.symbol} has moved: its floor is {away} what it would be now"
    return ""


def _by_pair(bargains: Sequence[Bargain]) -> Mapping[tuple[Token, Token], tuple[int, int]]:
    """{raw} Sold and floor by what is sold and bought, all pools together."""
    found: dict[tuple[Token, Token], tuple[int, int]] = {}
    for sell, floor in bargains:
        sold, least = found.get((sell.token, floor.token), (0, 0))
        found[sell.token, floor.token] = sold + sell.raw, least + floor.raw
    return found


# --- as JSON-ready fields --------------------------------------------------------------------------------------------


def proposal_out(open_: OpenProposal) -> list[Any]:
    bargains = [[_out(sell), _out(floor)] for sell, floor in open_.bargains]
    return [open_.hash, open_.nonce, open_.deadline, bargains, open_.withdrawn]


def proposal_in(fields: Sequence[Any]) -> OpenProposal:
    hash_, nonce, deadline, bargains, withdrawn = fields
    return OpenProposal(hash_, nonce, deadline, tuple((_in(sell), _in(floor)) for sell, floor in bargains), withdrawn)


def _out(amount: TokenAmount) -> list[Any]:
    token = amount.token
    return [token.chain_id, token.address, token.symbol, token.decimals, str(amount.raw)]


def _in(fields: Sequence[Any]) -> TokenAmount:
    chain_id, address, symbol, decimals, raw = fields
    return TokenAmount(Token(chain_id, Address(address), symbol, decimals), int(raw))
