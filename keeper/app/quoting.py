"""`keeper quote`: how a sale would be filled now, from a vault's own pools, whether or not it wants one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from keeper.app.chains import Chain
from keeper.app.parts import make_means, make_routing
from keeper.app.setting import Setting
from keeper.config import Config, Loaded
from keeper.config.units import Amount
from keeper.core.chain import History, Unusable, VaultView
from keeper.core.errors import ConfigError, TransientError
from keeper.core.market import FirstCall
from keeper.core.plan import NoRoute, Route, Trade
from keeper.core.units import USD, Rounding, TokenAmount, ratio_to_int
from keeper.routing.gas import Gas, gas_price
from keeper.routing.market import SplitMarket
from keeper.venues import weth


@dataclass(frozen=True, slots=True)
class SaleQuote:
    """One vault's answer. `first` is what its custody would send in its first transaction, where that is not all."""

    vault: str
    chain: str
    view: VaultView
    route: Route | NoRoute
    first: TokenAmount | None = None


def quote_sale(loaded: Loaded, sell: Amount, buy: str, only: str | None = None) -> Iterator[SaleQuote]:
    """For each vault that holds both tokens.

    Raises ConfigError where none does or a chain disagrees with the configuration, Unreachable where one does not
    answer, TransientError where a vault cannot be read.
    """
    config = loaded.config
    wanted = [name for name in config.vaults if only in (None, name)]
    able = [name for name in wanted if sell.symbol != buy and {sell.symbol, buy} <= _symbols(config, name)]
    if not able:
        known = sorted({symbol for name in wanted for symbol in _symbols(config, name)})
        raise ConfigError(
            "command", "--sell, --for", f"two tokens of one vault, of {', '.join(known)}", f"{sell.symbol}, {buy}"
        )
    for name in dict.fromkeys(config.vaults[vault].chain for vault in able):
        chain = Chain.open(loaded, name)
        mine = [vault for vault in able if vault in chain.vaults]
        snapshot = chain.observer(lambda _vault, _now: History()).observe(mine)
        for vault in mine:
            view = snapshot.vaults[vault].view
            if isinstance(view, Unusable):
                raise TransientError(f"{vault}: {view.reason}")
            yield _quoted(chain, vault, view, sell, buy)


def _symbols(config: Config, vault: str) -> frozenset[str]:
    """Of what the vault may hold, and of the native coin where its wrapped token is among that."""
    mine, native = config.vaults[vault].symbols, config.chain_of(vault).native
    return frozenset((*mine, native.symbol) if native.wrapped in mine else mine)


def _quoted(chain: Chain, vault: str, view: VaultView, sell: Amount, buy: str) -> SaleQuote:
    setting = chain.setting(vault)
    tokens = {setting.native.symbol: setting.native, **setting.tokens}
    try:
        sold = TokenAmount(tokens[sell.symbol], sell.raw(tokens[sell.symbol].decimals))
    except ValueError as error:
        raise ConfigError("command", "--sell", str(error), str(sell)) from None
    view = replace(view, prices={**view.prices, setting.native: view.native_price})
    price = view.prices[sold.token]
    worth = TokenAmount.zero(USD) if isinstance(price, Unusable) else price.mid.value(sold)
    route = _route(setting, view, Trade(sold, tokens[buy], worth))
    held, means = as_held(setting, route.trade), make_means(setting)
    first = None if means is None or means.atomic else SplitMarket(view, means).first(held.sell, held.buy)
    part = first.sell if isinstance(first, FirstCall) and first.sell != held.sell else None
    return SaleQuote(vault, chain.name, view, route, part)


def _route(setting: Setting, view: VaultView, trade: Trade) -> Route | NoRoute:
    """As a trade of the vault is filled; where it is of native coin, wrapped before or unwrapped afterwards."""
    held = as_held(setting, trade)
    found = make_routing(setting).allocate(held, view) if held.sell.token != held.buy else Route(held, ())
    if held == trade or isinstance(found, NoRoute):
        return replace(found, trade=trade)
    per_gas = gas_price(view, trade.buy)
    gas = Fraction(0) if isinstance(per_gas, Unusable) else per_gas * Gas().of(weth.KIND, begins=False)
    return weth.with_hops(trade, found, TokenAmount(trade.buy, ratio_to_int(gas, Rounding.UP)))


def as_held(setting: Setting, trade: Trade) -> Trade:
    """With the wrapped token for the coin: nobody else trades the coin itself."""
    wrapped = setting.tokens.get(setting.config.chain_of(setting.name).native.wrapped or "")
    if wrapped is None or wrapped.decimals != setting.native.decimals:
        return trade
    sell = TokenAmount(wrapped, trade.sell.raw) if trade.sell.token.is_native else trade.sell
    return replace(trade, sell=sell, buy=wrapped if trade.buy.is_native else trade.buy)
