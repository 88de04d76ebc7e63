"""`keeper quote`: how a sale would be filled now, from a vault's own pools, whether or not it wants one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.app.chains import Chain
from keeper.app.parts import make_means, make_routing
from keeper.config import Loaded
from keeper.config.units import Amount
from keeper.core.chain import History, Unusable, VaultView
from keeper.core.errors import ConfigError, TransientError
from keeper.core.market import FirstCall
from keeper.core.plan import NoRoute, Route, Trade
from keeper.core.units import USD, TokenAmount
from keeper.routing.market import SplitMarket


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
    able = [name for name in wanted if sell.symbol != buy and {sell.symbol, buy} <= {*config.vaults[name].symbols}]
    if not able:
        known = sorted({symbol for name in wanted for symbol in config.vaults[name].symbols})
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


def _quoted(chain: Chain, vault: str, view: VaultView, sell: Amount, buy: str) -> SaleQuote:
    setting = chain.setting(vault)
    token = setting.tokens[sell.symbol]
    try:
        sold = TokenAmount(token, sell.raw(token.decimals))
    except ValueError as error:
        raise ConfigError("command", "--sell", str(error), str(sell)) from None
    price = view.prices[token]
    worth = TokenAmount.zero(USD) if isinstance(price, Unusable) else price.mid.value(sold)
    route, means = make_routing(setting).allocate(Trade(sold, setting.tokens[buy], worth), view), make_means(setting)
    first = None if means is None or means.atomic else SplitMarket(view, means).first(sold, setting.tokens[buy])
    part = first.sell if isinstance(first, FirstCall) and first.sell != sold else None
    return SaleQuote(vault, chain.name, view, route, part)
