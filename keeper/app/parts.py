"""Venues, routing and guards of a vault. A new venue or guard is one line here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from keeper import guards
from keeper.app.custodies import custody_objection, make_openers
from keeper.app.setting import Setting
from keeper.config.units import AUTO
from keeper.core.pools import Pool, Router
from keeper.core.ports import Guard, PoolPin, Routing, Venue
from keeper.core.units import WHOLE_BPS, Address
from keeper.custody.proposing import Proposing
from keeper.deciding import Joint
from keeper.routing.bounded import Bounded
from keeper.routing.floors import Floors
from keeper.routing.graph import Means
from keeper.routing.single import SinglePool
from keeper.routing.split import SplitRouting
from keeper.routing.tolerance import Tolerance
from keeper.venues.balancer import Balancer
from keeper.venues.balancer_pin import StablePin, WeightedPin
from keeper.venues.curve import Curve
from keeper.venues.curve_pin import CurvePin
from keeper.venues.erc4626 import Erc4626, Erc4626Pin
from keeper.venues.pancake_v3 import PANCAKE_V3_PIN
from keeper.venues.slipstream import SLIPSTREAM_PIN, Slipstream
from keeper.venues.swaps import encode_together
from keeper.venues.uniswap_v2 import UniswapV2, UniswapV2Pin
from keeper.venues.uniswap_v3 import UniswapV3, UniswapV3Pin


def make_pins(routers: Mapping[Address, Router]) -> Mapping[str, PoolPin]:
    """Asked in this order what an address is. `routers` are those of the chain's factories: a pair's knows its fee."""
    return {
        "uniswap_v3": UniswapV3Pin(),
        "uniswap_v2": UniswapV2Pin({made: each.address for made, each in routers.items() if each.kind == "v2_router"}),
        "pancake_v3": PANCAKE_V3_PIN,
        "slipstream": SLIPSTREAM_PIN,
        "balancer_weighted": WeightedPin(),
        "balancer_stable": StablePin(),
        "curve": CurvePin(),
        "erc4626": Erc4626Pin(),
    }


BLOCKS_TO_BE_MINED = 2
"""From the block that was looked at to the one that holds the trade, where nothing is in the way."""


def make_venues(accounts: Iterable[Address]) -> Mapping[str, Venue]:
    """`accounts` hold the funds: an ERC-4626 vault may take more from one than from another."""
    v3, balancer, curve = UniswapV3(), Balancer(), Curve()
    return {
        "uniswap_v2": UniswapV2(),
        "uniswap_v3": v3,
        "pancake_v3": v3,
        "slipstream": Slipstream(),
        "balancer_weighted": balancer,
        "balancer_stable": balancer,
        "curve": curve,
        "curve_ng": curve,
        "curve_meta": curve,
        "erc4626": Erc4626(tuple(dict.fromkeys(accounts))),
    }


def make_routing(setting: Setting, owners: Proposing | None = None) -> Routing:
    """With `owners`, for a transaction that waits until they have signed it."""
    vault = setting.config.vaults[setting.name]
    most, wanted = vault.guards.max_slippage, vault.execution.slippage
    patience = vault.execution.deadline if owners is None else vault.execution.proposal_ttl
    floors = Floors(wanted if isinstance(wanted, int) else most, vault.guards.max_deviation, patience)
    means = make_means(setting)
    routing = SinglePool(floors) if means is None else SplitRouting(floors, means)
    return Bounded(routing, make_tolerance(setting)) if wanted == AUTO else routing


def make_means(setting: Setting) -> Means | None:
    """How a vault's trades may be split; None where its strategy reasons about single pools."""
    vault = setting.config.vaults[setting.name]
    if vault.strategy.kind == "peg":
        return None
    is_wallet = vault.custody.kind == "wallet"
    carries = {"contract": _carries_listed, "roles": _carries_scoped}.get(vault.custody.kind, _carries)
    return Means(carries, atomic=not is_wallet, joins=frozenset(TOGETHER) if is_wallet else frozenset())


def _carries(pools: Sequence[Pool]) -> bool:
    """One router, and an ABI of its own for a path through several pools."""
    families = {_PATHS.get(pool.kind) for pool in pools}
    return len(families) == 1 and None not in families and len({pool.router for pool in pools}) == 1


def _carries_listed(pools: Sequence[Pool]) -> bool:
    """Through a contract that lists one function of each router: only where a path is written with that one too."""
    return _carries(pools) and pools[0].router.kind in ("v2_router", "swap_router02", "pancake_router")


def _carries_scoped(pools: Sequence[Pool]) -> bool:
    """With a role, whose conditions look into a multicall: there only a path of pairs reads as a single swap does."""
    return _carries_listed(pools) and _PATHS[pools[0].kind] == "v2"


_PATHS = {
    "uniswap_v2": "v2",
    "uniswap_v3": "v3",
    "pancake_v3": "v3",
    "slipstream": "v3",
    "balancer_weighted": "balancer",
    "balancer_stable": "balancer",
}
"""Pools whose routers take paths, by which of them one path may hold together."""

TOGETHER: Mapping[str, Joint] = dict.fromkeys(
    ("swap_router", "swap_router02", "pancake_router", "slipstream_router"), encode_together
)


def make_tolerance(setting: Setting) -> Tolerance:
    """A relay counts as private only if no transaction outlives its time with it: afterwards everybody sees it."""
    vault, chain = setting.config.vaults[setting.name], setting.config.chain_of(setting.name)
    hidden = 0 if chain.relay is None else chain.relay.max_blocks * chain.block_time
    return Tolerance(
        volatility=Fraction(vault.execution.volatility, WHOLE_BPS),
        seconds=max(1, int(BLOCKS_TO_BE_MINED * chain.block_time)),
        most=vault.guards.max_slippage,
        private=vault.execution.deadline <= hidden,
    )


def make_guards(setting: Setting, owners: Proposing | None = None) -> tuple[Guard, ...]:
    """With `owners`, for what these are to sign: whoever executes it pays its gas, and no key of ours needs a right."""
    vault = setting.config.vaults[setting.name]
    limits = vault.guards
    openers, objection = make_openers(setting.config, setting.name, setting.routers), custody_objection(setting)
    if owners is not None:
        openers = {(owners.envelope.target, owners.envelope.selector): owners.open}
        objection = owners.objection
    return (
        guards.MaxSlippage(limits.max_slippage),
        guards.MaxImpact(limits.max_impact),
        guards.MaxOracleDisagreement(limits.max_oracle_disagreement),
        guards.MaxPriceAge(limits.max_price_age),
        guards.WholeTransfers(),
        guards.MaxDeviation(limits.max_deviation),
        guards.MaxTrade(limits.max_trade, vault.execution.escalate_above if owners is None else None),
        guards.MaxTurnover(limits.max_turnover.limit, limits.max_turnover.seconds),
        guards.CoolDown(limits.cool_down),
        guards.MaxTrades(limits.max_trades.limit, limits.max_trades.seconds),
        guards.MaxBaseFee(setting.config.max_base_fee_of(setting.name)),
        guards.MaxGasCost(limits.max_gas_cost),
        guards.MaxGasPerDay(limits.max_gas_per_day.limit, limits.max_gas_per_day.seconds),
        *(() if owners else (guards.GasReserve(setting.gas_reserve),)),
        guards.DriftFalls(setting.wrapped),
        guards.NoCrossing(setting.wrapped),
        guards.AllowList(
            setting.routers,
            tuple(setting.tokens.values()),
            setting.wrapped,
            openers,
            objection,
            vault.execution.preview_tolerance,
        ),
        guards.Paused(),
    )
