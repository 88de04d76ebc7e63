"""A coin beside its peg: as a record, and in words."""

from __future__ import annotations

from fractions import Fraction

from keeper.core.foreign import printable
from keeper.core.pegs import BUY, Opinion, PegLine, Stock
from keeper.report import format as form
from keeper.report.figures import whole
from keeper.report.nouns import Record, amount, symbol
from keeper.report.page import DIM, WARN, Page, Piece


def peg_record(line: PegLine) -> Record:
    """Prices are in `unit` per coin, deviations in signed bps of the peg; null where nothing is known."""
    trace = line.trace
    return {
        "coin": symbol(line.coin),
        "against": symbol(line.against),
        "unit": printable(line.unit, 24),
        "peg": form.decimal(line.peg),
        "trigger_bps": str(line.trigger),
        "destination_bps": str(line.destination),
        "wall_bps": str(line.wall),
        "away_bps": None if line.worst is None else form.decimal(line.away),
        "spot": _figure(line.spot),
        "spot_bps": _deviation(line, line.spot),
        "mean": _figure(line.mean),
        "mean_bps": _deviation(line, line.mean),
        "looks": line.looks,
        "needed": line.needed,
        "out_since": trace.episode.since if trace and trace.episode.side else None,
        "opinions": [_opinion(line, opinion) for opinion in line.opinions],
        "stocks": [_stock(stock) for stock in line.stocks],
    }


def _opinion(line: PegLine, opinion: Opinion) -> Record:
    return {
        "source": printable(opinion.source, 80),
        "low": _figure(opinion.low),
        "high": _figure(opinion.high),
        "bps": _deviation(line, opinion.low),
        "why_not": printable(opinion.why_not),
    }


def _stock(stock: Stock) -> Record:
    return {
        "side": "buy" if stock.side == BUY else "sell",
        "capacity": amount(stock.capacity),
        "left": amount(stock.left),
        "inventory": amount(stock.inventory),
    }


def _figure(value: Fraction | None) -> str | None:
    return None if value is None else form.decimal(value)


def _deviation(line: PegLine, price: Fraction | None) -> str | None:
    return None if price is None else form.decimal(line.deviation(price))


# --- in words --------------------------------------------------------------------------------------------------------


def show_peg(page: Page, peg: Record | None) -> None:
    """The price and its bands, each source, and what may still be traded on each side."""
    if peg is None:
        return
    bands = f"trigger {peg['trigger_bps']}bps · destination {peg['destination_bps']}bps · wall {peg['wall_bps']}bps"
    page.label("peg", f"{peg['coin']} at {_price(peg['peg'], peg)}", (f"     {bands}", DIM))
    if peg["spot"]:
        pool = f"{_away(peg['spot'], peg['spot_bps'], peg)} · mean {_away(peg['mean'], peg['mean_bps'], peg)}"
        page.label("pool", pool, *_young(peg))
    for index, opinion in enumerate(peg["opinions"]):
        page.label("" if index else "sources", *_said(opinion, peg))
    for index, stock in enumerate(peg["stocks"]):
        left = f"{form.usd(whole(stock['left']))} of {form.usd(whole(stock['capacity']))}"
        page.label(
            "" if index else "left", f"{stock['side']:<4} {left} · inventory {form.usd(whole(stock['inventory']))}"
        )


def _young(peg: Record) -> list[Piece]:
    return [(f" · warming up {peg['looks']}/{peg['needed']}", WARN)] if peg["looks"] < peg["needed"] else []


def _said(opinion: Record, peg: Record) -> list[Piece]:
    said = _away(opinion["low"], opinion["bps"], peg) if opinion["low"] else "says nothing"
    why: list[Piece] = [(f"     {opinion['why_not']}", WARN)] if opinion["why_not"] else []
    return [f"{opinion['source']} {said}", *why]


def _away(price: str, bps: str, peg: Record) -> str:
    """`0.9985 USD (−15.0 bps)`"""
    away = Fraction(bps)
    sign = form.MINUS if away < 0 else "+" if away > 0 else ""
    return f"{_price(price, peg)} ({sign}{form.rounded(abs(away), 1)} bps)"


def _price(price: str, peg: Record) -> str:
    return f"{form.rounded(Fraction(price), 4)} {peg['unit']}"
