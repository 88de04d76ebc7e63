"""What a vault could lose if every node of its chain lied alike, from its configuration: a line of `keeper check`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from keeper.chain.nodes.exposure import Range, worst_day, worst_trade
from keeper.chain.reading.pins import Finding
from keeper.config import Loaded
from keeper.config.units import DAY
from keeper.core.chain import MarketPrice, VaultView
from keeper.core.pools import Pool
from keeper.core.units import WHOLE_BPS


def worst_case(loaded: Loaded, view: VaultView, pools: Sequence[Pool]) -> Finding:
    """Never wrong by itself: whether the figure is too high is for a person to say."""
    path, expected = f"vaults.{view.vault}: if all nodes lied", "a loss that the configuration bounds"
    rules, limits = loaded.config.prices_of(view.vault), loaded.config.vaults[view.vault].guards
    ranges, missing = {}, []
    for token, price in view.prices.items():
        rule = rules.get(token.symbol)
        if rule is None or rule.min is None or rule.max is None:
            missing.append(token.symbol)
        elif isinstance(price, MarketPrice):
            ranges[token.symbol] = Range(rule.min, rule.max, price.mid.ratio)
        else:
            return Finding(path, expected, f"not known while the price of {token.symbol} is unusable", True)
    if missing:
        return Finding(path, expected, f"no bound: prices of {', '.join(missing)} have no min and max", True)
    fee = max((math.ceil(pool.fee * WHOLE_BPS) for pool in pools), default=0)
    given_up = min(fee + limits.max_impact + limits.max_deviation, WHOLE_BPS)
    trades = math.ceil(limits.max_trades.limit * DAY / limits.max_trades.seconds)
    clip = limits.max_trade.whole
    a_trade, a_day = worst_trade(clip, ranges, given_up), worst_day(clip, trades, ranges, given_up)
    return Finding(path, expected, f"at most ${int(a_trade):,} a trade, ${int(a_day):,} a day ({trades} trades)", True)
