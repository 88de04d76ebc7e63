"""The sentence, with plain fakes at every seam."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction

import pytest

from keeper.core.calls import Call, Calls, Purpose
from keeper.core.chain import Block, History, Observed, Snapshot, Unusable, VaultView
from keeper.core.drain import drain_scope
from keeper.core.errors import JournalError
from keeper.core.latches import Latch, Rearm, Trip
from keeper.core.plan import (
    AssetLine,
    Draft,
    Hold,
    Leg,
    NoRoute,
    Order,
    OrderLeg,
    Plan,
    Rebalance,
    Route,
    Simulation,
    Trade,
)
from keeper.core.ports import Send
from keeper.core.records import CycleRecord, NewIntent
from keeper.core.sending import Intent, State
from keeper.core.units import Address, TokenAmount
from keeper.core.verdicts import Allow, Deny, Verdict
from keeper.cycle import Cycle, Turn
from keeper.deciding import Vault, decide
from tests.builders import (
    ACCOUNT,
    USDC,
    V2_ROUTER,
    WETH,
    address,
    fake_pool,
    make_block,
    make_view,
    simulated,
    units,
    usd,
)

POOL = fake_pool(units(WETH, 1000), units(USDC, 3_000_000))
SELL = units(WETH, 1)


def line(drift: int) -> AssetLine:
    return AssetLine(SELL, usd(3000), Fraction(6000 + drift), 6000, Fraction(400), Fraction(200))


def rebalance(drift: int = 500) -> Rebalance:
    return Rebalance("WETH is out", (line(drift),), (Trade(SELL, USDC, usd(3000)),))


@dataclass
class Parts:
    """Every pure part of a vault in one: it trades one WETH for USDC unless told otherwise."""

    result: Plan = field(default_factory=rebalance)
    leftovers: Calls | None = None
    route: NoRoute | None = None
    kind: str = "uniswap_v2"

    def plan(self, view: VaultView) -> Plan:
        return self.result

    def allocate(self, trade: Trade, view: VaultView) -> Route | NoRoute:
        return self.route or Route(trade, (Leg((POOL.pool,), trade.sell, units(USDC, 2990), Fraction(3, 1000)),))

    def limit(self, routes: Sequence[Route], view: VaultView) -> Order:
        leg = routes[0].legs[0]
        return Order((OrderLeg(leg, units(USDC, 2980), units(USDC, 2900)),), view.block.timestamp + 600, 30)

    def encode(self, leg: OrderLeg, recipient: Address, deadline: int) -> Call:
        return Call(V2_ROUTER.address, b"swap", 0, Purpose.SWAP, "swap 1 WETH", leg.leg.sell)

    def take(self, trades: Sequence[Trade], view: VaultView) -> Sequence[Trade]:
        return trades[:1]

    def wrap(self, calls: Sequence[Call], view: VaultView) -> Calls:
        return Calls(tuple(calls))

    def tidy(self, view: VaultView) -> Calls | None:
        return self.leftovers


@dataclass(frozen=True)
class Opinion:
    denies: bool = False

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        if self.denies and draft.order is not None:
            return Deny("max_trade", "too much", "2", "1")
        return Allow("max_trade", "1", "1")


@dataclass
class Sender:
    """A submitter that sends nothing and remembers everything."""

    busy: Mapping[str, str] = field(default_factory=dict)
    submitted: list[NewIntent] = field(default_factory=list)
    failure: Exception | None = None
    events: list[str] = field(default_factory=list)

    def simulate(self, calls: Calls, view: VaultView) -> Simulation:
        if self.failure:
            raise self.failure
        return simulated({WETH: -SELL.raw, USDC: units(USDC, 2990).raw})

    def submit(self, new: NewIntent, view: VaultView, simulation: Simulation, chain_nonce: int) -> Send:
        self.submitted.append(new)
        self.events.append("submit")
        intent = Intent(
            1, new.vault, new.cycle, new.chain_id, new.sender, chain_nonce, new.call, new.gas_limit, new.deadline,
            new.pools, State.SENT, new.at,
        )  # fmt: skip

        def send() -> Intent:
            self.events.append("send")
            return intent

        return send

    def settle(self) -> Mapping[str, str]:
        return self.busy


@dataclass
class Book:
    """The two things of a journal that a cycle asks for."""

    records: list[CycleRecord] = field(default_factory=list)
    halts: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    is_full: bool = False
    """The disk, as a transaction ends."""
    events: list[str] = field(default_factory=list)

    @contextmanager
    def together(self) -> Iterator[None]:
        yield
        if self.is_full:
            raise JournalError("journal: disk full")
        self.events.append("durable")

    def record_cycles(self, records: Sequence[CycleRecord]) -> Sequence[int]:
        if self.broken:
            raise JournalError("journal: disk full")
        self.records += records
        return range(len(self.records) - len(records) + 1, len(self.records) + 1)

    def go_on(self, drifts: Mapping[str, int], block: Block) -> None:
        assert not drifts, "nothing is glanced at here"

    def halted(self, scope: str) -> str:
        return self.halts.get(scope, "")

    def latch(self, vault: str, trips: Sequence[Trip], now: int) -> None:
        for trip in trips:
            self.halts[vault] = trip.reason


@dataclass
class Eye:
    """An observer with one view for each vault."""

    views: Mapping[str, VaultView | Unusable]
    block: Block = field(default_factory=make_block)

    def observe(self, due: Sequence[str]) -> Snapshot:
        nonces = {view.sender: 7 for view in self.views.values() if isinstance(view, VaultView) and view.sender}
        return Snapshot(self.block, {name: Observed(self.views[name], {}) for name in due}, nonces)


def vault(name: str, parts: Parts, sender: Sender, *, denies: bool = False, armed: bool = True) -> Vault:
    venues = {"uniswap_v2": parts}
    return Vault(name, parts, parts, parts, venues, (Opinion(denies),), sender, "hash", armed)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Alarm:
    """A breaker that has found its evidence."""

    def trip(self, view: VaultView) -> Trip | None:
        return Trip("loss", "fills were worse than their quotes")

    def margin(self, view: VaultView) -> None:
        """Asks each time."""


def view(name: str, sender: int = 0xACC0) -> VaultView:
    return replace(make_view(), vault=name, sender=address(sender))


def turn(
    vaults: Sequence[Vault],
    views: Mapping[str, VaultView | Unusable],
    sender: Sender,
    book: Book,
    not_now: str = "",
) -> list[Turn]:
    return list(wheel(vaults, views, sender, book, not_now).turn([vault.name for vault in vaults]))


def wheel(
    vaults: Sequence[Vault],
    views: Mapping[str, VaultView | Unusable],
    sender: Sender,
    book: Book,
    not_now: str = "",
) -> Cycle:
    return Cycle(
        Eye(views),
        sender,
        book,  # type: ignore[arg-type]
        {vault.name: vault for vault in vaults},
        describe=lambda decision: {"vault": decision.vault},
        pack=lambda _snapshot, _observed: b"inputs",
        may_act=lambda _vault, _now: not_now,
    )


def test_turn__a_weight_is_out_and_all_guards_allow__then_it_is_journaled_and_submitted() -> None:
    sender, book = Sender(), Book()
    (result,) = turn([vault("a", Parts(), sender)], {"a": view("a")}, sender, book)
    assert (result.record.kind, result.record.code) == ("intended", "swap")
    (new,) = sender.submitted
    assert (new.cycle, new.pools, new.call.spends) == (1, (POOL.pool.address,), SELL)
    assert new.expect.floors == {USDC: units(USDC, 2980)}
    assert new.expect.value_sold == usd(3120)


def test_turn__it_acts__then_nothing_leaves_before_cycle_and_transaction_are_durable() -> None:
    events: list[str] = []
    sender, book = Sender(events=events), Book(events=events)
    turn([vault("a", Parts(), sender)], {"a": view("a")}, sender, book)
    assert events == ["submit", "durable", "send"]


def test_turn__the_vault_is_dry__then_the_same_decision_submits_nothing() -> None:
    sender, book = Sender(), Book()
    (result,) = turn([vault("a", Parts(), sender, armed=False)], {"a": view("a")}, sender, book)
    assert result.record.kind == "dry"
    assert result.intent is None
    assert sender.submitted == []


def test_turn__a_breaker_trips__then_it_is_latched_and_nothing_is_sent_from_this_cycle_on() -> None:
    sender, book = Sender(), Book()
    alarmed = replace(vault("a", Parts(), sender), breakers=(Alarm(),))
    (result,) = turn([alarmed], {"a": view("a")}, sender, book)
    assert (result.record.kind, result.record.code) == ("wait", "halted")
    assert result.record.reason == "fills were worse than their quotes"
    assert [trip.breaker for trip in result.decision.trips] == ["loss"]
    (later,) = turn([vault("a", Parts(), sender)], {"a": view("a")}, sender, book)
    assert (later.record.code, sender.submitted) == ("halted", [])


def test_turn__a_breaker_is_on_trial__then_one_trade_of_at_most_that_value_goes() -> None:
    sender, book = Sender(), Book()
    latch = Latch("loss", 1, Rearm(60, usd(300)), trying_at=100)
    seen = replace(view("a"), history=History(latches=(latch,)))
    two = replace(rebalance(), trades=(*rebalance().trades, *rebalance().trades))
    (result,) = turn([vault("a", Parts(result=two), sender)], {"a": seen}, sender, book)
    (route,) = result.decision.routes
    assert (route.trade.sell, route.trade.notional) == (units(WETH, "0.1"), usd(300))
    assert result.record.kind == "intended"


@dataclass
class Rested(Book):
    """Its breaker's rest is over, so the next step of the latch lets the vault go, or try."""

    def latch(self, vault: str, trips: Sequence[Trip], now: int) -> None:
        self.halts.clear()


