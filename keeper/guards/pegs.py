"""A peg's drift is its deviation: what a trade does to the price of each pool that it goes through."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from keeper.core import text
from keeper.core.chain import VaultView
from keeper.core.impact import mid_after
from keeper.core.pegs import PegLine
from keeper.core.plan import Draft, Leg
from keeper.core.units import WHOLE_BPS
from keeper.core.verdicts import Allow, Deny, Verdict

TOLERATED = 1
"""{bps} Beyond the peg. A pair that adds its fee to its reserves ends lower than its quotes tell, by less than this."""


def peg_falls(guard: str, draft: Draft, view: VaultView, peg: PegLine) -> Verdict:
    """Allow where every pool's price ends nearer to the peg than it is."""
    if peg.par is None:
        return _unknown(guard, "must fall")
    moves = list(_moves(draft, view, peg, peg.par))
    if not moves or any(then is None for _, then in moves):
        return _unknown(guard, "must fall")
    now, then = max(((now, then or Fraction(0)) for now, then in moves), key=lambda move: abs(move[1]) - abs(move[0]))
    measured, limit = f"{text.bps(abs(then))} from the peg after", f"below {text.bps(abs(now))} now"
    if abs(then) < abs(now):
        return Allow(guard, measured, limit, abs(then / now))
    return Deny(guard, f"the trade would not bring the pool nearer to the peg: {measured}, {limit}", measured, limit)


def peg_not_crossed(guard: str, draft: Draft, view: VaultView, peg: PegLine) -> Verdict:
    """Allow where no pool's price ends on the other side of the peg."""
    limit = f"{text.bps(TOLERATED)} beyond the peg"
    if peg.par is None:
        return _unknown(guard, limit)
    beyond = Fraction(0)
    for now, then in _moves(draft, view, peg, peg.par):
        if then is None:
            return _unknown(guard, limit)
        beyond = max(beyond, abs(then) if now * then <= 0 else Fraction(0))
    if beyond <= TOLERATED:
        return Allow(guard, "no pool crosses the peg", limit)
    reason = f"the pool would end {text.bps(beyond)} on the other side of the peg"
    return Deny(guard, reason, f"{text.bps(beyond)} beyond", limit)


def _unknown(guard: str, limit: str) -> Deny:
    return Deny(guard, "nobody can tell where the trade would leave the pool", "unknown", limit)


def _moves(draft: Draft, view: VaultView, peg: PegLine, par: Fraction) -> Iterator[tuple[Fraction, Fraction | None]]:
    """{bps of the peg} Where each leg's pool stands, and where it would."""
    states = {state.pool.address: state for state in view.pools}
    for each in draft.order.legs if draft.order else ():
        leg = each.leg
        state = states.get(leg.pool.address)
        then = None if state is None else mid_after(state, leg.sell, leg.buy)
        after = _deviation(leg, then, peg, par) if isinstance(then, Fraction) and then > 0 else None
        yield _deviation(leg, leg.mid, peg, par), after


def _deviation(leg: Leg, mid: Fraction, peg: PegLine, par: Fraction) -> Fraction:
    # {quote whole / coin whole} = {buy raw / sell raw} * {sell raw / sell whole} / {buy raw / buy whole}
    price = mid * Fraction(10) ** (leg.sell.token.decimals - leg.buy.decimals)
    if leg.sell.token != peg.coin:
        price = 1 / price
    return (price / par - 1) * WHOLE_BPS
