"""What a local chain needs to stand for an operator's: tokens, pools, feeds, prices and holdings. Asks no node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from keeper.config import Config
from keeper.config.chains import ChainConfig
from keeper.config.peg import PegConfig
from keeper.config.pools import PoolRef
from keeper.config.prices import FixedConfig, PriceConfig, SourceConfig, TwapConfig, leaves
from keeper.config.units import plain
from keeper.config.vaults import VaultConfig
from keeper.config.weights import WeightsConfig
from keeper.core.units import WHOLE_BPS

KNOWN = {"ETH": Fraction(3_000), "BTC": Fraction(60_000), "EUR": Fraction(11, 10), "USD": Fraction(1)}
"""{USD} What a token costs whose symbol has these letters."""
DOLLARS = frozenset({"DAI", "FRAX", "GHO", "LUSD", "MIM"})
SIX_DECIMALS = frozenset({"USDC", "USDT", "EURC"})
USUAL_FEE, V2_FEE = 500, 3_000
"""{ppm}"""
AT_MOST = 10
"""The vault is worth so many times what it may trade at once, unless somebody says otherwise."""
DEEPER = 20
"""Each side of a pool is worth so many times what the vault is."""


@dataclass(frozen=True, slots=True)
class PoolShape:
    """`fee` is in ppm of what comes in."""

    name: str
    tokens: tuple[str, str]
    fee: int


@dataclass(frozen=True, slots=True)
class FeedShape:
    """One source of one token's price. An average follows the pools; a feed says what it is told."""

    symbol: str
    place: int
    is_average: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """One vault's world. Holdings are whole tokens; `prices`, `value` and `depth` are USD; `sold` is what the vault
    wants to sell at its first look."""

    vault: str
    decimals: Mapping[str, int]
    prices: Mapping[str, Fraction]
    pools: tuple[PoolShape, ...]
    feeds: tuple[FeedShape, ...]
    holdings: Mapping[str, Fraction]
    value: Fraction
    depth: Fraction
    wrapped: str
    sold: str
    notes: tuple[str, ...]

    @property
    def stable(self) -> frozenset[str]:
        return frozenset(symbol for symbol in self.decimals if first_price(symbol, None) == 1)


def shape(config: Config, vault: str, depth: Fraction | None, value: Fraction | None) -> Shape:
    """Raises KeyError for a vault that there is not."""
    body, chain = config.vaults[vault], config.chain_of(vault)
    rules = config.prices_of(vault)
    wrapped = chain.native.wrapped or ""
    symbols = tuple(dict.fromkeys((*body.symbols, wrapped)))
    prices = {symbol: first_price(symbol, rules[symbol]) for symbol in symbols}
    peg = body.strategy if isinstance(body.strategy, PegConfig) else None
    if peg is not None:
        prices[peg.coin] = prices[peg.against] * (1 - Fraction(off_peg(peg), WHOLE_BPS))
    worth = value or AT_MOST * body.guards.max_trade.whole
    pools, notes = pools_of(config, vault)
    holdings = _holdings(body, prices, worth)
    return Shape(
        vault=vault,
        decimals={symbol: _decimals(chain, symbol) for symbol in symbols},
        prices=prices,
        pools=pools,
        feeds=tuple(feed for symbol in symbols for feed in _feeds(symbol, rules[symbol])),
        holdings=holdings,
        value=worth,
        depth=depth or DEEPER * worth,
        wrapped=wrapped,
        sold=peg.against if peg else max(holdings, key=lambda symbol: holdings[symbol] * prices[symbol]),
        notes=(*notes, *_notes(body, chain)),
    )


def first_price(symbol: str, rule: PriceConfig | None) -> Fraction:
    """{USD} Before anything moves: a round figure that the rule's range allows."""
    name = symbol.upper()
    found = next((price for letters, price in KNOWN.items() if letters in name), Fraction(100))
    found = Fraction(1) if name in DOLLARS else found
    if rule is None:
        return found
    for source in rule.sources:
        if isinstance(source, FixedConfig):
            return source.price
    low, high = rule.min or found, rule.max or found
    return min(max(found, low), high)


def _decimals(chain: ChainConfig, symbol: str) -> int:
    said = chain.tokens[symbol].decimals
    return said if said is not None else 6 if symbol in SIX_DECIMALS else 8 if "BTC" in symbol else 18


def _feeds(symbol: str, rule: PriceConfig) -> list[FeedShape]:
    """A price that somebody wrote down needs none."""
    sources = enumerate(rule.sources)
    return [FeedShape(symbol, at, is_average(each)) for at, each in sources if not isinstance(each, FixedConfig)]


def is_average(source: SourceConfig) -> bool:
    return any(isinstance(leaf, TwapConfig) for leaf in leaves(source))


