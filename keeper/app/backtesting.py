"""A vault of a configuration over a price history: its strategy, routing and guards, in pools made up for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.app.parts import make_guards, make_routing
from keeper.app.schedules import make_windows, why_not_now
from keeper.app.setting import Setting
from keeper.app.strategies import make_strategy
from keeper.backtest.engine import Scene, Tell, ride
from keeper.backtest.market import Terms, make_pools
from keeper.backtest.policies import OWN, Policy, comparisons, edges_of, said_of
from keeper.backtest.prices import Prices
from keeper.chain.reading.pins import Pins
from keeper.config import Config, Loaded
from keeper.config.weights import WeightsConfig
from keeper.core.backtests import Backtest
from keeper.core.chain import Block
from keeper.core.errors import ConfigError
from keeper.core.pools import Pool
from keeper.core.ports import Guard, Strategy
from keeper.core.units import WHOLE_BPS, Token, TokenAmount
from keeper.guards import AllowList, GasReserve, MaxBaseFee, MaxPriceAge, WholeTransfers
from keeper.strategies.no_trade_region import Costs
from keeper.strategies.sliced import Sliced
from keeper.strategies.weights import Weights

ABOUT_A_CHAIN = (AllowList, GasReserve, MaxBaseFee, MaxPriceAge, WholeTransfers)
"""Guards of calldata, gas prices, feeds and token contracts: a price history knows of none."""
DECIMALS = 18
"""Where the configuration does not say, since no chain is asked."""
DOLLARS = ("USD", "DAI")
"""Tokens with one of these in their symbol should be worth a dollar in made-up prices; so should `cash`."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A vault, ready to be ridden over any prices."""

    name: str
    symbols: tuple[str, ...]
    scene: Scene
    own: Policy
    weights: Weights
    costs: Costs

    @property
    def least(self) -> float:
        return self.own.least

    def comparisons(self, days: int) -> list[Policy]:
        return comparisons(self.weights, edges_of(self.weights, self.costs), days, self.least)


def pick_vault(config: Config, wanted: str | None) -> str:
    """The vault that is meant. Raises ConfigError: it must keep weights."""
    keeping = [name for name, vault in config.vaults.items() if isinstance(vault.strategy, WeightsConfig)]
    if wanted is None and len(keeping) == 1:
        return keeping[0]
    if wanted not in keeping:
        known = ", ".join(keeping) or "a vault that keeps weights"
        found = wanted if wanted is not None else f"{len(keeping)} vaults that keep weights"
        raise ConfigError("command", "--vault", f"one of {known}" if keeping else known, found)
    return wanted


def dollars_of(config: Config, vault: str) -> frozenset[str]:
    strategy = config.vaults[vault].strategy
    cash = strategy.cash if isinstance(strategy, WeightsConfig) else ()
    named = (symbol for symbol in strategy.symbols if any(word in symbol.upper() for word in DOLLARS))
    return frozenset((*cash, *named))


def make_stage(loaded: Loaded, vault: str, terms: Terms, value: TokenAmount) -> Stage:
    """Offline: what the chain would have said is left at 18 decimals and one pool for each pair."""
    config = loaded.config
    tokens = _tokens(config, vault)
    pools = make_pools(tuple(tokens.values()), terms.fee)
    setting = Setting(config, vault, _pins(config, vault, tokens, pools[0]))
    strategy = make_strategy(setting)
    weights = _weights_of(strategy)
    body = config.vaults[vault]
    costs = Costs(terms.gas.over(value), terms.fee, value.over(terms.depth))
    windows = make_windows(body.schedule)
    look = body.schedule.every if isinstance(body.schedule.every, int) else 1
    scene = Scene(
        tokens=tuple(weights.targets),
        targets=tuple(weights.targets.values()),
        triggers=tuple(Fraction(trigger) for trigger, _ in edges_of(weights, costs).values()),
        pools=make_pools(tuple(weights.targets), terms.fee),
        terms=terms,
        routing=make_routing(setting),
        guards=_pure(make_guards(setting)),
        value=value,
        every=look,
        may_act=lambda now: why_not_now(windows, now),
        vault=vault,
    )
    # What max_gas_cost would refuse anyway is not worth asking for.
    least = max(weights.dust.whole, terms.gas.whole * WHOLE_BPS / body.guards.max_gas_cost)
    said = said_of(weights.bands, weights.calendar)
    own = Policy(OWN, said, strategy, weights, float(least), guarded=True, restless=body.slices is not None)
    return Stage(vault, tuple(body.strategy.symbols), scene, own, weights, costs)


def backtest(stage: Stage, prices: Prices, policies: Sequence[Policy], tell: Callable[[str], Tell]) -> Backtest:
    """Every policy on the same prices, the vault's own first. `tell(policy)` is told how far it is."""
    rides = tuple(ride(policy, prices, stage.scene, tell(policy.name)) for policy in policies)
    return Backtest(
        vault=stage.name,
        tokens=stage.scene.tokens,
        targets=stage.scene.targets,
        triggers=stage.scene.triggers,
        source=prices.source,
        market=str(stage.scene.terms),
        start=prices.times[0],
        step=prices.step,
        rides=rides,
    )


def _tokens(config: Config, vault: str) -> dict[str, Token]:
    chain = config.chain_of(vault)
    found = {}
    for symbol in config.symbols_of(vault):
        named = chain.tokens[symbol]
        decimals = DECIMALS if named.decimals is None else named.decimals
        found[symbol] = Token(chain.chain_id, named.address, symbol, decimals)
    return found


def _pins(config: Config, vault: str, tokens: Mapping[str, Token], pool: Pool) -> Pins:
    block = Block(config.chain_of(vault).chain_id, 0, "", "", 0, None, 0)
    return Pins(
        block,
        tokens={token.address: token for token in tokens.values()},
        pools=dict.fromkeys(config.pools_of(vault), pool),
    )


def _weights_of(strategy: Strategy) -> Weights:
    found = strategy.of if isinstance(strategy, Sliced) else strategy
    assert isinstance(found, Weights), "only vaults that keep weights are picked"
    return found


def _pure(guards: Sequence[Guard]) -> tuple[Guard, ...]:
    return tuple(guard for guard in guards if not isinstance(guard, ABOUT_A_CHAIN))
