"""Nouns as JSON-ready values and back, exact: integers that may be large travel as decimal text, bytes as hex.

Equal nouns give equal text (`dumps` sorts keys), so rows can be compared and hashed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from keeper.core.plan import Call, Purpose
from keeper.core.sending import Expectation, Fill, Mined
from keeper.core.slices import slice_in, slice_out
from keeper.core.units import Address, Price, Token, TokenAmount, Wei


def dumps(value: object) -> str:
    """Deterministic JSON. Raises TypeError or ValueError on what JSON cannot say exactly, such as NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def token_out(token: Token) -> dict[str, Any]:
    return {
        "chain_id": token.chain_id,
        "address": token.address,
        "symbol": token.symbol,
        "decimals": token.decimals,
    }


def token_in(data: Mapping[str, Any]) -> Token:
    return Token(data["chain_id"], Address(data["address"]), data["symbol"], data["decimals"])


def amount_out(amount: TokenAmount | None) -> dict[str, Any] | None:
    return None if amount is None else {"token": token_out(amount.token), "raw": str(amount.raw)}


def amount_in(data: Mapping[str, Any] | None) -> TokenAmount | None:
    return None if data is None else TokenAmount(token_in(data["token"]), int(data["raw"]))


def price_out(price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {"base": token_out(price.base), "quote": token_out(price.quote), "ratio": str(price.ratio)}


def price_in(data: Mapping[str, Any] | None) -> Price | None:
    return None if data is None else Price(token_in(data["base"]), token_in(data["quote"]), Fraction(data["ratio"]))


def by_token_out(values: Mapping[Token, int | str]) -> list[dict[str, Any]]:
    """A mapping by token as a list in the order of addresses: JSON has no keys but text."""
    ordered = sorted(values, key=lambda token: (token.chain_id, token.address))
    return [{"token": token_out(token), "is": str(values[token])} for token in ordered]


def by_token_in(data: list[dict[str, Any]]) -> dict[Token, str]:
    return {token_in(entry["token"]): entry["is"] for entry in data}


def balances_out(balances: Mapping[Token, TokenAmount]) -> list[dict[str, Any]]:
    return by_token_out({token: amount.raw for token, amount in balances.items()})


def balances_in(data: list[dict[str, Any]]) -> dict[Token, TokenAmount]:
    return {token: TokenAmount(token, int(raw)) for token, raw in by_token_in(data).items()}


def call_out(call: Call) -> dict[str, Any]:
    return {
        "to": call.to,
        "data": call.data.hex(),
        "value": str(call.value),
        "purpose": str(call.purpose),
        "text": call.text,
        "spends": amount_out(call.spends),
    } | ({"inner": [call_out(inner) for inner in call.inner]} if call.inner else {})


def call_in(data: Mapping[str, Any]) -> Call:
    return Call(
        to=Address(data["to"]),
        data=bytes.fromhex(data["data"]),
        value=int(data["value"]),
        purpose=Purpose(data["purpose"]),
        text=data["text"],
        spends=amount_in(data["spends"]),
        inner=tuple(call_in(inner) for inner in data.get("inner", ())),
    )


_AMOUNTS = ("sell", "quote", "min_out", "value_sold", "fee_value", "impact_value")
_PRICES = ("bought_price", "native_price")


def expectation_out(expect: Expectation) -> dict[str, Any]:
    amounts = {name: amount_out(getattr(expect, name)) for name in _AMOUNTS}
    prices = {name: price_out(getattr(expect, name)) for name in _PRICES}
    return amounts | prices | ({"slice": slice_out(expect.slice)} if expect.slice else {})


def expectation_in(data: Mapping[str, Any]) -> Expectation:
    amounts: dict[str, Any] = {name: amount_in(data[name]) for name in _AMOUNTS}
    prices: dict[str, Any] = {name: price_in(data[name]) for name in _PRICES}
    return Expectation(**amounts, **prices, slice=slice_in(data["slice"]) if "slice" in data else None)


def mined_out(mined: Mined | None) -> dict[str, Any] | None:
    if mined is None:
        return None
    return {
        "hash": mined.hash,
        "block_number": mined.block_number,
        "block_hash": mined.block_hash,
        "timestamp": mined.timestamp,
        "status": mined.status,
        "gas_used": mined.gas_used,
        "gas_cost": str(mined.gas_cost),
    }


def mined_in(data: Mapping[str, Any] | None) -> Mined | None:
    return None if data is None else Mined(**{**data, "gas_cost": Wei(int(data["gas_cost"]))})


def fill_out(fill: Fill | None) -> dict[str, Any] | None:
    return None if fill is None else {"sold": amount_out(fill.sold), "received": amount_out(fill.received)}


def fill_in(data: Mapping[str, Any] | None) -> Fill | None:
    if data is None:
        return None
    sold, received = amount_in(data["sold"]), amount_in(data["received"])
    assert sold is not None and received is not None
    return Fill(sold, received)
