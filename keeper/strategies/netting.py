"""Who trades with whom: overweights are matched with underweights, greedily, in at most n − 1 swaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.core.plan import AssetLine
from keeper.core.units import Token


@dataclass(frozen=True, slots=True)
class Pairing:
    """Sell one asset for another, until the first of them reaches its goal.

    `floor` is the least weight the sold asset may have afterwards, `ceiling` the most the bought one may have, in exact
    bps. One of them is the destination of an asset that is outside its band; no goal lies beyond its asset's target.
    """

    sell: Token
    buy: Token
    floor: Fraction
    ceiling: Fraction


CanTrade = Callable[[Token, Token], bool]

Importance = Callable[[Token], int]
"""How many times a token's drift counts where it is decided who trades first."""


def alike(_token: Token) -> int:
    return 1


def pair(assets: Sequence[AssetLine], can_trade: CanTrade, importance: Importance = alike) -> list[Pairing]:
    """The swaps that bring every asset outside its band to its destination, the largest first, times its importance.

    An asset that is out on one side meets those that are out on the other side. Where these cannot take it all, the
    others help in order of their opposite drift; they move towards their own target and never past it.
    """
    over = {a.token: a.drift - a.destination for a in assets if a.is_out and a.drift > 0}
    under = {a.token: -a.drift - a.destination for a in assets if a.is_out and a.drift < 0}
    missing = sum(over.values(), Fraction(0)) - sum(under.values(), Fraction(0))
    helpers: set[Token] = set()
    if missing > 0:
        helpers = _help(
            under,
            {a.token: -a.drift for a in assets},
            missing,
            lambda t: any(can_trade(o, t) for o in over),
            importance,
        )
    elif missing < 0:
        helpers = _help(
            over,
            {a.token: a.drift for a in assets},
            -missing,
            lambda t: any(can_trade(t, u) for u in under),
            importance,
        )
    goals = {a.token: _goal(a, a.token in helpers) for a in assets}
    matches = _match(_sorted(over, importance), _sorted(under, importance), can_trade)
    return [Pairing(sell, buy, goals[sell], goals[buy]) for sell, buy in matches][: len(assets) - 1]


def _help(
    side: dict[Token, Fraction],
    room: Mapping[Token, Fraction],
    missing: Fraction,
    reachable: Callable[[Token], bool],
    importance: Importance,
) -> set[Token]:
    """Adds to `side` what others can take up to their own targets, until nothing is missing. Returns who helps."""
    helpers = set()
    free_room = {t: room[t] - side.get(t, 0) for t in room if room[t] > 0 and reachable(t)}
    for token, free in _sorted(free_room, importance).items():
        part = min(free, missing)
        if part <= 0:
            break
        side[token] = side.get(token, Fraction(0)) + part
        helpers.add(token)
        missing -= part
    return helpers


def _goal(asset: AssetLine, helps: bool) -> Fraction:
    """{bps} The destination on the side where the asset left its band; its target where it only helps."""
    if helps or not asset.is_out:
        return Fraction(asset.target)
    return asset.target + (asset.destination if asset.drift > 0 else -asset.destination)


def _sorted(parts: Mapping[Token, Fraction], importance: Importance) -> dict[Token, Fraction]:
    return dict(sorted(parts.items(), key=lambda item: -item[1] * importance(item[0])))


def _match(
    gives: dict[Token, Fraction], takes: dict[Token, Fraction], can_trade: CanTrade
) -> list[tuple[Token, Token]]:
    """Every match uses up a giver or a taker, so there are fewer matches than assets."""
    matches = []
    for sell in gives:
        for buy in takes:
            part = min(gives[sell], takes[buy])
            if part > 0 and can_trade(sell, buy):
                gives[sell] -= part
                takes[buy] -= part
                matches.append((sell, buy))
    return matches
