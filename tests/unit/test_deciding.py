"""From a plan to its calls: real routing, venues and wallet, in a market where others trade between two looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from keeper.app.parts import TOGETHER, make_venues
from keeper.core.abi import arguments
from keeper.core.calls import Call, Calls, Purpose
from keeper.core.chain import VaultView
from keeper.core.decision import Decision
from keeper.core.plan import Hold, Leg, Order, Plan, Rebalance, Route, Simulation, Trade
from keeper.core.pools import Router
from keeper.core.ports import Custody, Routing
from keeper.core.units import Address, Token, TokenAmount
from keeper.custody.approvals import leftovers
from keeper.custody.wallet import Wallet
from keeper.deciding import Vault, decide
from keeper.guards.swaps import decode_swaps
from keeper.routing.graph import Means
from keeper.routing.market import SplitMarket
from keeper.routing.split import SplitRouting
from tests.builders import ACCOUNT, ETH, USDC, V2_ROUTER, WETH, FakePool, fake_pool, simulated, units, usd
from tests.unit.routing.splitting import FLOORS, V3, carries, selling, view_of

PAIR = fake_pool(units(WETH, 3_000), units(USDC, 9_360_000), number=0xB1)
PAIR_02 = fake_pool(units(WETH, 2_000), units(USDC, 6_240_000), number=0xB2, router=V3)
POOL_02 = fake_pool(units(WETH, 4_000), units(USDC, 12_480_000), number=0xB3, router=V3, kind="uniswap_v3")
LIKE_PAIR = fake_pool(units(WETH, 3_000), units(USDC, 9_360_000), number=0xB4, router=V3, kind="uniswap_v3")
ROUTERS = (V2_ROUTER, V3)


@dataclass(frozen=True)
class Down:
    """Sells WETH for USDC until so much of it is left."""

    to: TokenAmount

    def plan(self, view: VaultView) -> Plan:
        excess = view.holdings[WETH] - self.to
        if excess.raw < self.to.raw // 100:
            return Hold("in_band", "near enough")
        return Rebalance("too much", (), (replace(selling(1), sell=excess, notional=usd(excess.whole * 3_120)),))


@dataclass(frozen=True)
class Fixed:
    """A routing that knows its legs."""

    legs: tuple[Leg, ...]

    def allocate(self, trade: Trade, view: VaultView) -> Route:
        return Route(trade, self.legs)

    def limit(self, routes: Sequence[Route], view: VaultView) -> Order:
        return FLOORS.order(routes, view)


class Bare:
    """A custody that adds nothing."""

    def take(self, trades: Sequence[Trade], view: VaultView) -> Sequence[Trade]:
        return trades

    def wrap(self, calls: Sequence[Call], view: VaultView) -> Calls:
        return Calls(tuple(calls))

    def tidy(self, view: VaultView) -> None:
        return None


class Simulator:
    def simulate(self, calls: Calls, view: VaultView) -> Simulation:
        return simulated()


def vault(custody: Custody | Bare, routing: Routing | Fixed, means: Means | None, to: str = "300") -> Vault:
    return Vault(
        name="treasury",
        strategy=Down(units(WETH, to)),
        custody=custody,  # type: ignore[arg-type]
        routing=routing,
        venues=make_venues([ACCOUNT]),
        guards=(),
        submitter=Simulator(),  # type: ignore[arg-type]
        config_hash="",
        market=None if means is None else partial(SplitMarket, means=means),
        together=TOGETHER if means is not None and means.joins else {},
    )


# --- legs to calls ---


def leg(pool: FakePool, sell: TokenAmount, buy: Token = USDC) -> Leg:
    quote, mid = pool.out_for(sell, buy), pool.marginal(sell.token, buy)
    assert isinstance(quote, TokenAmount)
    assert not isinstance(mid, tuple)
    return Leg((pool.pool,), sell, quote, mid)  # type: ignore[arg-type]


LEGS = (
    leg(POOL_02, units(WETH, 5)),
    leg(PAIR_02, units(WETH, 4)),
    leg(PAIR, units(WETH, 3)),
    leg(POOL_02, units(WETH, 2)),
    leg(POOL_02, units(USDC, 900), WETH),
)
JOINS = Means(carries, atomic=False, joins=frozenset(TOGETHER))


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        (None, [(V3, [5]), (V3, [4]), (V2_ROUTER, [3]), (V3, [2]), (V3, [900])]),
        (JOINS, [(V3, [5, 4]), (V2_ROUTER, [3]), (V3, [2]), (V3, [900])]),
    ],
)
def test_decide__legs_of_one_router_in_a_row__are_one_call_where_that_is_a_transaction(
    means: Means | None, expected: list[tuple[Router, list[int]]]
) -> None:
    found = decide(vault(Bare(), Fixed(LEGS), means), view_of(POOL_02, PAIR_02, PAIR))
    assert found.draft is not None
    calls = found.draft.calls.sequence
    assert [call.to for call in calls] == [router.address for router, _ in expected]
    for call, (router, sold) in zip(calls, expected, strict=True):
        swaps = decode_swaps(router, call.data)
        assert not isinstance(swaps, str)
        token = WETH if sold != [900] else USDC
        assert [swap.sell for swap in swaps] == [units(token, whole).raw for whole in sold]
        assert call.spends == units(token, sum(sold))
        assert call.sells == tuple(units(token, whole) for whole in sold)


def test_decide__each_leg_of_a_joint_call__keeps_its_own_floor_and_deadline() -> None:
    found = decide(vault(Bare(), Fixed(LEGS[:2]), JOINS), view_of(POOL_02, PAIR_02))
    assert found.order is not None
    assert found.draft is not None
    swaps = decode_swaps(V3, found.draft.calls.next.data)
    assert [(swap.min_out, swap.deadline) for swap in swaps if not isinstance(swap, str)] == [
        (each.min_out.raw, found.order.deadline) for each in found.order.legs
    ]


# --- a wallet, look by look ---


@dataclass
class World:
    """Pools, balances and allowances as transactions change them; `others` is what others do between two looks."""

    pools: list[FakePool]
    held: dict[Token, int] = field(default_factory=lambda: {WETH: units(WETH, 400).raw, USDC: 0})
    allowances: dict[tuple[Token, Address], int] = field(default_factory=dict)
    done: list[tuple[Purpose, Address]] = field(default_factory=list)

    def view(self) -> VaultView:
        held = {token: TokenAmount(token, raw) for token, raw in self.held.items()}
        view = view_of(*self.pools)
        return replace(view, holdings=held, balances=held, allowances=dict(self.allowances))

    def others(self, turn: int) -> None:
        """Each turn the price is 10 bps better in another one of the pools."""
        for at, pool in enumerate(self.pools):
            worth = pool.reserves[USDC] * (10_010 if at == turn % len(self.pools) else 9_999) // 10_000
            self.pools[at] = replace(pool, reserves={**pool.reserves, USDC: worth})

    def mine(self, decision: Decision) -> None:
        assert decision.draft is not None
        call = decision.draft.calls.next
        if call.purpose is Purpose.SWAP:
            assert decision.order is not None
            assert call.spends is not None
            self._spend(call.spends, call.to)
            for each in decision.order.legs:
                self._swap(each.leg)
            assert sum(each.leg.sell.raw for each in decision.order.legs) == call.spends.raw
            self.done.append((call.purpose, call.to))
            return
        spender, raw = arguments("approve(address,uint256)", call.data)
        token = next(token for token in self.held if token.address == call.to)
        spender = Address(spender)
        key = next((token, each.address) for each in ROUTERS if each.address.lower() == spender.lower())
        assert not (raw and self.allowances.get(key)), "a non-zero allowance is reset first"
        self.allowances[key] = raw
        self.done.append((call.purpose, key[1]))

    def _spend(self, spent: TokenAmount, router: Address) -> None:
        assert self.allowances[spent.token, router] >= spent.raw
        self.allowances[spent.token, router] -= spent.raw

    def _swap(self, leg: Leg) -> None:
        (at,) = (at for at, pool in enumerate(self.pools) if pool.pool == leg.pool)
        pool = self.pools[at]
        assert pool.out_for(leg.sell, leg.buy) == leg.quote
        change = {leg.sell.token: leg.sell.raw, leg.buy: -leg.quote.raw}
        for token, raw in change.items():
            self.held[token] -= raw
        self.pools[at] = replace(pool, reserves={token: raw + change[token] for token, raw in pool.reserves.items()})


def ride(world: World, means: Means, looks: int, calm: bool = False) -> list[Decision]:
    made = vault(Wallet(ROUTERS, None, units(ETH, 0)), SplitRouting(FLOORS, means), means)
    found = []
    for turn in range(looks):
        decision = decide(made, world.view())
        if decision.draft is None:
            break
        found.append(decision)
        world.mine(decision)
        if not calm:
            world.others(turn)
    return found


def test_wallet__a_split_over_two_routers__goes_call_by_call_and_each_is_approved_once() -> None:
    world = World([PAIR, POOL_02])
    found = ride(world, JOINS, 12)
    assert [purpose for purpose, _ in world.done].count(Purpose.APPROVE) == 2, world.done
    assert [purpose for purpose, _ in world.done].count(Purpose.SWAP) >= 2, world.done
    assert {router for purpose, router in world.done if purpose is Purpose.SWAP} == {V2_ROUTER.address, V3.address}
    assert len(found) < 12, "it comes to an end"
    assert abs(world.held[WETH] - units(WETH, 300).raw) < units(WETH, 3).raw
    assert leftovers(world.view(), ROUTERS) == []


def test_wallet__the_first_call_of_two__says_so_and_sells_a_round_part() -> None:
    first, *_ = ride(World([PAIR, POOL_02]), JOINS, 1)
    (route,) = first.routes
    assert route.trade.calls == 2
    assert route.trade.via == {POOL_02.pool.address}
    assert units(WETH, 50) < route.trade.sell < units(WETH, 100)
    assert str(route.trade.sell.raw).rstrip("0") == str(route.trade.sell.raw)[:4].rstrip("0")
    assert first.order is not None
    assert [each.leg.pool for each in first.order.legs] == [POOL_02.pool]


def test_wallet__pools_of_one_router__are_one_call_of_several_legs() -> None:
    world = World([PAIR_02, POOL_02])
    approval, swap = ride(world, JOINS, 4, calm=True)
    assert world.done == [(Purpose.APPROVE, V3.address), (Purpose.SWAP, V3.address)]
    assert swap.order is not None
    assert len(swap.order.legs) == 2
    assert (approval.routes[0].trade.calls, swap.routes[0].trade.calls) == (1, 1)
    assert swap.routes[0].splitting is not None


def test_wallet__the_market_turns_while_an_approval_is_mined__trades_at_last_what_was_approved() -> None:
    """Two pools alike, and whichever is not approved is always the better one."""
    world = World([PAIR, LIKE_PAIR])
    ride(world, JOINS, 16)
    purposes = [purpose for purpose, _ in world.done]
    assert len(purposes) <= 8, world.done
    assert purposes.count(Purpose.APPROVE) <= purposes.count(Purpose.SWAP) + 1
