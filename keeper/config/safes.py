"""Funds in a Safe, and the three ways in which a key may move them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import PlainValidator

from keeper.config.fields import EMPTY, Address, AnyUrl, BySymbol, Name, Part, Written, Wrong
from keeper.core.units import Address as CoreAddress

MULTI_SENDS: Mapping[str, CoreAddress] = {
    "1.3.0": CoreAddress("0x40A2aCCbd92BCA938b02010E17A5b8929b49130D"),
    "1.4.1": CoreAddress("0x9641d764fc13c8B624c04430C7356C1C7C8102e2"),
}
"""MultiSendCallOnly at its canonical address on most chains, by the Safe's version (github.com/safe-global/
safe-deployments, src/assets/v1.3.0 and v1.4.1, multi_send_call_only.json)."""


_HEX = re.compile(r"0x[0-9a-fA-F]{32}_[0-9a-fA-F]{32}", re.ASCII)


def _key(text: object) -> str:
    """A name of at most 31 letters, as Zodiac's tools write it; or 32 bytes in two halves, because 64 hex digits in a
    row are refused wherever they stand: they could be a private key."""
    expected = "a name of at most 31 letters, or 32 bytes in halves: 0x, 32 hex digits, _ and 32 more"
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or " " in text:
        raise Wrong(expected)
    fits = _HEX.fullmatch(text) and text.strip("0x_") if text.startswith("0x") else 0 < len(text) < 32
    if not fits:
        raise Wrong(expected)
    return text


RoleName = Annotated[str, PlainValidator(_key), Written(str)]


class OfSafe(Part):
    """What all of them say."""

    safe: Address
    version: Literal["1.3.0", "1.4.1"] = "1.4.1"
    """Of the Safe: held against what it says itself."""
    multi_send: Address | None = None
    """MultiSendCallOnly, where it stands elsewhere than at its canonical address."""

    @property
    def account(self) -> CoreAddress:
        return self.safe

    @property
    def native(self) -> Literal["ignore"]:
        """The Safe's coin is nobody's gas, and is left alone."""
        return "ignore"

    @property
    def batcher(self) -> CoreAddress:
        return self.multi_send or MULTI_SENDS[self.version]


class InSafe(OfSafe):
    """A key moves them. Its own account holds nothing but coin for gas."""

    signer: Name


class ProposeConfig(OfSafe):
    """No key moves them: several owners must sign, and the keeper writes down what."""

    kind: Literal["propose"]
    safe_service: AnyUrl | None = None
    """The chain's Safe Transaction Service: asked what else owners have queued."""

    @property
    def signer(self) -> None:
        """Nobody's."""
        return None


class SafeConfig(InSafe):
    """The key is an owner of a Safe with threshold 1: full authority."""

    kind: Literal["safe"]


class SafeModuleConfig(InSafe):
    """The key, or the module that it calls, is enabled as a module of the Safe. A bare key has full authority."""

    kind: Literal["safe_module"]
    module: Address | None = None


class RolesConfig(InSafe):
    """The key has a role at a Zodiac Roles modifier of the Safe, and may do what the role allows."""

    kind: Literal["roles"]
    modifier: Address
    role: RoleName
    allowances: BySymbol[RoleName] = EMPTY
    """Token -> the role's allowance that bounds how much of it may be sold: read, shown, and kept to."""
