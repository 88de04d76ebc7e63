"""An upkeep composed to what a cycle turns: a plan that is a call, a plain wallet, and the guards of a call."""

from __future__ import annotations

from collections.abc import Sequence

from keeper import guards
from keeper.app.breakers import make_breakers
from keeper.app.setting import Setting
from keeper.chain.sending.reverts import decode_revert
from keeper.config.units import Amount
from keeper.config.upkeeps import (
    AnyUpkeep,
    CallUpkeepConfig,
    ChainlinkUpkeepConfig,
    GelatoUpkeepConfig,
    ViewUpkeepConfig,
)
from keeper.config.vaults import VaultConfig
from keeper.core import text
from keeper.core.abi import calldata
from keeper.core.chain import Read, VaultView
from keeper.core.plan import NoRoute, Order, Route, Trade
from keeper.core.ports import Guard, Submitter
from keeper.core.units import USD, TokenAmount
from keeper.custody.wallet import Wallet
from keeper.deciding import Vault
from keeper.guards import upkeeps as of_upkeeps
from keeper.schedule import Cron
from keeper.strategies.calendar import Calendar
from keeper.strategies.upkeep import Check, Upkeep

PERFORM = "performUpkeep(bytes)"


class Nowhere:
    """The routing of what trades nothing."""

    def allocate(self, trade: Trade, view: VaultView) -> NoRoute:  # noqa: ARG002  as every routing is asked
        return NoRoute(trade, "an upkeep trades nothing")

    def limit(self, routes: Sequence[Route], view: VaultView) -> Order:  # noqa: ARG002  as every routing is asked
        raise AssertionError("never asked: no route leads anywhere")


def make_upkeep(setting: Setting, submitter: Submitter, config_hash: str, *, armed: bool) -> Vault:
    return Vault(
        name=setting.name,
        strategy=make_plan(setting.config.upkeeps[setting.name]),
        custody=Wallet((), None, setting.gas_reserve),
        routing=Nowhere(),
        venues={},
        guards=make_guards(setting),
        breakers=make_breakers(setting),
        submitter=submitter,
        config_hash=config_hash,
        armed=armed,
    )


def make_plan(upkeep: AnyUpkeep) -> Upkeep:
    target, _ = upkeep.allowed
    call = upkeep.call if isinstance(upkeep, CallUpkeepConfig | ViewUpkeepConfig) else None
    if call is not None:
        return Upkeep(target, _check(upkeep), decode_revert, call.calldata(), call.function or "", _times(upkeep))
    function = PERFORM if isinstance(upkeep, ChainlinkUpkeepConfig) else getattr(upkeep, "function", "")
    return Upkeep(target, _check(upkeep), decode_revert, function=function)


def _times(upkeep: AnyUpkeep) -> Calendar | None:
    if not isinstance(upkeep, CallUpkeepConfig):
        return None
    assert upkeep.schedule.cron is not None, "checked when the file was loaded"
    return Calendar(Cron(upkeep.schedule.cron, upkeep.schedule.zone).next_at, upkeep.within)


def _check(upkeep: AnyUpkeep) -> Check | None:
    match upkeep:
        case ChainlinkUpkeepConfig(target=target, check_data=data):
            asked = Read(target, calldata("checkUpkeep(bytes)", data))
            return Check(asked, "checkUpkeep(bytes)", PERFORM)
        case GelatoUpkeepConfig(target=target, check=check) | ViewUpkeepConfig(target=target, check=check):
            return Check(Read(target, check.calldata()), check.text)
        case CallUpkeepConfig():
            return None


def upkeep_reads(upkeep: AnyUpkeep) -> tuple[Read, ...]:
    """What is asked of the contract at every look."""
    check = _check(upkeep)
    return (check.read,) if check else ()


def make_guards(setting: Setting) -> tuple[Guard, ...]:
    upkeep = setting.config.upkeeps[setting.name]
    limits, per_day = upkeep.guards, upkeep.guards.max_gas_per_day_of(setting.native.symbol)
    once = () if limits.max_gas is None else (of_upkeeps.MaxGas(_amount(setting, limits.max_gas)),)
    least = tuple(_amount(setting, each) for each in limits.min_profit.values())
    return (
        of_upkeeps.Succeeds(),
        of_upkeeps.GasLimit(upkeep.gas_limit),
        *once,
        of_upkeeps.MaxGasPerDay(_amount(setting, per_day.limit), per_day.seconds),
        guards.MaxBaseFee(setting.config.max_base_fee_of(setting.name)),
        guards.GasReserve(setting.gas_reserve),
        of_upkeeps.CoolDown(limits.cool_down),
        of_upkeeps.MaxCalls(limits.max_calls.limit, limits.max_calls.seconds),
        *([of_upkeeps.MinProfit(least)] if least else []),
        of_upkeeps.AllowList(frozenset({upkeep.allowed})),
        guards.Paused(),
    )


def _amount(setting: Setting, amount: Amount) -> TokenAmount:
    """Of USD, the native coin, or a token of the chain."""
    tokens = {USD.symbol: USD, setting.native.symbol: setting.native}
    token = tokens.get(amount.symbol) or setting.tokens[amount.symbol]
    return TokenAmount(token, amount.raw(token.decimals))


def gas_budget(kept: VaultConfig | AnyUpkeep) -> tuple[TokenAmount, int] | None:
    """{USD, s} What replacements are held to; None where the day's gas is limited in native coin, or by its default."""
    rate = kept.guards.max_gas_per_day
    if rate is None:
        return None
    if isinstance(rate.limit, TokenAmount):
        return rate.limit, rate.seconds
    return (TokenAmount.from_whole(USD, rate.limit.whole), rate.seconds) if rate.limit.symbol == USD.symbol else None


def introduce(kept: VaultConfig | AnyUpkeep) -> str:
    """What it may do at most, before it does anything."""
    if isinstance(kept, VaultConfig):
        limits = kept.guards
        most = f"at most {text.usd(limits.max_trade)} a trade, {limits.max_turnover} turnover"
        return f"{most}, {limits.max_trades}, slippage {limits.max_slippage} bps"
    target, function = kept.allowed
    most = f"{kept.guards.max_calls} calls, gas {kept.guards.max_gas_per_day}"
    return f"calls 0x{function.hex()} of {target} and nothing else, at most {most}"
