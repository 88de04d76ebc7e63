"""What a draft is expected to cost, and at worst."""

from __future__ import annotations

from dataclasses import replace

from keeper.core.decision import make_draft
from keeper.core.plan import Calls, Fees, Hold
from keeper.core.units import TokenAmount, Wei
from tests.builders import ETH, make_view, simulated, swap_call

GWEI = 10**9


def test_draft__l1_fees__in_the_cost_of_all_and_in_the_worst_case_of_the_next() -> None:
    plain = replace(simulated(gas=(50_000, 120_000)), fees=Fees(Wei(3 * GWEI), Wei(GWEI)))
    view, calls = make_view(), Calls((swap_call(), swap_call()))
    without = make_draft(Hold("in_band", ""), (), None, calls, plain, view)
    assert without.gas_cost == TokenAmount(ETH, 170_000 * 2 * GWEI)
    charged = make_draft(Hold("in_band", ""), (), None, calls, replace(plain, l1_fees=(10**12, 10**13)), view)
    assert charged.gas_cost - without.gas_cost == TokenAmount(ETH, 11 * 10**12)
    assert charged.max_gas_cost - without.max_gas_cost == TokenAmount(ETH, 10**12)
    assert charged.gas_value is not None and without.gas_value is not None and charged.gas_value > without.gas_value
