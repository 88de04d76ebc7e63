"""What a peg says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from keeper.core import text
from keeper.core.chain import VaultView
from keeper.core.pegs import BUY, Opinion, PegLine, Stock
from keeper.core.plan import Trade
from keeper.core.units import WHOLE_BPS, Price, TokenAmount
from keeper.strategies.peg_price import Pair


def bps(value: Fraction | int) -> str:
    """`5.2bps`, as bands are written."""
    return f"{text.trimmed(abs(Fraction(value)), 1)}bps"


def price(value: Fraction, unit: str) -> str:
    """`0.9985 USD`"""
    return f"{text.decimal(value, 4)} {unit}"


def away(line: PegLine) -> str:
    """`DUSD is 18.2bps below 1 USD`"""
    peg = f"{text.trimmed(line.peg, 6)} {line.unit}"
    if not line.away:
        return f"{line.coin.symbol} is at {peg}"
    return f"{line.coin.symbol} is {bps(line.away)} {'below' if line.away < 0 else 'above'} {peg}"


def in_band(line: PegLine) -> str:
    return f"{away(line)}, inside {bps(line.trigger)}"


def out(line: PegLine) -> str:
    if abs(line.away) > line.trigger:
        return f"{away(line)}, outside {bps(line.trigger)}"
    return f"{away(line)}, on its way back to {bps(line.destination)}"


def no_pool(pair: Pair, view: VaultView) -> str:
    reasons = [f"{pool.label}: {why}" for pool, why in view.left_out]
    said = f"no pool trades {pair.coin.symbol} for {pair.against.symbol}"
    return f"{said}: {'; '.join(reasons)}" if reasons else said


def beyond_wall(found: Price, peg: Fraction, unit: str, wall: int) -> str:
    off = (found.ratio / peg - 1) * WHOLE_BPS
    where = "below" if off < 0 else "above"
    coin, worth = found.base.symbol, price(found.ratio, unit)
    return f"{coin} is at {worth}, {bps(off)} {where} its peg and beyond the wall of {bps(wall)}: nothing is bought"


def silent(opinions: Sequence[Opinion], count: int, need: int) -> str:
    reasons = [f"{each.source}: {each.why_not}" for each in opinions if each.why_not]
    return "; ".join([f"{count} of {need} sources that are needed", *reasons])


def sources_apart(line: PegLine, distance: Fraction, allowed: int) -> str:
    said = [f"{each.source} {price(each.low, line.unit)}" for each in line.opinions if each.low is not None]
    return f"sources are {bps(distance)} apart, {bps(allowed)} allowed: {', '.join(said)}"


def moving(line: PegLine, moved: Fraction, allowed: int) -> str:
    assert line.spot is not None and line.mean is not None
    where = f"the pool is at {price(line.spot, line.unit)} and its mean at {price(line.mean, line.unit)}"
    return f"{out(line)}; {where}: {bps(moved)} apart, less than {bps(allowed)} wanted"


def at_destination(line: PegLine) -> str:
    return f"{out(line)}; the pool itself is back within {bps(line.destination)}"


def capacity(line: PegLine, stock: Stock) -> str:
    verb = "buying" if stock.side == BUY else "selling"
    return f"{out(line)}; the {text.usd(stock.capacity)} for {verb} {line.coin.symbol} are used up"


def inventory(line: PegLine, stock: Stock) -> str:
    verb = "bought" if stock.side == BUY else "sold"
    return f"{out(line)}; the inventory lets no more {line.coin.symbol} be {verb}"


def no_profit(line: PegLine, gain: Fraction, notional: TokenAmount, pays: int) -> str:
    cost = f"${text.decimal(-gain, 2)} of {text.usd(notional)}"
    allowed = f"pay_for_peg allows {bps(pays)}" if pays else "nothing is paid for the peg"
    return f"{out(line)}; a trade would cost {cost}, {allowed}"


def trade(line: PegLine, found: Trade) -> str:
    return f"{out(line)}: sell {text.amount(found.sell)} ({text.usd(found.notional)}) for {found.buy.symbol}"
