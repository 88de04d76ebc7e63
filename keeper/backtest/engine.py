"""Rides one policy over a price history: the cycle's own decisions, filled in simulated pools."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from operator import mul

from keeper.backtest.custody import Simulated, Whole
from keeper.backtest.market import Pools, Terms
from keeper.backtest.policies import Policy
from keeper.backtest.prices import Prices, exact
from keeper.core.backtests import YEAR, Fill, Point, Ride
from keeper.core.chain import Block, History, MarketPrice, PastTrade, Reading, VaultView
from keeper.core.decision import Decision, new_intent
from keeper.core.plan import Hold
from keeper.core.pools import Pool
from keeper.core.ports import Guard, Routing
from keeper.core.units import NATIVE, USD, WHOLE_BPS, Address, Price, Token, TokenAmount, Wei
from keeper.core.verdicts import Deny
from keeper.deciding import Vault, decide
from keeper.report.cost import compute_cost
from keeper.strategies.fitting import GAS_OF_LEG
from keeper.venues.uniswap_v2 import KIND, UniswapV2

POINTS = 1_500
"""Of a curve: more are not seen."""
MEMORY = 31 * 86_400
"""{s} What guards may look back on: the longest cool-down is 30 days."""
PATIENCE, MOVED = 3_600, 0.0005
"""{s} and {1} What was refused is asked again after an hour, or once a drift has moved by 5 bps."""
TICK = 4_096
"""Steps between two signs of life."""
ACCOUNT = Address("0x000000000000000000000000000000000000bAc4")
Tell = Callable[[int], None]
"""Told of so many steps done."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What all policies share: the vault's routing, guards and schedule, and what it begins with."""

    tokens: tuple[Token, ...]
    targets: tuple[int, ...]
    """{bps}"""
    triggers: tuple[Fraction, ...]
    """{bps} Time outside is measured against these."""
    pools: tuple[Pool, ...]
    terms: Terms
    routing: Routing
    guards: tuple[Guard, ...]
    value: TokenAmount
    """{USD} At the first prices, spread by targets."""
    every: int
    """{s} Between two looks."""
    may_act: Callable[[int], str]
    vault: str = "vault"


@dataclass(slots=True)
class _Scales:
    """The vault at one price: value in USD, drifts as shares."""

    total: float
    drifts: list[float]


@dataclass(slots=True)
class _Tally:
    """What is counted on the way."""

    squares: float = 0.0
    outside: int = 0
    value_time: float = 0.0
    fills: list[Fill] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    points: list[Point] = field(default_factory=list)


def ride(policy: Policy, prices: Prices, scene: Scene, tell: Tell = lambda _steps: None) -> Ride:
    """The first price is where the vault begins, at its targets."""
    return _Rider(policy, prices, scene, tell).run()