def test_turn__a_rest_ends_in_it__then_what_was_decided_before_is_not_sent() -> None:
    sender, book = Sender(), Rested(halts={"a": "breaker: loss"})
    seen = replace(view("a"), history=History(latches=(Latch("loss", 1, Rearm(60, usd(300))),)))
    (result,) = turn([vault("a", Parts(), sender)], {"a": seen}, sender, book)
    assert (result.record.kind, result.record.reason) == ("wait", "breaker: loss")
    assert sender.submitted == [], "its trade was planned without the trial's cap"
    assert book.halts == {}


def test_turn__a_guard_denies__then_nothing_is_submitted_and_the_guard_is_named() -> None:
    sender, book = Sender(), Book()
    (result,) = turn([vault("a", Parts(), sender, denies=True)], {"a": view("a")}, sender, book)
    assert (result.record.kind, result.record.code, result.record.guards) == ("denied", "max_trade", ("max_trade",))
    assert sender.submitted == []


def test_turn__a_guard_denies_while_an_allowance_is_left__then_the_allowance_is_revoked_instead() -> None:
    revoke = Calls((Call(WETH.address, b"revoke", 0, Purpose.REVOKE, "revoke"),))
    sender, book = Sender(), Book()
    parts = Parts(leftovers=revoke)
    (result,) = turn([vault("a", parts, sender, denies=True)], {"a": view("a")}, sender, book)
    assert (result.record.kind, result.record.code, result.record.guards) == ("intended", "revoke", ("max_trade",))
    assert sender.submitted[0].expect.swaps == ()


