"""Types of single values: each is parsed from its text, and knows how to be written again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from eth_utils.address import to_checksum_address
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationInfo

from keeper.config import units
from keeper.config.secret import Secret, Url
from keeper.core.units import NATIVE, TokenAmount, Wei
from keeper.core.units import Address as CoreAddress


class Part(BaseModel):
    """A piece of the tree: frozen, and closed to keys that it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True, validate_default=False
    )


class Wrong(ValueError):
    """What was expected and, where the text in the file does not say it best, what was found."""

    def __init__(self, expected: str, found: str | None = None) -> None:
        super().__init__(expected)
        self.found = found


@dataclass(frozen=True, slots=True)
class Written:
    """How a value of a type is written in a config."""

    text: Callable[[Any], str]
    shows_none: bool = False


def from_text(parse: Callable[[str], Any]) -> PlainValidator:
    def validate(value: Any) -> Any:
        if not isinstance(value, str):
            raise Wrong("a text", "a list" if isinstance(value, list) else "a mapping")
        return parse(value)

    return PlainValidator(validate)


def between(low: int | Fraction, high: int | Fraction, expected: str) -> AfterValidator:
    """Refuses a figure outside its range, in its own unit."""

    def check(value: Any) -> Any:
        if not low <= value <= high:
            raise Wrong(expected)
        return value

    return AfterValidator(check)


def parse_address(text: str) -> CoreAddress:
    digits = text[2:]
    if text[:2] != "0x" or len(digits) != 40 or digits.strip("0123456789abcdefABCDEF"):
        name = "." in text and not text.startswith("0x")
        raise Wrong("an address (names are not resolved)" if name else "an address: 0x and 40 hex digits")
    if not int(digits, 16):
        raise Wrong("an address other than zero", "0x0")
    if to_checksum_address(text) != text:
        if digits in (digits.lower(), digits.upper()):
            raise Wrong("an address with its EIP-55 checksum (capitals and small letters)")
        raise Wrong("an address whose EIP-55 checksum is right: a digit or a letter is wrong")
    if text == NATIVE:
        raise Wrong("a contract or an account; the native coin stands under `native`")
    return CoreAddress(text)


def _symbol(text: str) -> str:
    if not units.SYMBOL.fullmatch(text):
        raise Wrong("a symbol of at most 16 letters and digits", repr(text)[1:-1])
    return text


def parse_name(text: str) -> str:
    if not text or len(text) > 40 or text.strip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"):
        raise Wrong("a name of at most 40 letters, digits, - and _", repr(text)[1:-1])
    return text


def _file(value: Any, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise Wrong("a file path")
    base: Path = (info.context or {}).get("base", Path())
    return base / Path(value).expanduser()


V = TypeVar("V")

Address = Annotated[CoreAddress, from_text(parse_address), Written(str)]
Symbol = Annotated[str, from_text(_symbol)]
Name = Annotated[str, from_text(parse_name)]
Text = Annotated[str, from_text(str)]
Flag = Annotated[bool, from_text(units.boolean), Written(lambda flag: "true" if flag else "false")]
Count = Annotated[int, from_text(units.whole), Written(str)]
Seconds = Annotated[int, from_text(units.duration), Written(units.duration_text)]
Interval = Annotated[
    int | units.Blocks,
    from_text(units.interval),
    Written(lambda value: str(value) if isinstance(value, units.Blocks) else units.duration_text(value)),
]
BlockTime = Annotated[
    Fraction,
    from_text(units.block_time),
    Written(lambda value: f"{value}s" if value.denominator == 1 else f"{value * 1000}ms"),
]
Bps = Annotated[int, from_text(units.bps), Written(lambda value: f"{value}bps")]
Slippage = Annotated[
    int | str, from_text(units.slippage), Written(lambda value: value if value == units.AUTO else f"{value}bps")
]
Weight = Annotated[int, from_text(units.weight), Written(lambda value: f"{units.plain(Fraction(value, 100))}%")]
Band = Annotated[units.Band, from_text(units.band), Written(str)]
Fee = Annotated[Wei, from_text(units.fee), Written(units.fee_text)]
Usd = Annotated[TokenAmount, from_text(units.usd), Written(lambda value: f"{units.plain(value.whole)} USD")]
Aversion = Annotated[Fraction, from_text(units.decimal), Written(units.plain)]
UsdOrAuto = Annotated[
    TokenAmount | Literal["auto"],
    from_text(lambda text: text if text == "auto" else units.usd(text)),
    Written(lambda value: value if value == "auto" else f"{units.plain(value.whole)} USD"),
]
Destination = Annotated[
    units.Band | Literal["target", "edge", "half"],
    from_text(lambda text: text if text in ("target", "edge", "half") else units.band(text)),
    Written(str),
]
Amount = Annotated[units.Amount, from_text(units.amount), Written(str)]
ShareRate = Annotated[units.Rate, from_text(units.share_rate), Written(str)]
LongShareRate = Annotated[units.Rate, from_text(units.long_share_rate), Written(str)]
CountRate = Annotated[units.Rate, from_text(units.count_rate), Written(str)]
UsdRate = Annotated[units.ValueRate, from_text(units.value_rate), Written(str)]
UsdADay = Annotated[units.ValueRate, from_text(units.value_a_day), Written(str)]
AmountRate = Annotated[units.AmountRate, from_text(units.amount_rate), Written(str)]
UsdPrice = Annotated[Fraction, from_text(units.price), Written(lambda value: f"{units.plain(value)} USD")]
File = Annotated[Path, PlainValidator(_file), Written(str)]
RpcUrl = Annotated[Url, PlainValidator(Url.of_node), Written(str)]
SocketUrl = Annotated[Url, PlainValidator(Url.of_socket), Written(str)]
AnyUrl = Annotated[Url, PlainValidator(Url.of_anything), Written(str)]
Key = Annotated[Secret, PlainValidator(Secret.of_key), Written(str)]

Named = Annotated[Mapping[Name, V], AfterValidator(MappingProxyType)]
BySymbol = Annotated[Mapping[Symbol, V], AfterValidator(MappingProxyType)]
ByAddress = Annotated[Mapping[Address, V], AfterValidator(MappingProxyType)]


def one_or_more(value: Any) -> Any:
    """A single value where a list could stand."""
    return value if isinstance(value, list) else [value]


OneOrMore = BeforeValidator(one_or_more)


def short_form(key: str) -> Callable[[Any], Any]:
    """`USDC: 0x…` for `USDC: {address: 0x…}`: a lone text stands for the mapping with that key."""
    return lambda value: {key: value} if isinstance(value, str) else value


EMPTY: Any = Field(default_factory=lambda: MappingProxyType({}))
"""The default of a mapping."""