class _Rider:
    def __init__(self, policy: Policy, prices: Prices, scene: Scene, tell: Tell) -> None:
        self._policy, self._prices, self._scene, self._tell = policy, prices, scene, tell
        first = prices.rows[0]
        self._raw = [_begin(scene, place, price) for place, price in enumerate(first)]
        self._whole = self._in_whole()
        """What is held, in whole tokens."""
        self._targets = [target / WHOLE_BPS for target in scene.targets]
        self._triggers = [float(trigger) / WHOLE_BPS for trigger in scene.triggers]
        self._pools = Pools(scene.pools, scene.tokens, scene.terms, first)
        self._screen = policy.screen(scene.tokens)
        self._tally = _Tally()
        self._trades: list[PastTrade] = []
        self._gas: list[tuple[int, TokenAmount]] = []
        self._is_busy = False
        """Something that was begun goes on, wherever the drifts are."""
        self._refused: tuple[int, list[float], list[str]] | None = None
        self._vault = None if policy.strategy is None else self._compose()

    def _compose(self) -> Vault:
        scene, strategy = self._scene, self._policy.strategy
        assert strategy is not None
        return Vault(
            name=scene.vault,
            strategy=strategy,
            custody=Whole(),
            routing=scene.routing,
            venues={KIND: UniswapV2()},
            guards=scene.guards if self._policy.guarded else (),
            submitter=Simulated(),
            config_hash="",
        )

    # --- the loop ----------------------------------------------------------------------------------------------------

    def run(self) -> Ride:
        times, rows = self._prices.times, self._prices.rows
        kept_every = max(1, len(rows) // POINTS)
        before, next_look = self._weigh(rows[0]), 0
        for index, row in enumerate(rows):
            at, now = times[index], self._weigh(row)
            if index:
                self._count(before, now, rows[index - 1], row, at - times[index - 1])
                self._pools.follow(row)
            if at >= next_look and self._vault is not None:
                next_look = at + self._scene.every
                if self._wants(now, at) and self._look(row, now.drifts, at):
                    self._mark(now, at)
                    self._whole = self._in_whole()
                    now = self._weigh(row)
            if index % kept_every == 0:
                self._mark(now, at)
            before = now
            if index % TICK == TICK - 1:
                self._tell(TICK)
        self._tell(len(rows) % TICK)
        return self._ride(before.total)

    def _weigh(self, row: Sequence[float]) -> _Scales:
        values = list(map(mul, self._whole, row))
        total = sum(values)
        return _Scales(total, [value / total - target for value, target in zip(values, self._targets, strict=True)])

    def _count(self, before: _Scales, now: _Scales, last: Sequence[float], row: Sequence[float], passed: int) -> None:
        """What a step adds: the return beside that of the targets, value over time, time outside."""
        wanted = sum(t * new / old for t, new, old in zip(self._targets, row, last, strict=True))
        tally = self._tally
        tally.squares += (now.total / before.total - wanted) ** 2
        tally.value_time += now.total * passed
        for drift, trigger in zip(before.drifts, self._triggers, strict=True):
            if drift > trigger or drift < -trigger:
                tally.outside += passed
                break

    def _wants(self, now: _Scales, at: int) -> bool:
        """Whether to decide at all."""
        is_quiet = not self._is_busy and self._screen.is_quiet(now.drifts, now.total, at)
        return not is_quiet and not self._is_refused(now.drifts, at)

    def _mark(self, now: _Scales, at: int) -> None:
        """A point of the curve: every so often, and before each trade."""
        weights = tuple(drift + target for drift, target in zip(now.drifts, self._targets, strict=True))
        widest = max(abs(drift) / trigger for drift, trigger in zip(now.drifts, self._triggers, strict=True))
        self._tally.points.append(Point(at, now.total, weights, widest))

    def _ride(self, total: float) -> Ride:
        seconds, tally = self._prices.seconds, self._tally
        return Ride(
            policy=self._policy.name,
            said=self._policy.said,
            seconds=seconds,
            end=_usd(total),
            mean_value=_usd(tally.value_time / seconds),
            fills=tuple(tally.fills),
            tracking_error=math.sqrt(tally.squares * YEAR / seconds),
            outside=tally.outside / seconds,
            refused=dict(tally.refused.most_common()),
            points=tuple(tally.points),
        )

    def _in_whole(self) -> list[float]:
        return [raw / 10**token.decimals for raw, token in zip(self._raw, self._scene.tokens, strict=True)]

    # --- one look ----------------------------------------------------------------------------------------------------

    def _is_refused(self, drifts: Sequence[float], at: int) -> bool:
        """Whether what was refused would be refused again: soon after, and nothing has moved. It counts again."""
        if self._refused is None:
            return False
        since, then, reasons = self._refused
        if at - since >= PATIENCE or any(abs(d - t) > MOVED for d, t in zip(drifts, then, strict=True)):
            self._refused = None
            return False
        self._tally.refused.update(reasons)
        return True

    def _look(self, row: Sequence[float], drifts: list[float], at: int) -> bool:
        """Decides as the cycle does, and fills what guards allow. True where something was traded."""
        assert self._vault is not None
        if why := self._scene.may_act(at):
            self._tally.refused[why.split(":")[0]] += 1
            return False
        view = self._view(row, at)
        decision = decide(self._vault, view)
        self._screen.learn(decision.plan, at)
        self._is_busy = self._policy.restless and getattr(decision.plan, "schedule", None) is not None
        if isinstance(decision.plan, Hold):
            if decision.plan.code not in ("in_band", "calendar", "slices"):
                self._refuse([decision.plan.code], drifts, at)
            return False
        denied = [verdict.guard for verdict in decision.verdicts if isinstance(verdict, Deny)]
        if denied or decision.draft is None:
            self._refuse(denied, drifts, at)
            return False
        self._fill(decision, view, at)
        return True

    def _refuse(self, reasons: list[str], drifts: list[float], at: int) -> None:
        self._tally.refused.update(reasons)
        if "cool_down" not in reasons:  # that ends by itself, and soon
            self._refused = at, drifts, reasons

    def _view(self, row: Sequence[float], at: int) -> VaultView:
        scene = self._scene
        holdings = {t: TokenAmount(t, raw) for t, raw in zip(scene.tokens, self._raw, strict=True)}
        native = Token(scene.tokens[0].chain_id, NATIVE, "gas", 18)
        # {wei / gas} One native coin counts as a dollar, so that a trade's gas costs what it is to cost.
        fee = Wei(-(-scene.terms.gas.raw // GAS_OF_LEG))
        return VaultView(
            vault=scene.vault,
            block=Block(native.chain_id, at, "", "", at, fee, 0),
            account=ACCOUNT,
            sender=ACCOUNT,
            holdings=holdings,
            native=TokenAmount(native, 0),
            gas_balance=TokenAmount(native, 10**24),
            native_price=_market(native, Fraction(1)),
            prices={t: _market(t, exact(price)) for t, price in zip(scene.tokens, row, strict=True)},
            pools=self._pools.states(row),
            left_out=(),
            balances=holdings,
            history=self._history(at),
            tip=Wei(0),
        )

    def _history(self, at: int) -> History:
        self._trades = [trade for trade in self._trades if trade.at > at - MEMORY]
        self._gas = [spent for spent in self._gas if spent[0] > at - MEMORY]
        return History(trades=tuple(self._trades), gas=tuple(self._gas))

    def _fill(self, decision: Decision, view: VaultView, at: int) -> None:
        """At the quote: nobody else trades between the look and the fill."""
        assert decision.draft is not None
        assert decision.order is not None
        place = {token: index for index, token in enumerate(self._scene.tokens)}
        part = new_intent(decision, decision.draft, view, 0).expect.slice
        for order_leg in decision.order.legs:
            leg = order_leg.leg
            self._raw[place[leg.sell.token]] -= leg.sell.raw
            self._raw[place[leg.buy]] += leg.quote.raw
            self._pools.trade(leg.pool, leg.sell, leg.quote)
            cost = compute_cost(replace(decision.order, legs=(order_leg,)), None, view)
            assert cost is not None
            gas = self._scene.terms.gas
            self._tally.fills.append(Fill(at, leg.sell, leg.quote, cost.sold, cost.fee, cost.basis, cost.impact, gas))
            self._trades.append(PastTrade(at, cost.sold, gas, part, sold=leg.sell.token.address))
            self._gas.append((at, gas))


def _begin(scene: Scene, place: int, price: float) -> int:
    """{raw} The asset's share of the value that the vault begins with."""
    token, share = scene.tokens[place], Fraction(scene.targets[place], WHOLE_BPS)
    return int(scene.value.whole * share / exact(price) * 10**token.decimals)


def _market(token: Token, ratio: Fraction) -> MarketPrice:
    price = Price(token, USD, ratio)
    return MarketPrice(token, price, price, price, (Reading("history", price, 0, 1),))


def _usd(value: float) -> TokenAmount:
    return TokenAmount(USD, int(Fraction(value) * 10**USD.decimals))
