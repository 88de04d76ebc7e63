"""Pins as text and back: what a chain said of a configuration at start is kept, so that decisions can be repeated.

Equal pins are equal text. Findings are not kept: a configuration whose chain disagreed has decided nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from keeper.chain.reading.pins import Pins
from keeper.chain.reading.token_code import TokenCode, what_changed
from keeper.core.chain import Block
from keeper.core.pools import Pool, Router
from keeper.core.units import Address, Token


def pins_text(pins: Pins) -> str:
    """What decisions are made from: tokens, pools and feeds. The block they were read at is not part of it."""
    fields = {
        "tokens": [_token_fields(token) for _, token in sorted(pins.tokens.items())],
        "pools": [_pool_fields(pool) for _, pool in sorted(pins.pools.items())],
        "feed_decimals": dict(sorted(pins.feed_decimals.items())),
        "token_codes": {token: asdict(code) for token, code in sorted(pins.token_codes.items())},
    }
    if pins.left_out:
        fields["left_out"] = dict(sorted(pins.left_out.items()))
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def parse_pins(text: str, block: Block) -> Pins:
    """Raises ValueError where the text is damaged."""
    try:
        fields = json.loads(text)
        tokens = [_token(each) for each in fields["tokens"]]
        pools = [_pool(each) for each in fields["pools"]]
        decimals = {Address(feed): int(figure) for feed, figure in fields["feed_decimals"].items()}
        codes = {Address(token): TokenCode(**code) for token, code in fields["token_codes"].items()}
    except (KeyError, TypeError) as error:
        raise ValueError(f"pins are damaged: {error!r}") from None
    return Pins(
        block,
        tokens={token.address: token for token in tokens},
        pools={pool.address: pool for pool in pools},
        feed_decimals=decimals,
        token_codes=codes,
        left_out=dict(fields.get("left_out", {})),
    )


def upgrades_between(before: Pins, now: Pins) -> dict[Address, str]:
    """Tokens of both that run another code than before, each with a sentence."""
    found = {}
    for address, code in before.token_codes.items():
        if address in now.token_codes and (other := what_changed(code, now.token_codes[address])):
            what, expected, is_ = other
            symbol = now.tokens[address].symbol if address in now.tokens else ""
            found[address] = f"{symbol} {address}: {what}: expected {expected}, found {is_}".strip()
    return found


def _token_fields(token: Token) -> dict[str, Any]:
    return asdict(token)


def _token(fields: Mapping[str, Any]) -> Token:
    return Token(int(fields["chain_id"]), Address(fields["address"]), fields["symbol"], int(fields["decimals"]))


def _pool_fields(pool: Pool) -> dict[str, Any]:
    """What a family does not have is not written, so that pins of before it was known stay the same text."""
    fields = asdict(pool) | {"fee": str(pool.fee), "tokens": [_token_fields(token) for token in pool.tokens]}
    if not pool.details:
        del fields["details"]
    if not pool.router.coins:
        del fields["router"]["coins"]
    return fields


def _pool(fields: Mapping[str, Any]) -> Pool:
    made = fields["router"]
    router = Router(made["kind"], Address(made["address"]), tuple(Address(coin) for coin in made.get("coins", ())))
    details = tuple((name, value) for name, value in fields.get("details", ()))
    tokens = tuple(_token(each) for each in fields["tokens"])
    return Pool(**{**fields, "fee": Fraction(fields["fee"]), "tokens": tokens, "router": router, "details": details})
