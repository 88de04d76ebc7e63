"""`keeper authority`: what a thief of each vault's key could take, why no more, and what the configuration allows."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

from rich.text import Text

from keeper.core import text
from keeper.core.authority import Most, WorstLoss
from keeper.core.chain import Unusable
from keeper.core.foreign import printable
from keeper.core.units import Address, TokenAmount
from keeper.report import format as form
from keeper.report.nouns import Record, amount
from keeper.report.page import BAD, DIM, GOOD, STRONG, WARN, Page, columns, styled

WIDE = 240
"""Letters of a reason, which may name tokens by what they call themselves."""


class Exposed(Protocol):
    """A vault and what its key could lose."""

    @property
    def vault(self) -> str: ...
    @property
    def chain(self) -> str: ...
    @property
    def chain_id(self) -> int: ...
    @property
    def custody(self) -> str: ...
    @property
    def account(self) -> Address: ...
    @property
    def key(self) -> Address | None: ...
    @property
    def block(self) -> int: ...
    @property
    def found(self) -> WorstLoss | Unusable: ...
    @property
    def limit(self) -> TokenAmount | None: ...
    @property
    def is_within(self) -> bool: ...


def authority_record(exposed: Exposed) -> Record:
    """Amounts as everywhere; `unknown` says why there are none."""
    found = exposed.found
    record: Record = {
        "vault": exposed.vault,
        "chain": exposed.chain,
        "chain_id": exposed.chain_id,
        "block": exposed.block,
        "custody": exposed.custody,
        "account": exposed.account,
        "key": exposed.key,
        "max_authority": amount(exposed.limit) if exposed.limit is not None else None,
        "within": exposed.is_within,
        "unknown": printable(found.reason, WIDE) if isinstance(found, Unusable) else "",
    }
    if isinstance(found, WorstLoss):
        record |= {name: _most(most) for name, most in _named(found)}
        record |= {"gas": amount(found.gas), "gas_value": amount(found.gas_value), "day": amount(found.day)}
        record["notes"] = list(found.notes)
    return record


def render_authority(exposures: Sequence[Exposed], next_commands: Sequence[str] = ()) -> Page:
    page = Page()
    if not exposures:
        page.add("No vaults: no key holds, or moves, anything but its own gas money.")
    for index, exposed in enumerate(exposures):
        if index:
            page.blank()
        _show(page, exposed)
    if next_commands:
        page.blank()
        page.add(("next: ", DIM), " · ".join(next_commands), hang=6)
    return page


def _show(page: Page, exposed: Exposed) -> None:
    key = f"key {form.short(exposed.key)}" if exposed.key else "no key"
    where = f" · {exposed.chain} {exposed.chain_id} · block {exposed.block:,} · {exposed.custody} "
    page.add((exposed.vault, STRONG), where, f"{form.short(exposed.account)} · {key}")
    page.blank()
    found = exposed.found
    if isinstance(found, Unusable):
        page.add(
            ("UNKNOWN", BAD),
            f": what a thief of the key could take is not known: {printable(found.reason, WIDE)}",
            hang=2,
        )
        return
    page.add("A thief of the key could take at most")
    rows = [
        [Text(_TITLES[name]), styled((text.usd(most.value), STRONG)), Text(printable(most.reason, WIDE))]
        for name, most in _named(found)
    ]
    coin = f"{text.amount(found.gas)} on the key's own account, beside it"
    rows.append([Text("gas money"), Text(text.usd(found.gas_value)), Text(coin)])
    page.extend(columns(rows, "lrl", gap=3), indent=2)
    for note in found.notes:
        page.add((f"  {note}", DIM), hang=4)
    page.blank()
    page.label("limit", *_limit(exposed, found), width=7)


_TITLES = {"per_transaction": "per transaction", "per_day": "per day", "total": "in total"}


def _named(found: WorstLoss) -> tuple[tuple[str, Most], ...]:
    return ("per_transaction", found.per_transaction), ("per_day", found.per_day), ("total", found.total)


def _most(most: Most) -> Record:
    return {**amount(most.value), "reason": printable(most.reason, WIDE)}


def _limit(exposed: Exposed, found: WorstLoss) -> list[str | tuple[str, str]]:
    if exposed.limit is None:
        told = "no max_authority: that is fine for this vault as it is" if exposed.is_within else "no max_authority"
        return [(told, "" if exposed.is_within else BAD), "" if exposed.is_within else ": --live needs one"]
    used = f"{text.usd(found.day)} of {text.usd(exposed.limit)} a day, gas money included"
    if not exposed.is_within:
        return [(f"{used}: too much", BAD), ", --live refuses"]
    share = Fraction(found.day.raw, exposed.limit.raw) if exposed.limit else Fraction(0)
    style = WARN if share >= Fraction(3, 4) else GOOD
    return [f"{used}  ", (f"{form.rounded(share * 100, 0)} %", style)]
