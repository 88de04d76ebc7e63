"""An upkeep: a contract that says itself when it wants to be called, and what a call may cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag

from keeper.config.breakers import StrikesConfig
from keeper.config.calls import Call, Data, FunctionCall, Signature
from keeper.config.custody import WalletConfig
from keeper.config.fields import (
    EMPTY,
    Address,
    Amount,
    AmountRate,
    BySymbol,
    Count,
    CountRate,
    Fee,
    Name,
    Part,
    Seconds,
    Wrong,
    between,
)
from keeper.config.guards import DEFAULT_GAS_RESERVE, GWEI
from keeper.config.kinds import PREFIX, kind_of
from keeper.config.pools import PoolRef
from keeper.config.prices import PriceConfig
from keeper.config.schedules import ScheduleConfig
from keeper.config.units import DAY, Rate
from keeper.config.units import Amount as AmountValue
from keeper.config.units import AmountRate as AmountRateValue
from keeper.config.vaults import ExecutionConfig
from keeper.core.abi import selector
from keeper.core.units import Address as CoreAddress

LEAST_GAS, MOST_GAS = 21_000, 1 << 24
"""{gas} What any transaction needs, and what one may have (EIP-7825)."""


class UpkeepGuardsConfig(Part):
    """Every key is also the guard's name. Limits of gas are in USD, where the chain prices its coin, or in the coin."""

    max_gas: Amount | None = None
    """Of one call; None: what a day may cost."""
    max_gas_per_day: AmountRate | None = None
    """None: 0.02 of the native coin."""
    max_base_fee: (
        Annotated[
            Fee, between(GWEI // 1000, 10_000 * GWEI, "a fee from 0.001 gwei to 10000 gwei (was the unit meant?)")
        ]
        | None
    ) = None
    """None: the chain's `fees.max_base_fee`."""
    gas_reserve: Amount | None = None
    """None: 0.02 of the native coin."""
    cool_down: Annotated[Seconds, between(0, 30 * DAY, "a duration up to 30d")] = 0
    max_calls: CountRate = Rate(100, DAY, "times")
    min_profit: BySymbol[Amount] = EMPTY
    """What a call must bring the account of each token, by its symbol; of native coin, less its gas."""

    def gas_reserve_of(self, native: str) -> AmountValue:
        return self.gas_reserve or AmountValue(DEFAULT_GAS_RESERVE, native)

    def max_gas_per_day_of(self, native: str) -> AmountRateValue:
        return self.max_gas_per_day or AmountRateValue(AmountValue(DEFAULT_GAS_RESERVE, native), DAY)


class _UpkeepConfig(Part):
    """What all kinds have. An upkeep calls as a plain wallet: its key's own account."""

    chain: Name
    mode: Literal["dry", "live"] = "dry"
    signer: Name | None = None
    address: Address | None = None
    """Who would call, for a dry upkeep without a signer."""
    target: Address
    gas_limit: Annotated[Count, between(LEAST_GAS, MOST_GAS, f"{LEAST_GAS:,} to {MOST_GAS:,} gas")] = 1_000_000
    """{gas} That one transaction may be given, margin included."""
    schedule: ScheduleConfig = ScheduleConfig()
    guards: UpkeepGuardsConfig = Field(default_factory=UpkeepGuardsConfig)
    breakers: StrikesConfig = StrikesConfig()

    @property
    def is_live(self) -> bool:
        return self.mode == "live"

    @property
    def custody(self) -> WalletConfig:
        return WalletConfig(kind="wallet", signer=self.signer, address=self.address, native="ignore")

    @property
    def execution(self) -> ExecutionConfig:
        return ExecutionConfig()

    @property
    def symbols(self) -> tuple[str, ...]:
        """Tokens whose balance is looked at."""
        return tuple(self.guards.min_profit)

    @property
    def pools(self) -> tuple[PoolRef, ...]:
        return ()

    @property
    def prices(self) -> Mapping[str, PriceConfig]:
        return {}

    def prices_on(self, chain: Mapping[str, PriceConfig]) -> Mapping[str, PriceConfig]:
        return chain


def _condition(value: Any) -> str:
    if value != "condition":
        raise Wrong("condition: a contract that is asked. Log triggers need a follower of logs, which this is not")
    return "condition"


class ChainlinkUpkeepConfig(_UpkeepConfig):
    """`checkUpkeep(bytes)` says whether, and with what, `performUpkeep(bytes)` is to be called."""

    kind: Literal["chainlink"]
    check_data: Data = b""
    """The argument of `checkUpkeep`, as it was registered."""
    trigger: Annotated[str, PlainValidator(_condition)] = "condition"

    @property
    def allowed(self) -> tuple[CoreAddress, bytes]:
        return self.target, selector("performUpkeep(bytes)")


class _ReturnedConfig(_UpkeepConfig):
    """`check` returns `(bool, bytes)`, the bytes being the whole calldata of `function`, of the target or of `to`."""

    to: Address | None = None
    """The contract that is called, where it is another one than was asked."""

    @property
    def called(self) -> CoreAddress:
        return self.to or self.target


class GelatoUpkeepConfig(_ReturnedConfig):
    """A resolver as Gelato's automation asked it."""

    kind: Literal["gelato"]
    check: Call = FunctionCall(function="checker()")
    function: Signature

    @property
    def allowed(self) -> tuple[CoreAddress, bytes]:
        return self.called, selector(self.function)


class ViewUpkeepConfig(_ReturnedConfig):
    """Any view: `(bool, bytes)` with calldata of `function`, or a bool with a fixed `call`."""

    kind: Literal["view"]
    check: Call
    function: Signature | None = None
    call: Call | None = None

    @property
    def allowed(self) -> tuple[CoreAddress, bytes]:
        assert self.function or self.call, "checked when the file was loaded"
        return self.called, selector(self.function) if self.function else self.call.selector if self.call else b""


class CallUpkeepConfig(_UpkeepConfig):
    """The same call at the times of its schedule's crontab line; nothing is asked."""

    kind: Literal["call"]
    call: Call
    within: Annotated[Seconds, between(600, DAY, "a duration from 10m to 24h")] = 3_600
    """How long a time stays open, while something stands in the way of its call."""

    @property
    def allowed(self) -> tuple[CoreAddress, bytes]:
        return self.target, self.call.selector


UpkeepConfig = Annotated[
    Annotated[ChainlinkUpkeepConfig, Tag(f"{PREFIX}chainlink")]
    | Annotated[GelatoUpkeepConfig, Tag(f"{PREFIX}gelato")]
    | Annotated[ViewUpkeepConfig, Tag(f"{PREFIX}view")]
    | Annotated[CallUpkeepConfig, Tag(f"{PREFIX}call")],
    Discriminator(kind_of),
]
AnyUpkeep = ChainlinkUpkeepConfig | GelatoUpkeepConfig | ViewUpkeepConfig | CallUpkeepConfig
