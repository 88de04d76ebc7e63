"""Pools as a config names them: by address, or by a name that stands elsewhere in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator

from keeper.config.fields import Written, Wrong, parse_address, parse_name
from keeper.core.units import Address


@dataclass(frozen=True, slots=True)
class PoolRef:
    """A pool. Without an address, `name` is one of the chain's or of the vault's named pools."""

    name: str = ""
    address: Address | None = None

    def __str__(self) -> str:
        """As it stands in a list; a pool with both carries its address."""
        return self.address or self.name


def _pool(value: Any) -> PoolRef:
    if isinstance(value, PoolRef):
        return value
    if not isinstance(value, str):
        raise Wrong("a pool's address or name")
    if value.startswith("0x") or "." in value:
        return PoolRef(address=parse_address(value))
    return PoolRef(name=parse_name(value))


def named(value: Any) -> Any:
    """`{uni: 0x…}` as a list of pools that carry their names; a lone pool as a list of one."""
    if isinstance(value, dict):
        return [
            PoolRef(parse_name(name), parse_address(text) if isinstance(text, str) else None)
            for name, text in value.items()
        ]
    return value if isinstance(value, list) else [value]


Pool = Annotated[PoolRef, PlainValidator(_pool), Written(str)]
