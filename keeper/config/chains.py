"""A chain: how to reach it, what it costs, and what stands on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, field_validator

from keeper.config import units
from keeper.config.fields import (
    EMPTY,
    Address,
    BlockTime,
    Bps,
    ByAddress,
    BySymbol,
    Count,
    Fee,
    File,
    Flag,
    Name,
    Named,
    OneOrMore,
    Part,
    RpcUrl,
    Seconds,
    SocketUrl,
    Symbol,
    Written,
    Wrong,
    between,
    short_form,
)
from keeper.config.prices import PriceConfig, SequencerConfig
from keeper.core.units import Wei

LOCAL_CHAINS = frozenset({1337, 31337})
"""Chains of one machine, where development keys and fixed prices do no harm."""

GWEI = 10**9
PPM = 10**6
V2_FEE_PPM = 3_000

_CapFee = Annotated[
    Fee, between(GWEI // 1000, 10_000 * GWEI, "a fee from 0.001 gwei to 10000 gwei (was the unit meant?)")
]
_Tip = Annotated[Fee, between(0, 1_000 * GWEI, "a tip from 0 gwei to 1000 gwei")]


class FeesConfig(Part):
    """What a transaction may offer for gas, and how stuck ones are replaced."""

    type: Literal["eip1559", "legacy"] = "eip1559"
    max_base_fee: _CapFee = Wei(100 * GWEI)
    """Above this base fee nothing new is started."""
    max_fee: _CapFee = Wei(300 * GWEI)
    """Never signed above, cancels included."""
    max_tip: _Tip = Wei(5 * GWEI)
    min_tip: _Tip = Wei(0)
    bump: Annotated[Bps, between(1_000, 10_000, "a rise from 10% to 100%: nodes refuse a smaller one")] = 1_250
    replace_after: Annotated[Seconds, between(5, 3_600, "a duration from 5s to 1h")] = 60
    gas_margin: Annotated[Bps, between(0, 10_000, "a margin from 0% to 100%")] = 2_000
    """Put on top of the gas that the simulation needed."""
    tip_percentile: Annotated[Count, between(1, 99, "1 to 99")] = 50
    """Which of the tips that recent blocks paid counts as the going one."""
    l1: Literal["none", "op", "node"] = "none"
    """How the chain charges for its L1: not at all, apart from gas (OP stack), or within the gas (Arbitrum, zkSync)."""


class RelayConfig(Part):
    """A private way to a block: transactions are shown to it first, and to the public pool only when that failed."""

    url: RpcUrl
    kind: Literal["raw", "private"]
    """Takes eth_sendRawTransaction, or eth_sendPrivateTransaction with the last block that it may be put into."""
    max_blocks: Annotated[Count, between(1, 100, "1 to 100")] = 25
    """After so many blocks the same bytes go to the public pool."""
    auth_key_file: File | None = None
    """A key that says who asks, and nothing else: never one that holds funds."""


class NativeConfig(Part):
    """The native coin and the token that wraps it."""

    symbol: Symbol = "ETH"
    decimals: Annotated[Count, between(18, 18, "18")] = 18
    wrapped: Symbol | None = None
    """Symbol of the wrapping token, one of `tokens`."""


class TokenBody(Part):
    """A token; its decimals are read from the chain, and compared where they are given."""

    address: Address
    decimals: Annotated[Count, between(0, 36, "0 to 36")] | None = None
    rebasing: Flag = False
    """Its balances move by themselves: its pools are left out of routes, and it is not traded."""


TokenConfig = Annotated[TokenBody, BeforeValidator(short_form("address"))]


class RouterConfig(Part):
    """The contract that swaps are sent to."""

    kind: Literal["v2_router", "swap_router", "swap_router02", "pancake_router", "slipstream_router"]
    address: Address


def _fee_ppm(value: Any) -> int:
    expected = "a fee such as 0.3%"
    if not isinstance(value, str):
        raise Wrong(expected)
    figure, unit = units.measure(value, expected)
    found = figure * (PPM // 100)
    if unit != "%" or found.denominator != 1 or not 0 <= found < PPM // 10:
        raise Wrong(expected)
    return found.numerator


class FactoryConfig(Part):
    """Whoever made a pool says what it is and where it is traded."""

    kind: Literal["uniswap_v2", "uniswap_v3", "pancake_v3", "slipstream"]
    fee: (
        Annotated[int, PlainValidator(_fee_ppm), Written(lambda value: f"{units.plain(Fraction(value, PPM // 100))}%")]
        | None
    ) = None
    """{ppm} of the amount in, for forks of Uniswap v2; 0.3 % where it is silent."""
    router: RouterConfig

    @property
    def fee_ppm(self) -> int | None:
        """None where each pool says its own (v3 and its forks)."""
        if self.kind != "uniswap_v2":
            return None
        return V2_FEE_PPM if self.fee is None else self.fee


@dataclass(frozen=True, slots=True)
class Finality:
    """When a block cannot change any more: the node's word for it, or a depth in blocks."""

    depth: int | None = None

    def __str__(self) -> str:
        return "finalized" if self.depth is None else str(units.Blocks(self.depth))


