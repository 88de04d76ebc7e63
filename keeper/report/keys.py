"""`keeper keys list`: each key, where it is held, what it is for, and what it holds on each chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from keeper.core import text
from keeper.core.foreign import printable
from keeper.core.units import TokenAmount
from keeper.report.page import BAD, GOOD, STRONG, WARN, Page


class Seat(Protocol):
    """A key on a chain."""

    @property
    def chain(self) -> str: ...
    @property
    def coin(self) -> TokenAmount | None: ...
    @property
    def nonce(self) -> int | None: ...
    @property
    def trouble(self) -> str: ...


class Key(Protocol):
    """A signer of a configuration."""

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def files(self) -> str: ...
    @property
    def vaults(self) -> tuple[str, ...]: ...
    @property
    def state(self) -> str: ...
    @property
    def seats(self) -> Sequence[Seat]: ...


def render_keys(keys: Sequence[Key]) -> Page:
    page = Page()
    if not keys:
        page.add("No signers: nothing here can sign.")
    for key in keys:
        page.blank()
        style = {"in use": GOOD, "not used": ""}.get(key.state, WARN)
        page.add((key.name, STRONG), f"  {key.address}  ", (key.state, style))
        page.label("held", f"{key.kind} {key.place}", (f": {key.files}", BAD) if key.files else "", indent=2)
        page.label("for", ", ".join(key.vaults) or "no vault", indent=2)
        for seat in key.seats:
            page.label(seat.chain, *_told(seat), indent=2)
    return page


def _told(seat: Seat) -> list[str | tuple[str, str]]:
    told: list[str | tuple[str, str]] = []
    if seat.coin is not None and seat.nonce is not None:
        told.append(f"{text.amount(seat.coin)}, next nonce {seat.nonce}")
    if seat.trouble:
        told.append((f"{', ' if told else ''}{printable(seat.trouble)}", BAD))
    return told
