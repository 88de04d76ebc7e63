"""`keeper authority`: what a thief of each vault's key could take, why no more, and what the configuration allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Protocol

from rich.text import Text

from keeper.core import text
from keeper.core.authority import Most, WorstLoss
from keeper.core.chain import Unusable
from keeper.core.foreign import printable
from keeper.core.units import USD, Address, TokenAmount
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
    for line in _sums(exposures):
        page.blank()
        page.add(line, hang=2)
    if next_commands:
        page.blank()
        page.add(("next: ", DIM), " · ".join(next_commands), hang=6)
    return page


def _sums(exposures: Sequence[Exposed]) -> Iterator[str]:
    """Of each key that serves several vaults: whoever has it has them all. Its gas money counts once for each chain."""
    keys = dict.fromkeys(exposed.key for exposed in exposures if exposed.key)
    for key in keys:
        mine = [exposed for exposed in exposures if exposed.key == key]
        known = [(exposed, exposed.found) for exposed in mine if isinstance(exposed.found, WorstLoss)]
        if len(mine) < 2 or not known:
            continue
        gas = {exposed.chain: found.gas_value for exposed, found in known}
        day = sum((found.per_day.value.raw for _, found in known), 0)
        total = sum((found.total.value.raw for _, found in known), 0)
        coin = sum((value.raw for value in gas.values()), 0)
        usd = [text.usd(TokenAmount(USD, raw)) for raw in (day, total, coin)]
        without = "" if len(known) == len(mine) else f", without {len(mine) - len(known)} that cannot be read"
        yield (
            f"key {form.short(key)} serves {len(mine)} vaults: {usd[0]} a day and {usd[1]} in total over all of them, "
            f"{usd[2]} of gas money beside it{without}"
        )


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
