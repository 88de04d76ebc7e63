"""`keeper pools`: each pool of a vault with its fee, its depth and its age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from keeper.core import text
from keeper.core.foreign import printable
from keeper.core.pools import Pool
from keeper.core.units import Token, TokenAmount
from keeper.report import format as form
from keeper.report.nouns import amount, pool_record
from keeper.report.page import DIM, STRONG, WARN, Page, columns, styled

IMPACTS = (10, 50, 100)
"""{bps}"""


@dataclass(frozen=True, slots=True)
class Depth:
    """What may be sold of one token of a pool for another until the price is worse by each of IMPACTS, fee aside."""

    sell: Token
    buy: Token
    sales: tuple[TokenAmount | str, ...]
    """Or why the pool fills nothing."""
    values: tuple[TokenAmount | None, ...]
    """The same in the numeraire; None where the token has no usable price."""


@dataclass(frozen=True, slots=True)
class PoolFound:
    """One pool of a vault at one block. `since` is in Unix seconds; None where the node keeps no state so old."""

    pool: Pool
    depths: tuple[Depth, ...]
    left_out: str = ""
    warning: str = ""
    since: int | None = None
    is_older: bool = False
    """It existed at `since` already, and the node knows no earlier state."""


@dataclass(frozen=True, slots=True)
class VaultPools:
    """All pools of one vault, at `number`, `at` Unix seconds."""

    vault: str
    number: int
    at: int
    found: tuple[PoolFound, ...]


def render_pools(vault: VaultPools) -> Page:
    page = Page()
    page.add((vault.vault, STRONG), f" · {form.count(len(vault.found), 'pool')} at block {vault.number:,}")
    page.blank()
    heads = ["pool", "age", "sells", *(f"{bps} bps" for bps in IMPACTS)]
    rows = [row for found in vault.found for row in _rows(found, vault.at)]
    page.extend(columns(rows, "lrl" + "r" * len(IMPACTS), heads))
    for found in vault.found:
        for said in _remarks(found):
            page.label("", styled((f"{printable(found.pool.label, 120)}: {printable(said, 200)}", WARN)), width=2)
    page.blank()
    page.add(("amounts that may be sold until the average price is that much worse, the fee aside", DIM))
    return page


def pools_record(vault: VaultPools) -> dict[str, Any]:
    return {
        "vault": vault.vault,
        "block": vault.number,
        "timestamp": vault.at,
        "pools": [
            {
                **pool_record(found.pool),
                "left_out": printable(found.left_out),
                "warning": found.warning,
                "since": found.since,
                "is_older": found.is_older,
                "depths": [_depth_record(depth) for depth in found.depths],
            }
            for found in vault.found
        ],
    }


def _depth_record(depth: Depth) -> dict[str, Any]:
    pairs = zip(IMPACTS, depth.sales, depth.values, strict=True)
    return {
        "sell": depth.sell.symbol,
        "buy": depth.buy.symbol,
        "sales": [
            {"impact_bps": bps, "value": amount(value) if value else None}
            | ({"sell": amount(sale)} if isinstance(sale, TokenAmount) else {"reason": printable(sale)})
            for bps, sale, value in pairs
        ],
    }


def _remarks(found: PoolFound) -> Iterator[str]:
    """Why a pool is left out or fills nothing at all, and what should be known of it."""
    if found.left_out:
        yield f"left out: {found.left_out}"
    reasons = [sale for depth in found.depths for sale in depth.sales if isinstance(sale, str)]
    if reasons and len(reasons) == sum(len(depth.sales) for depth in found.depths):
        yield f"fills nothing: {reasons[0]}"
    if found.warning:
        yield found.warning


def _rows(found: PoolFound, now: int) -> Iterator[list[Text]]:
    name, age = printable(found.pool.label, 120), _age(found, now)
    if not found.depths:
        yield [Text(name), Text(age), *[Text("")] * (1 + len(IMPACTS))]
    for index, depth in enumerate(found.depths):
        cells = [_sale(sale, value) for sale, value in zip(depth.sales, depth.values, strict=True)]
        first = index == 0
        yield [
            Text(name if first else ""),
            Text(age if first else ""),
            Text(f"{depth.sell.symbol}→{depth.buy.symbol}"),
            *cells,
        ]


def _sale(sale: TokenAmount | str, value: TokenAmount | None) -> Text:
    if isinstance(sale, str):
        return styled(("nothing", DIM))
    return Text(text.usd(value) if value is not None else text.amount(sale))


def _age(found: PoolFound, now: int) -> str:
    if found.since is None:
        return ""
    return f"{'> ' if found.is_older else ''}{form.age(max(0, now - found.since))}"