def test_turn__every_cycle_of_a_hold__then_it_says_why() -> None:
    sender, book = Sender(), Book()
    parts = Parts(Hold("in_band", "widest drift WETH +1.20pp of ±4pp"))
    (result,) = turn([vault("a", parts, sender)], {"a": view("a")}, sender, book)
    assert (result.record.kind, result.record.reason) == ("hold", "widest drift WETH +1.20pp of ±4pp")


def test_turn__no_pool_fills_the_trade__then_it_holds_with_the_reason() -> None:
    sender, book = Sender(), Book()
    parts = Parts(route=NoRoute(rebalance().trades[0], "every pool is empty"))
    (result,) = turn([vault("a", parts, sender)], {"a": view("a")}, sender, book)
    assert (result.record.kind, result.record.code, result.record.reason) == ("hold", "no_route", "every pool is empty")


@pytest.mark.parametrize("key", ["a", ACCOUNT, POOL.pool.address])
def test_turn__its_vault_sender_or_pool_is_live__then_it_waits(key: str) -> None:
    sender, book = Sender(busy={key: "swap (nonce 6) is live"}), Book()
    (result,) = turn([vault("a", Parts(), sender)], {"a": view("a")}, sender, book)
    assert (result.record.kind, result.record.reason) == ("wait", "swap (nonce 6) is live")
    assert sender.submitted == []


def test_turn__two_vaults_want_one_pool__then_the_larger_drift_goes_and_the_other_waits() -> None:
    sender, book = Sender(), Book()
    small, large = vault("small", Parts(rebalance(450)), sender), vault("large", Parts(rebalance(900)), sender)
    views = {"small": view("small", 1), "large": view("large", 2)}
    turns = turn([small, large], views, sender, book)
    assert [(t.record.vault, t.record.kind) for t in turns] == [("large", "intended"), ("small", "wait")]


def test_turn__a_vault_has_waited_long__then_it_overtakes_a_larger_drift() -> None:
    sender, book = Sender(), Book()
    small, large = vault("small", Parts(rebalance(450)), sender), vault("large", Parts(rebalance(900)), sender)
    cycle = wheel([small, large], {"small": view("small", 1), "large": view("large", 2)}, sender, book)
    orders = [[turn.record.vault for turn in cycle.turn(["small", "large"])] for _ in range(50)]
    assert orders[0] == ["large", "small"]
    assert ["small", "large"] in orders


