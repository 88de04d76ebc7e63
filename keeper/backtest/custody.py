"""Stand-ins for what needs a chain: funds that move as a whole, and a simulation that asks the simulated pools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from keeper.core.authority import WorstLoss
from keeper.core.calls import Call, Calls
from keeper.core.chain import Unusable, VaultView
from keeper.core.plan import Fees, Simulation, Trade
from keeper.core.pools import Router
from keeper.core.ports import Send
from keeper.core.records import NewIntent
from keeper.core.units import Token, TokenAmount, Wei
from keeper.guards.swaps import decode_swap
from keeper.strategies.fitting import GAS_OF_LEG


class Whole:
    """Brings about all trades of a plan at once, as an atomic custody does, and needs no approvals."""

    def take(self, trades: Sequence[Trade], view: VaultView) -> Sequence[Trade]:  # noqa: ARG002  a custody is told both
        return trades

    def wrap(self, calls: Sequence[Call], view: VaultView) -> Calls:  # noqa: ARG002
        return Calls(tuple(calls))

    def tidy(self, view: VaultView) -> Calls | None:  # noqa: ARG002  nothing is ever left over
        return None

    def authority(self, view: VaultView) -> WorstLoss | Unusable:  # noqa: ARG002
        return Unusable("no key holds these funds")


class Simulated:
    """Simulates swaps on the view's own pools. Sends nothing: the engine fills what was allowed."""

    def simulate(self, calls: Calls, view: VaultView) -> Simulation:
        deltas: Counter[Token] = Counter()
        failure = ""
        for call in calls.steps:
            failure = failure or _swap(call, view, deltas)
        gas = (GAS_OF_LEG,) * len(calls.steps)
        fees = Fees(view.block.base_fee or Wei(0), Wei(0))
        return Simulation(view.block.number, failure, gas, dict(deltas), GAS_OF_LEG, fees)

    def submit(self, new: NewIntent, view: VaultView, simulation: Simulation, chain_nonce: int) -> Send | None:  # noqa: ARG002
        return None

    def settle(self) -> Mapping[str, str]:
        return {}


def _swap(call: Call, view: VaultView, deltas: Counter[Token]) -> str:
    """Adds what the call moves; returns why it would revert, or nothing."""
    swap = decode_swap(Router("v2_router", call.to), call.data)
    if isinstance(swap, str):
        return swap
    tokens = {token.address: token for token in view.holdings}
    sell, buy = tokens[swap.tokens[0]], tokens[swap.tokens[-1]]
    found = view.best(TokenAmount(sell, swap.sell), buy)
    if not isinstance(found, tuple):
        return found.reason
    if found[1].raw < swap.min_out:
        return f"INSUFFICIENT_OUTPUT_AMOUNT: expected {swap.min_out}, was {found[1].raw}"
    deltas[sell] -= swap.sell
    deltas[buy] += found[1].raw
    return ""
