"""What is wrong with a token's transfers, from balances before and after: plan and accounts need them whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.core import text
from keeper.core.units import WHOLE_BPS, Token, TokenAmount

TOLERATED = 1
"""{bps} Balances are compared within one block, so a plain token differs by nothing; balances kept as shares of a pool
(stETH) by one or two raw units. Fees of transfers begin at several bps."""
ROUNDED = 2
"""{raw} So much of a transfer may be rounding."""
LEAST = ROUNDED * WHOLE_BPS // TOLERATED
"""{raw} Of less, rounding looks like a fee and a fee like nothing."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer of `sent` {raw}, and what it changed: what left the sender, what arrived, and what moved at a holder
    who had no part in it. `where` says between whom, where that is worth saying."""

    sent: int
    left: int
    arrived: int
    moved: int = 0
    where: str = ""


def why_odd(token: Token, made: Sequence[Transfer]) -> str:
    """The worst that these transfers show, in one clause with its figures; empty where all of them are whole."""
    found = [fault for one in made for fault in _faults(token, one) if _counts(fault[0], one.sent)]
    return max(found, key=lambda fault: fault[0])[1] if found else ""


def _faults(token: Token, one: Transfer) -> Iterator[tuple[int, str]]:
    """How far each balance is off {raw}, and what that means."""
    symbol, where = token.symbol, one.where
    sent, left, arrived, moved = (
        text.amount(TokenAmount(token, raw)) for raw in (one.sent, one.left, one.arrived, one.moved)
    )
    if one.arrived <= 0:
        yield one.sent - one.arrived, f"{symbol} moves nothing on transfer{where}: {arrived} of {sent} arrived"
    missing, extra = one.sent - one.arrived, one.left - one.sent
    yield missing, f"{symbol} takes {_share(missing, one)} on transfer{where}: {arrived} of {sent} arrived"
    yield extra, f"{symbol} takes {_share(extra, one)} on top of a transfer{where}: {left} left to send {sent}"
    other = f"{symbol} moves by itself on transfer{where}: {left} left and {arrived} arrived of {sent}"
    yield max(-missing, -extra), other
    yield abs(one.moved), f"{symbol} moves by itself: a holder's balance by {moved} while others sent {sent}"


def _counts(off: int, sent: int) -> bool:
    return off > ROUNDED and off * WHOLE_BPS > TOLERATED * sent


def _share(raw: int, one: Transfer) -> str:
    return f"{text.trimmed(Fraction(100 * raw, one.sent))} %"
