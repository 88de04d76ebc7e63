"""What Curve's own sources paid, recorded once: nothing of them is here but figures.

The sources are those of curvefi/stableswap-ng (pool, metapool, v7), curvefi/curve-contract (3pool; gusd as `oldmeta`)
and curvefi/curve-factory (Plain2Basic, Plain3Basic, MetaUSD), compiled with Vyper 0.3.10 (the older ones with their
integer types made equal, as it asks for) and run on Anvil: pools of random size, balance, A and fee, and what
`exchange` or `exchange_underlying` returned. Many rows are such that another order of the same divisions, or another
generation's, gives another figure. One row a line, amounts in raw units; `ann` is A·n·scale.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keeper.venues.curve_math import FEE_UNIT, Product
from keeper.venues.curve_swap import StableSwap
from keeper.venues.curve_through import Below

ROWS = [json.loads(line) for line in Path(__file__).with_name("curve_recorded.jsonl").read_text("utf-8").splitlines()]


def swap_of(row: Mapping[str, Any]) -> StableSwap:
    balances, amp = row["balances"], row["ann"] // len(row["balances"])
    product, fees = Product(row["product"]), (row["fee"], row["offpeg"])
    return StableSwap.of(balances, row["rates"], amp, row["scale"], product, *fees)


def paid(row: Mapping[str, Any]) -> int:
    swap, i, j, sold = swap_of(row), row["i"], row["j"], row["sold"]
    if "base" not in row:
        return swap.out(i, j, sold)
    below, own = Below(swap_of(row["base"]), row["base"]["supply"]), len(swap.xp)
    if j >= own:
        return below.withdraw(j - own, swap.out(0, 1, sold))
    return swap.out(1, 0, below.deposit(i - own, sold))


@pytest.mark.parametrize("name", sorted({row["name"] for row in ROWS}))
def test_out__of_a_recorded_pool__is_what_its_source_paid(name: str) -> None:
    rows = [row for row in ROWS if row["name"] == name]
    assert [paid(row) for row in rows] == [row["got"] for row in rows]


def test_rows__show_every_division() -> None:
    """One that is left out, or done in another order, makes some of them differ."""
    for product in Product:
        others = [row | {"product": product.value} for row in ROWS if row["product"] != product and "base" not in row]
        assert any(paid(row) != row["got"] for row in others)
    assert {row["name"] for row in ROWS if "base" in row} == {"metaUSD", "oldmeta", "ngmeta", "ngmeta over ng"}


def follows(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the second was recorded just after the first, in the same pool."""
    same = row["name"] == other["name"] and all(row[key] == other[key] for key in ("ann", "rates", "fee", "offpeg"))
    moved = [b - a for a, b in zip(row["balances"], other["balances"], strict=True)] if same else []
    return bool(moved) and moved[row["i"]] == row["sold"] and -moved[row["j"]] in range(row["got"], 2 * row["got"])


def test_after__of_a_recorded_swap__is_what_its_source_held_at_the_next_one() -> None:
    """All these sources keep half of the fee for their owner."""
    pairs = [(row, other) for row in ROWS for other in ROWS if "base" not in row and follows(row, other)]
    assert {row["name"] for row, _ in pairs} >= {"3pool", "Plain2", "ng"}
    assert sum(row["fee"] > 0 for row, _ in pairs) >= 4
    for row, other in pairs:
        after = replace(swap_of(row), admin=FEE_UNIT // 2).after(row["i"], row["j"], row["sold"])
        assert after == replace(swap_of(other), admin=FEE_UNIT // 2)
