"""A rebalance that is traded in slices: the whole, one part of it, and where the parts stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from keeper.core.units import USD, Address, TokenAmount


@dataclass(frozen=True, slots=True)
class Parent:
    """The whole of which slices are parts, as it was decided with its first slice. It never changes afterwards."""

    began: int
    """Unix seconds of the block that it was decided on."""
    sell: Address
    buy: Address
    notional: TokenAmount
    price: Fraction
    """{buy whole / sell whole} at the oracle's mids when it was decided."""
    slices: int
    spacing: int
    """{s} Mean time from one slice to the next."""
    urgent: Fraction = Fraction(0)
    """κ̃²τ² of Almgren and Chriss: how much larger the first slices are than the last."""

    @property
    def mean(self) -> TokenAmount:
        """What one slice is worth where all are alike."""
        return TokenAmount(self.notional.token, self.notional.raw // self.slices)


@dataclass(frozen=True, slots=True)
class Slice:
    """One part: the `number`th of about `of`; `done` is what earlier slices of the same parent traded."""

    parent: Parent
    number: int
    of: int
    done: TokenAmount

    @property
    def is_last(self) -> bool:
        return self.number >= self.of


@dataclass(frozen=True, slots=True)
class Schedule:
    """Where a parent stands: the slice that goes now or next, what is left with it, and when it may go."""

    slice: Slice
    size: TokenAmount
    left: TokenAmount
    due: int
    """Unix seconds."""
    ends: int | None = None
    """Unix seconds by which all should be done."""

    @property
    def progress(self) -> Fraction:
        """Share of the parent that is traded already."""
        whole = self.slice.done + self.left
        return self.slice.done.over(whole) if whole else Fraction(1)


def slice_out(one: Slice) -> dict[str, Any]:
    """JSON-ready and exact."""
    parent = one.parent
    return {
        "began": parent.began,
        "sell": parent.sell,
        "buy": parent.buy,
        "notional": str(parent.notional.raw),
        "price": str(parent.price),
        "slices": parent.slices,
        "spacing": parent.spacing,
        "urgent": str(parent.urgent),
        "number": one.number,
        "of": one.of,
        "done": str(one.done.raw),
    }


def slice_in(data: Mapping[str, Any]) -> Slice:
    parent = Parent(
        began=data["began"],
        sell=Address(data["sell"]),
        buy=Address(data["buy"]),
        notional=TokenAmount(USD, int(data["notional"])),
        price=Fraction(data["price"]),
        slices=data["slices"],
        spacing=data["spacing"],
        urgent=Fraction(data["urgent"]),
    )
    return Slice(parent, data["number"], data["of"], TokenAmount(USD, int(data["done"])))