@pytest.mark.fault("S9")
def test_turn__its_sender_is_draining__then_it_waits_and_sends_nothing() -> None:
    sender, book = Sender(), Book(halts={drain_scope(ACCOUNT): "a new key"})
    (result,) = turn([vault("a", Parts(), sender)], {"a": view("a")}, sender, book)
    assert (result.record.kind, result.record.code, result.record.reason) == (
        "wait", "draining", f"{ACCOUNT} is draining: a new key",
    )  # fmt: skip
    assert sender.submitted == []
    (result,) = turn([vault("a", Parts(Hold("in_band", "")), sender)], {"a": view("a")}, sender, book)
    assert result.record.kind == "hold", "it says so only where it keeps something from being done"


def test_turn__its_sender_is_halted__then_it_waits_with_the_halts_reason() -> None:
    sender, book = Sender(), Book(halts={ACCOUNT: "nonce 9 was used elsewhere"})
    (result,) = turn([vault("a", Parts(), sender)], {"a": view("a")}, sender, book)
    assert (result.record.kind, result.record.code, result.record.reason) == (
        "wait", "halted", "nonce 9 was used elsewhere",
    )  # fmt: skip
    assert sender.submitted == []


def test_turn__outside_its_act_window__then_it_looks_but_does_not_act() -> None:
    sender, book = Sender(), Book()
    (result,) = turn([vault("a", Parts(), sender)], {"a": view("a")}, sender, book, not_now="opens at 08:00")
    assert (result.record.kind, result.record.code, result.record.reason) == ("hold", "window", "opens at 08:00")
    assert sender.submitted == []


@pytest.mark.fault("P30")
def test_turn__one_vault_raises__then_it_is_unusable_and_the_others_go_on() -> None:
    good, bad, book = Sender(), Sender(failure=ZeroDivisionError("division by zero")), Book()
    views = {"good": view("good", 1), "bad": view("bad", 2)}
    vaults = [vault("bad", Parts(), bad), vault("good", Parts(), good)]
    kinds = {t.record.vault: (t.record.kind, t.record.reason) for t in turn(vaults, views, good, book)}
    assert kinds["good"][0] == "intended"
    assert kinds["bad"] == ("unusable", "this cycle failed: ZeroDivisionError: division by zero")


@pytest.mark.fault("P17")
def test_turn__the_journal_cannot_be_written__then_nothing_is_submitted() -> None:
    sender, book = Sender(), Book(broken=True)
    with pytest.raises(JournalError, match="disk full"):
        turn([vault("a", Parts(), sender)], {"a": view("a")}, sender, book)
    assert sender.submitted == []


@pytest.mark.fault("P17")
def test_turn__it_cannot_be_made_durable__then_nothing_leaves() -> None:
    events: list[str] = []
    sender, book = Sender(events=events), Book(is_full=True, events=events)
    with pytest.raises(JournalError, match="disk full"):
        turn([vault("a", Parts(), sender)], {"a": view("a")}, sender, book)
    assert events == ["submit"]


def test_decide__balances_cannot_be_read__then_it_holds_unreadable() -> None:
    decision = decide(vault("a", Parts(), Sender()), Unusable("USDC: balanceOf reverted"))
    assert decision.plan == Hold("unreadable", "USDC: balanceOf reverted")


def test_decide__the_draft__then_prices_gas_by_base_fee_and_tip_and_the_worst_case_by_the_cap() -> None:
    decision = decide(vault("a", Parts(), Sender()), view("a"))
    assert decision.draft is not None
    # base fee 1 gwei + tip 1 gwei = the cap of 2 gwei
    assert decision.draft.gas_cost.raw == 120_000 * 2 * 10**9
    assert decision.draft.max_gas_cost.raw == 150_000 * 2 * 10**9
    assert isinstance(decision.draft.gas_value, TokenAmount)
    assert decision.draft.gas_value.whole == Fraction(120_000 * 2 * 10**9 * 3120, 10**18)


def test_turn__a_shadow_beside_a_vault_that_acts__decides_at_the_same_block_and_sends_nothing() -> None:
    sender, book = Sender(), Book()
    vaults = [vault("a", Parts(), sender), vault("shadow", Parts(), sender, armed=False)]
    turns = turn(vaults, {"a": view("a"), "shadow": view("shadow")}, sender, book)
    assert {each.record.vault: each.record.kind for each in turns} == {"a": "intended", "shadow": "dry"}
    assert [new.vault for new in sender.submitted] == ["a"]