def _finality(value: Any) -> Finality:
    if value == "finalized":
        return Finality()
    try:
        return Finality(units.blocks(value).count)
    except (ValueError, TypeError):
        raise Wrong("finalized, or a depth such as 64 blocks") from None


def _seconds_or_off(value: Any) -> int | None:
    if value == "off":
        return None
    if not isinstance(value, str) or not (seconds := units.duration(value)):
        raise Wrong("a duration such as 2m, or off")
    return seconds


def _some(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        raise Wrong("at least one URL", "none")
    return value


def _call_rate(value: Any) -> units.Rate:
    expected = "a number of calls within 1s to 1m, such as 20 per 1s"
    count, _, window = value.partition(" per ") if isinstance(value, str) else ("", "", "")
    try:
        rate = units.Rate(units.whole(count), units.duration(window), "times")
    except ValueError:
        raise Wrong(expected) from None
    if not rate.limit or not 1 <= rate.seconds <= 60:
        raise Wrong(expected)
    return rate


class ChainConfig(Part):
    """One chain. Most of it comes from a preset."""

    preset: Name | None = None
    chain_id: Annotated[Count, between(1, 2**63 - 1, "a chain id from 1")]
    rpc: Annotated[tuple[RpcUrl, ...], OneOrMore, AfterValidator(_some)]
    quorum: Annotated[Count, between(1, 16, "1 to 16")] | None = None
    """How many nodes must say the same before it is believed; where it is silent 2, or 1 with a single URL."""
    ws: Annotated[tuple[SocketUrl, ...], OneOrMore] = ()
    """WebSockets that tell of new heads, tried in turns: a hint to look at once, never a fact."""
    rpc_rate: Annotated[units.Rate, PlainValidator(_call_rate), Written(str)] | None = None
    """JSON-RPC calls that each node may be asked within a window; no limit where it is silent."""
    reader: Address | None = None
    """Where our packed reader is deployed, for a node that lets no call put it there."""
    confirmations: Annotated[Count, between(1, 1_000, "1 to 1000")]
    """Depth at which a mined transaction no longer blocks its vault; 1 is the head itself."""
    finality: Annotated[Finality, PlainValidator(_finality), Written(str)] = Finality()
    block_time: Annotated[BlockTime, between(Fraction(1, 100), 3_600, "a block time from 10ms to 1h")]
    fees: FeesConfig = FeesConfig()
    native: NativeConfig = NativeConfig()
    tokens: BySymbol[TokenConfig] = EMPTY
    pools: Named[Address] = EMPTY
    factories: ByAddress[FactoryConfig] = EMPTY
    prices: BySymbol[PriceConfig] = EMPTY
    sequencer: SequencerConfig | None = None
    relay: RelayConfig | None = None
    clock: Literal["system", "chain"] = "system"
    """Whose time it is: this machine's, or, on a local chain whose time somebody moves, the latest block's."""
    max_clock_skew: Annotated[Seconds, between(1, 3_600, "a duration from 1s to 1h")] = 30
    """How far the head may be ahead of this machine's clock: beyond it one of the two is wrong."""
    max_head_age: Annotated[
        int | None,
        PlainValidator(_seconds_or_off),
        Written(lambda value: "off" if value is None else units.duration_text(value), shows_none=True),
    ] = Field(default=120)
    """Beyond it the node counts as stuck and nothing is decided."""

    @field_validator("clock")
    @classmethod
    def _clock(cls, clock: str, info: ValidationInfo) -> str:
        if clock == "chain" and info.data.get("chain_id") not in LOCAL_CHAINS:
            raise Wrong("system: a stuck node would stop the time of a real chain")
        return clock

    @property
    def is_local(self) -> bool:
        return self.chain_id in LOCAL_CHAINS

    @property
    def agreeing(self) -> int:
        """Nodes that must say the same. By default two, so that one that lies moves nothing, however many there are."""
        return min(2, len(self.rpc)) if self.quorum is None else self.quorum

    def symbols(self) -> Mapping[str, str]:
        """Address -> symbol of every declared token."""
        return {token.address: symbol for symbol, token in self.tokens.items()}
