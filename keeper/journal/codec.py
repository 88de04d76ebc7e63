"""Nouns as JSON-ready values and back, exact: integers that may be large travel as decimal text, bytes as hex.

Equal nouns give equal text (`dumps` sorts keys), so rows can be compared and hashed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from keeper.core.calls import Call, Purpose
from keeper.core.sending import Expectation, ExpectedSwap, Fill, Mined
from keeper.core.slices import slice_in, slice_out
from keeper.core.units import USD, Address, Price, Token, TokenAmount, Wei

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def dumps(value: object) -> str:
    """Deterministic JSON. Raises TypeError or ValueError on what JSON cannot say exactly, such as NaN."""
    return _ENCODER.encode(value)


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


def _swap_out(swap: ExpectedSwap) -> dict[str, Any]:
    """The bought token once, values in raw USD: an intent's row is read at every start, and may hold many swaps."""
    return {
        "sell": amount_out(swap.sell),
        "quote": amount_out(swap.quote),
        "min_out": str(swap.min_out.raw),
        "values": [str(_usd_raw(value)) for value in (swap.value_sold, swap.fee_value, swap.impact_value)],
        "price": str(swap.bought_price.ratio),
    }


def _usd_raw(value: TokenAmount) -> int:
    if value.token != USD:
        raise TypeError(f"value: expected USD, was {value.token.symbol}")
    return value.raw


def _swap_in(data: Mapping[str, Any]) -> ExpectedSwap:
    sell, quote = amount_in(data["sell"]), amount_in(data["quote"])
    assert sell is not None and quote is not None
    value_sold, fee_value, impact_value = (TokenAmount(USD, int(raw)) for raw in data["values"])
    return ExpectedSwap(
        sell=sell,
        quote=quote,
        min_out=TokenAmount(quote.token, int(data["min_out"])),
        value_sold=value_sold,
        fee_value=fee_value,
        impact_value=impact_value,
        bought_price=Price(quote.token, USD, Fraction(data["price"])),
    )


def expectation_out(expect: Expectation) -> dict[str, Any]:
    return {
        "swaps": [_swap_out(swap) for swap in expect.swaps],
        "native_price": price_out(expect.native_price),
    } | ({"slice": slice_out(expect.slice)} if expect.slice else {})


def expectation_in(data: Mapping[str, Any]) -> Expectation:
    return Expectation(
        swaps=tuple(_swap_in(swap) for swap in data["swaps"]),
        native_price=price_in(data["native_price"]),
        slice=slice_in(data["slice"]) if "slice" in data else None,
    )


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
    if fill is None:
        return None
    return {"sold": _amounts_out(fill.sold), "received": _amounts_out(fill.received)}


def fill_in(data: Mapping[str, Any] | None) -> Fill | None:
    return None if data is None else Fill(_amounts_in(data["sold"]), _amounts_in(data["received"]))


def _amounts_out(amounts: Iterable[TokenAmount]) -> list[dict[str, Any] | None]:
    return [amount_out(amount) for amount in amounts]


def _amounts_in(data: Iterable[Mapping[str, Any]]) -> tuple[TokenAmount, ...]:
    return tuple(amount for entry in data if (amount := amount_in(entry)) is not None)