# --- pools -----------------------------------------------------------------------------------------------------------


def pools_of(config: Config, vault: str) -> tuple[tuple[PoolShape, ...], list[str]]:
    """Its pools, and what had to be guessed: only names say without a chain which tokens a pool has, and its fee."""
    body, chain = config.vaults[vault], config.chain_of(vault)
    names = {address: name for name, address in chain.pools.items()}
    traded = [symbol for symbol in body.symbols if symbol in body.strategy.traded]
    guesses = [(traded[at], traded[(at + 1) % len(traded)]) for at in range(len(traded))]
    found, notes = [], []
    for index, ref in enumerate(body.pools):
        address = config.pool_address(vault, ref)
        known = _named(names.get(address, ref.name), traded)
        tokens, fee = known or (guesses[index % len(guesses)], USUAL_FEE)
        if known is None:
            notes.append(
                f"pool {ref}: taken as {'/'.join(tokens)}, {plain(Fraction(fee, 10_000))} %: only a chain knows"
            )
        found.append(PoolShape(_name(ref, index), tokens, fee))
    return tuple(found), notes


def _name(ref: PoolRef, index: int) -> str:
    return ref.name or f"pool{index}"


def _named(name: str, symbols: list[str]) -> tuple[tuple[str, str], int] | None:
    """`weth-usdc-500`, `weth-usdc-v2`, `wbtc-weth`: tokens and fee in ppm."""
    parts, by_name = name.split("-"), {symbol.lower(): symbol for symbol in symbols}
    if len(parts) not in (2, 3) or parts[0] not in by_name or parts[1] not in by_name:
        return None
    fee = int(parts[2]) if len(parts) == 3 and parts[2].isdigit() else V2_FEE
    return (by_name[parts[0]], by_name[parts[1]]), fee


# --- what it holds ---------------------------------------------------------------------------------------------------


def off_peg(peg: PegConfig) -> int:
    """{bps} Outside the trigger, well inside the wall."""
    return peg.trigger + max(1, min(peg.trigger, peg.wall - peg.trigger) // 2)


def _holdings(body: VaultConfig, prices: Mapping[str, Fraction], value: Fraction) -> dict[str, Fraction]:
    """{whole} So much of each that the vault wants to trade at its first look."""
    strategy = body.strategy
    if isinstance(strategy, WeightsConfig):
        shares = out_of_band(strategy)
        return {symbol: value * bps / WHOLE_BPS / prices[symbol] for symbol, bps in shares.items()}
    held = {symbol: value / 2 / prices[symbol] for symbol in strategy.symbols}
    for symbol, bounds in strategy.inventory.items():
        held[symbol] += bounds.min or 0
        held[symbol] = min(held[symbol], bounds.max / 2) if bounds.max else held[symbol]
    return held


def out_of_band(strategy: WeightsConfig) -> dict[str, Fraction]:
    """{bps} Each token's share: the heaviest a quarter beyond its trigger, at the cost of the next one."""
    shares = {symbol: Fraction(weight) for symbol, weight in strategy.weights.items()}
    heavy, light = sorted((s for s in shares if s not in strategy.locked), key=lambda s: -shares[s])[:2]
    triggers = [strategy.bands_of(symbol)[0].at(strategy.weights[symbol]) for symbol in (heavy, light)]
    wide = max(*triggers, Fraction(400)) if not any(triggers) else max(triggers)
    moved = min(wide * 5 / 4, shares[light] * 9 / 10)
    return shares | {heavy: shares[heavy] + moved, light: shares[light] - moved}


def on_calendar_only(strategy: WeightsConfig) -> bool:
    """It would hold through every day that is not its own."""
    return strategy.calendar is not None and strategy.trigger is None and strategy.band is None


def _notes(body: VaultConfig, chain: ChainConfig) -> list[str]:
    notes = []
    if body.custody.kind != "wallet":
        notes.append(f"custody {body.custody.kind} is rebuilt as a wallet: what its contracts refuse is not rehearsed")
    if isinstance(body.strategy, PegConfig) and any(source.how == "twap" for source in body.strategy.price.sources):
        notes.append("pools keep no averages of their own here: the peg does without its twap sources")
    if isinstance(body.strategy, WeightsConfig) and on_calendar_only(body.strategy):
        notes.append("its calendar is left out: it trades when it is out by 1pp")
    if chain.sequencer is not None:
        notes.append("the sequencer's uptime feed is left out")
    if body.schedule.act:
        notes.append("it is looked at in every block, and may act at any hour")
    if any(is_average(source) for rule in body.prices.values() for source in rule.sources):
        notes.append("a pool's average is a feed here that follows the pools")
    return notes
