"""The nouns of a decision as JSON-ready records: amounts, prices, pools and blocks."""

from __future__ import annotations

from typing import Any

from keeper.core.chain import Block, MarketPrice, Unusable
from keeper.core.foreign import printable
from keeper.core.pools import Pool
from keeper.core.units import USD, WHOLE_BPS, Token, TokenAmount
from keeper.report.format import decimal, exact

Record = dict[str, Any]

SYMBOL_CAP = 24


def symbol(token: Token) -> str:
    """A token's symbol, safe to print: it comes from a contract that may say anything."""
    return printable(token.symbol, SYMBOL_CAP)


def amount(value: TokenAmount) -> Record:
    return {
        "symbol": symbol(value.token),
        "token": value.token.address,
        "decimals": value.token.decimals,
        "raw": str(value.raw),
        "whole": exact(value.raw, value.token.decimals),
    }


def usd(raw: int) -> Record:
    return amount(TokenAmount(USD, raw))


def block_record(block: Block) -> Record:
    return {
        "number": block.number,
        "hash": block.hash,
        "timestamp": block.timestamp,
        "base_fee": None if block.base_fee is None else str(block.base_fee),
    }


def price_record(token: Token, found: MarketPrice | Unusable) -> Record:
    head = {"symbol": symbol(token), "token": token.address, "decimals": token.decimals}
    if isinstance(found, Unusable):
        return {**head, "unusable": printable(found.reason)}
    readings = [
        {
            "source": printable(reading.source, 80),
            "price": decimal(reading.price.ratio),
            "quote": symbol(reading.price.quote),
            "age": reading.age,
            "max_age": reading.max_age,
        }
        for reading in found.readings
    ]
    return {
        **head,
        "unusable": "",
        "mid": decimal(found.mid.ratio),
        "low": decimal(found.low.ratio),
        "high": decimal(found.high.ratio),
        "apart_bps": decimal(found.apart_bps),
        "readings": readings,
    }


def pool_record(pool: Pool) -> Record:
    return {
        "pool": printable(pool.label, 120),
        "kind": pool.kind,
        "address": pool.address,
        "fee_bps": decimal(pool.fee * WHOLE_BPS),
        "router": pool.router.kind,
    }
