"""What cannot change about a Curve pool: its coins in order, and which of the many contracts it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from keeper.core.pools import Details, Pool
from keeper.core.units import NATIVE, Address
from keeper.venues.curve_math import Product

CURVE, CURVE_NG, CURVE_META = "curve", "curve_ng", "curve_meta"
KINDS = CURVE, CURVE_NG, CURVE_META

FIXED, STORED, FRESH, CACHED = "fixed", "stored", "fresh", "cached"
"""Where rates come from: decimals alone; `stored_rates()`; and for the shares of a base pool its virtual price, as it
is or as the metapool keeps it for ten minutes."""
_BASE = "base."


@dataclass(frozen=True, slots=True)
class Form:
    """One contract's shape. `refused` says why its pool is known and yet never traded."""

    coins: tuple[Address, ...]
    decimals: tuple[int, ...]
    product: Product
    rates: str = FIXED
    scale: int = 100
    """Of A: 1 where `A()` is all there is, 100 where `A_precise()` gives what `exchange` calculates with."""
    old_index: bool = False
    """coins and balances are asked for by int128."""
    listed: bool = False
    """All balances come in one answer."""
    offpeg: bool = False
    killable: bool = False
    refused: str = ""
    base: Address | None = None
    under: Form | None = None
    """The base pool of a metapool whose underlying coins can be traded too."""

    @property
    def multipliers(self) -> tuple[int, ...]:
        return tuple(10 ** (36 - decimals) for decimals in self.decimals)

    @property
    def kind(self) -> str:
        return CURVE_META if self.base else CURVE_NG if self.rates == STORED and self.offpeg else CURVE

    @property
    def all_coins(self) -> tuple[Address, ...]:
        """Its own, and then those of its base pool."""
        return self.coins + (self.under.coins if self.under else ())

    @property
    def tradable(self) -> tuple[Address, ...]:
        return tuple(coin for coin in self.all_coins if coin != NATIVE)

    def place(self, coin: Address) -> int | None:
        return self.all_coins.index(coin) if coin in self.all_coins else None

    def details(self) -> Details:
        own = (
            ("coins", ",".join(self.coins)),
            ("decimals", ",".join(map(str, self.decimals))),
            ("product", self.product.value),
            ("rates", self.rates),
            ("scale", self.scale),
            ("old_index", int(self.old_index)),
            ("listed", int(self.listed)),
            ("offpeg", int(self.offpeg)),
            ("killable", int(self.killable)),
            ("refused", self.refused),
            ("base", self.base or ""),
        )
        return own + tuple((_BASE + name, value) for name, value in self.under.details()) if self.under else own


def form_of(pool: Pool) -> Form:
    """The form that was pinned with the pool. Raises KeyError where none was."""
    return _parse(pool.details)


@lru_cache(maxsize=1 << 12)
def _parse(details: Details) -> Form:
    values = dict(details)
    form = Form(
        coins=tuple(Address(coin) for coin in str(values["coins"]).split(",")),
        decimals=tuple(map(int, str(values["decimals"]).split(","))),
        product=Product(str(values["product"])),
        rates=str(values["rates"]),
        scale=int(values["scale"]),
        old_index=bool(values["old_index"]),
        listed=bool(values["listed"]),
        offpeg=bool(values["offpeg"]),
        killable=bool(values["killable"]),
        refused=str(values["refused"]),
        base=Address(str(values["base"])) if values["base"] else None,
    )
    under = tuple((name.removeprefix(_BASE), value) for name, value in details if name.startswith(_BASE))
    return replace(form, under=_parse(under)) if under else form
