"""The least and the most that one trade may be worth, where gas decides: `dust: auto` and `clip: auto`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from keeper.core.chain import Unusable, VaultView
from keeper.core.units import WHOLE_BPS, Rounding, Token, TokenAmount
from keeper.strategies.fitting import GAS_OF_LEG, fit, gas_of_rebalance
from keeper.strategies.no_trade_region import Costs


@dataclass(frozen=True, slots=True)
class GasLimits:
    """`gas_share` is the most that gas may be of a trade, in bps: a smaller one is dust. None: dust is a fixed sum.

    With `clip` no trade is larger than √(gas·L), L one side of the pool: beyond, its impact costs more than the gas of
    one more trade would (MATH 1: k > 0 implies d < √(f/k)).
    """

    gas_share: int | None = None
    clip: bool = False
    gas: int = GAS_OF_LEG
    """Units of gas of one trade."""

    def dust(self, view: VaultView) -> TokenAmount | Unusable | None:
        """{numeraire} None where gas does not decide."""
        if self.gas_share is None:
            return None
        gas = gas_of_rebalance(view, self.gas)
        return gas if isinstance(gas, Unusable) else gas.times(Fraction(WHOLE_BPS, self.gas_share), Rounding.UP)

    def most(self, view: VaultView, sell: Token, buy: Token, value: TokenAmount) -> TokenAmount | None:
        """{numeraire} None where nothing limits: no impact, or no quote that says how much."""
        gas = gas_of_rebalance(view, self.gas) if self.clip else None
        if not isinstance(gas, TokenAmount):
            return None
        costs = fit(view, sell, buy, value, gas)
        if not isinstance(costs, Costs) or not costs.impact:
            return None
        # {value raw} = √({value raw} * {value raw}), with L = value / k
        return TokenAmount(value.token, isqrt(int(gas.raw * value.raw / costs.impact)))
