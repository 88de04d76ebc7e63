"""The limits of the guards: a default each, and a ceiling that only an ugly flag lifts."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from keeper.config.fields import Amount, Bps, CountRate, Fee, Part, Seconds, ShareRate, Usd, UsdRate, Written, between
from keeper.config.units import DAY, Rate, ValueRate, duration_text
from keeper.config.units import Amount as AmountValue
from keeper.core.units import USD, WHOLE_BPS, TokenAmount

GWEI = 10**9
_AtLeastOne = between(1, WHOLE_BPS - 1, "1bps or more, and less than 100%")
DEFAULT_GAS_RESERVE = Fraction(2, 100)
"""{whole native coin}"""


class GuardsConfig(Part):
    """Every key is also the guard's name. drift_falls, no_crossing, allow_list and paused have no limit: always on."""

    max_slippage: Annotated[Bps, _AtLeastOne] = 50
    max_impact: Annotated[Bps, _AtLeastOne] = 50
    max_oracle_disagreement: Annotated[Bps, _AtLeastOne] = 100
    max_price_age: Annotated[
        Annotated[Seconds, between(1, 30 * DAY, "a duration from 1s")] | None,
        Written(lambda age: "each source's heartbeat" if age is None else duration_text(age), shows_none=True),
    ] = None
    """None: each source's own heartbeat and grace."""
    max_deviation: Annotated[Bps, _AtLeastOne] = 50
    max_trade: Usd = TokenAmount.from_whole(USD, 100_000)
    max_turnover: ShareRate = Rate(2_500, DAY, "bps")
    cool_down: Annotated[Seconds, between(0, 30 * DAY, "a duration up to 30d")] = 300
    max_trades: CountRate = Rate(24, DAY, "times")
    max_base_fee: (
        Annotated[
            Fee, between(GWEI // 1000, 10_000 * GWEI, "a fee from 0.001 gwei to 10000 gwei (was the unit meant?)")
        ]
        | None
    ) = None
    """None: the chain's `fees.max_base_fee`."""
    max_gas_cost: Annotated[Bps, _AtLeastOne] = 25
    max_gas_per_day: UsdRate = ValueRate(TokenAmount.from_whole(USD, 50), DAY)
    gas_reserve: Amount | None = None
    """None: 0.02 of the native coin."""

    def gas_reserve_of(self, native: str) -> AmountValue:
        return self.gas_reserve or AmountValue(DEFAULT_GAS_RESERVE, native)


CEILINGS = {
    # Beyond these a limit no longer limits: sandwich and oracle losses of the past lie below them.
    "max_slippage": 300,
    "max_impact": 500,
    "max_oracle_disagreement": 500,
    "max_price_age": DAY,
    "max_deviation": 500,
    "max_turnover": WHOLE_BPS,
}
"""In the unit of each field; max_turnover per 24 hours."""


def beyond_ceiling(guards: GuardsConfig) -> str:
    """The first key whose limit lies beyond its ceiling, or nothing."""
    for key, ceiling in CEILINGS.items():
        limit = getattr(guards, key)
        if isinstance(limit, Rate):
            limit = Fraction(limit.limit * DAY, limit.seconds)
        if limit is not None and limit > ceiling:
            return key
    return ""


def limit_text(key: str, limit: int | Rate) -> str:
    """A limit of one of the keys with a ceiling, as it is written."""
    if isinstance(limit, Rate):
        return str(limit)
    return duration_text(limit) if key == "max_price_age" else f"{limit}bps"


def ceiling_text(key: str) -> str:
    ceiling = CEILINGS[key]
    return limit_text(key, Rate(ceiling, DAY, "bps") if key == "max_turnover" else ceiling)
