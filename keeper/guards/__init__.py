"""Guards: eighteen reasons not to trade. Each measures, compares, and says both figures. Pure.

Every guard answers on every draft, also where it has nothing to say about it; none stops the others from speaking.
`ALL` is their order in every verdict list.
"""

from keeper.guards.authority import AllowList, Paused
from keeper.guards.drift import DriftFalls, NoCrossing
from keeper.guards.gas import GasReserve, MaxBaseFee, MaxGasCost, MaxGasPerDay
from keeper.guards.limits import CoolDown, MaxTrade, MaxTrades, MaxTurnover
from keeper.guards.price import MaxDeviation, MaxImpact, MaxOracleDisagreement, MaxPriceAge, MaxSlippage
from keeper.guards.transfers import WholeTransfers

ALL = (
    MaxSlippage,
    MaxImpact,
    MaxOracleDisagreement,
    MaxPriceAge,
    WholeTransfers,
    MaxDeviation,
    MaxTrade,
    MaxTurnover,
    CoolDown,
    MaxTrades,
    MaxBaseFee,
    MaxGasCost,
    MaxGasPerDay,
    GasReserve,
    DriftFalls,
    NoCrossing,
    AllowList,
    Paused,
)

ALL_KEYS: tuple[str, ...] = tuple(guard.key for guard in ALL)
"""The config keys, which are also the guards' names in every verdict."""

__all__ = [
    "ALL",
    "ALL_KEYS",
    "AllowList",
    "CoolDown",
    "DriftFalls",
    "GasReserve",
    "MaxBaseFee",
    "MaxDeviation",
    "MaxGasCost",
    "MaxGasPerDay",
    "MaxImpact",
    "MaxOracleDisagreement",
    "MaxPriceAge",
    "MaxSlippage",
    "MaxTrade",
    "MaxTrades",
    "MaxTurnover",
    "NoCrossing",
    "Paused",
    "WholeTransfers",
]
