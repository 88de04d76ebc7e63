"""Small builders of decisions: a 60/40 treasury on Base, as it holds, trades, is denied, or has no price."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from keeper.core.calls import Call, Calls, Purpose
from keeper.core.chain import Block, MarketPrice, Reading, Unusable, VaultView
from keeper.core.decision import Decision
from keeper.core.plan import (
    AssetLine,
    Draft,
    Fees,
    Hold,
    Leg,
    Order,
    OrderLeg,
    Plan,
    Rebalance,
    Route,
    Simulation,
    Splitting,
    Trade,
)
from keeper.core.pools import Pool, Router
from keeper.core.sending import Attempt, Expectation, Fill, Intent, Mined, Outcome, State
from keeper.core.units import NATIVE, USD, Address, Price, Rounding, Token, TokenAmount, Wei
from keeper.core.verdicts import Allow, Deny, Verdict
from keeper.report.decision import VaultMeta, describe
from keeper.report.facts import CycleFacts, Transaction
from tests.builders import DAI, expected_swap

WETH = Token(8453, Address("0x4200000000000000000000000000000000000006"), "WETH", 18)
USDC = Token(8453, Address("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"), "USDC", 6)
ETH = Token(8453, NATIVE, "ETH", 18)
ACCOUNT = Address("0x1fA3BC87c4B9C2dDB5d1d5D5b2Cb1f5c1fE0c0e1")
SAFE = Address("0x5aFE3855358E112B5647B952709E6165e1c1eEEe")
MODIFIER = Address("0x7010000000000000000000000000000000000a11")
ROUTER = Address("0x2626664c2603336E57B271c5C0b26F421741e481")
T0 = 1_795_143_600  # 2026-11-20 03:00:00 UTC
BLOCK = Block(8453, 40_211_907, "0x" + "ab" * 32, "0x" + "cd" * 32, T0, Wei(12_000_000), 240_000_000)
META = VaultMeta("treasury", "base", 8453, "wallet", "dry", config_hash="c0ffee", strategy="weights")

POOL = Pool(
    8453,
    "uniswap_v3",
    Address("0xd0b53D9277642d899DF5C87A3966A349A798F224"),
    (WETH, USDC),
    Fraction(5, 10_000),
    Address("0x33128a8fC17869897dcE68Ed026d694621f6FDfD"),
    Router("swap_router02", ROUTER),
)
DEARER = replace(POOL, address=Address("0x6c561B446416E1A00E8E93E221854d6eA4171372"), fee=Fraction(30, 10_000))


def usd(whole: str) -> TokenAmount:
    return TokenAmount.from_whole(USD, whole)


def weth(whole: str) -> TokenAmount:
    return TokenAmount.from_whole(WETH, whole)


def usdc(whole: str) -> TokenAmount:
    return TokenAmount.from_whole(USDC, whole)


def market(token: Token, *said: tuple[str, str, int | None]) -> MarketPrice:
    """The first source's price is the mid."""
    readings = tuple(Reading(source, Price(token, USD, Fraction(price)), age, 86_400) for source, price, age in said)
    ratios = [reading.price.ratio for reading in readings]
    apart = (max(ratios) / min(ratios) - 1) * 10_000
    low, high = Price(token, USD, min(ratios)), Price(token, USD, max(ratios))
    return MarketPrice(token, readings[0].price, low, high, readings, apart)


WETH_PRICE = market(WETH, ("chainlink", "3120", 252), ("twap30m", "3118.8", None))
USDC_PRICE = market(USDC, ("chainlink", "1", 7_300))

LIMITS = {
    "max_slippage": ("vaults.treasury.guards.max_slippage", "file"),
    "max_trade": ("vaults.treasury.guards.max_trade", "file"),
    "max_turnover": ("vaults.treasury.guards.max_turnover", "file"),
    "max_impact": ("vaults.treasury.guards.max_impact", "default"),
    "max_oracle_disagreement": ("vaults.treasury.guards.max_oracle_disagreement", "default"),
}

ALLOWED: tuple[Verdict, ...] = (
    Allow("max_trade", "47,017 USD", "100,000 USD", Fraction(47017, 100_000)),
    Allow("max_turnover", "2.35 %", "10 % per 24h", Fraction(235, 1000)),
    Allow("max_impact", "0.9 bps", "20 bps", Fraction(46, 1000)),
    Allow("max_oracle_disagreement", "4 bps", "100 bps", Fraction(4, 100)),
    Allow("max_slippage", "30 bps", "50 bps", Fraction(60, 100)),
    Allow("paused", "no", "", None),
)
DENIAL = Deny(
    "max_oracle_disagreement",
    "sources of WETH/USD are 163 bps apart, 100 bps allowed",
    "163 bps",
    "100 bps",
    Fraction(163, 100),
    ("chainlink ETH/USD   $3,300.00   1m old", "twap30m 0xd0b5…     $3,246.10"),
    "It clears itself once both agree within 100 bps.",
)


@dataclass(frozen=True)
class Situation:
    """A decision's parts; `decision` is the dict that everything renders from."""

    plan: Plan
    view: VaultView | Unusable
    routes: tuple[Route, ...] = ()
    order: Order | None = None
    draft: Draft | None = None
    verdicts: tuple[Verdict, ...] = ()
    refused: tuple[Deny, ...] = ()
    refused_draft: Draft | None = None
    meta: VaultMeta = META

    @property
    def decision(self) -> dict[str, Any]:
        parts = self.plan, self.routes, self.order, self.draft, self.verdicts, self.refused, self.refused_draft
        found = Decision("treasury", self.view, *parts)
        return describe(found, self.meta, limits=LIMITS)


def view(
    held: tuple[TokenAmount, ...] = (weth("412.5"), usdc("713000")),
    prices: tuple[MarketPrice, ...] = (WETH_PRICE, USDC_PRICE),
) -> VaultView:
    balances = {amount.token: amount for amount in held}
    native = TokenAmount.from_whole(ETH, "0.05")
    return VaultView(
        vault="treasury",
        block=BLOCK,
        account=ACCOUNT,
        sender=ACCOUNT,
        holdings=balances,
        native=native,
        gas_balance=native,
        native_price=market(ETH, ("chainlink", "3120", 252)),
        prices={price.token: price for price in prices},
        pools=(),
        left_out=((DEARER, "its price is 412 bps from the oracle"),),
        balances=balances,
    )


def lines(of: VaultView, targets: dict[Token, int], trigger: int = 400, goal: int = 200) -> tuple[AssetLine, ...]:
    values = {token: of.price(token).mid.value(amount) for token, amount in of.holdings.items()}
    total = sum(value.raw for value in values.values())
    return tuple(
        AssetLine(
            of.holdings[token],
            value,
            Fraction(value.raw * 10_000, total),
            targets[token],
            Fraction(trigger),
            Fraction(goal),
        )
        for token, value in values.items()
    )


TARGETS = {WETH: 6000, USDC: 4000}


def holding() -> Situation:
    inside = view((weth("386"), usdc("790000")))
    reason = "widest drift WETH +0.39pp of ±4pp"
    return Situation(Hold("in_band", reason, lines(inside, TARGETS)), inside)


def trading(verdicts: tuple[Verdict, ...] = ALLOWED, *, approves: bool = False) -> Situation:
    seen = view()
    sell, quote = weth("15.0696"), usdc("46989.46")
    trade = Trade(sell, USDC, WETH_PRICE.mid.value(sell))
    leg = Leg((POOL,), sell, quote, Fraction(3120 * 10**6, 10**18))
    route = Route(trade, (leg,), ((POOL, quote), (DEARER, usdc("46801.3"))))
    floor = OrderLeg(leg, quote.times(Fraction(9970, 10_000), Rounding.UP), usdc("46754.37"))
    order = Order((floor,), T0 + 600, 30)
    text = "approve 15.0696 WETH to SwapRouter02"
    approve = Call(WETH.address, bytes.fromhex("095ea7b3"), 0, Purpose.APPROVE, text)
    swap = Call(ROUTER, bytes.fromhex("5ae401dc"), 0, Purpose.SWAP, "swap 15.0696 WETH for USDC (deadline 10m)", sell)
    calls = Calls((approve, swap) if approves else (swap,))
    gas = (46_210, 231_480) if approves else (231_480,)
    simulation = Simulation(
        BLOCK.number, "", gas, {WETH: -sell.raw, USDC: quote.raw}, 277_776, Fees(Wei(40_000_000), Wei(10_000_000))
    )
    cost = TokenAmount(ETH, sum(gas) * 22_000_000)
    value = Price(ETH, USD, Fraction(3120)).value(cost, Rounding.UP)
    plan = Rebalance("WETH is 64.35 % of the vault, outside 60 % ±4pp", lines(seen, TARGETS), (trade,))
    worst = TokenAmount(ETH, 277_776 * 40_000_000)
    draft = Draft(plan, (route,), order, calls, simulation, cost, value, worst)
    return Situation(plan, seen, (route,), order, draft, verdicts)


def denied() -> Situation:
    others = tuple(verdict for verdict in ALLOWED if verdict.guard != DENIAL.guard)
    return trading((DENIAL, *others))


def priceless() -> Situation:
    seen = view()
    reason = "chainlink ETH/USD is stale: 97m old, 25m allowed"
    prices = {WETH: Unusable(reason), USDC: USDC_PRICE}
    return Situation(Hold("no_price", f"WETH has no usable price: {reason}"), replace(seen, prices=prices))


def unreadable() -> Situation:
    reason = "balance of WETH: the token's balanceOf reverted"
    return Situation(Hold("unreadable", reason), Unusable(reason))


def failing() -> Situation:
    """The sequence reverts when it is simulated."""
    situation = trading()
    assert situation.draft
    failure = "revert: Too little received"
    simulation = replace(situation.draft.simulation, failure=failure, deltas={})
    refusal = Deny("max_deviation", f"the simulation failed: {failure}", "simulation failed", "must succeed")
    return replace(
        situation,
        draft=replace(situation.draft, simulation=simulation),
        verdicts=(refusal, Allow("paused", "no", "", None)),
    )


def oracle_bound() -> Situation:
    """The independent price, not the quote, sets the floor, and the pool's mid is worse than the oracle's."""
    situation = trading()
    assert situation.order
    leg = situation.order.legs[0]
    leg = replace(leg, oracle_floor=usdc("46901.02"), leg=replace(leg.leg, mid=Fraction(3119 * 10**6, 10**18)))
    routes = tuple(replace(route, legs=(leg.leg,)) for route in situation.routes)
    return replace(situation, order=replace(situation.order, legs=(leg,)), routes=routes)


WBTC = Token(8453, Address("0x0555E30da8f98308EdB960aa94C0Db47230d2B9c"), "WBTC", 8)
BTC_POOL = replace(POOL, address=Address("0x70aCDF2Ad0bf2402C957154f944c19Ef4e1cbAE1"), tokens=(WBTC, USDC))


def three() -> Situation:
    """Two overweights fund one underweight: two swaps in one transaction would need atomic custody."""
    price = market(WBTC, ("chainlink", "101234.56", 61))
    held = (weth("412.5"), TokenAmount.from_whole(WBTC, "7.5"), usdc("400000"))
    seen = view(held, (WETH_PRICE, price, USDC_PRICE))
    trades = tuple(
        Trade(sell, USDC, mid.mid.value(sell))
        for sell, mid in ((weth("20"), WETH_PRICE), (TokenAmount.from_whole(WBTC, "0.5"), price))
    )
    legs = (
        Leg((POOL,), trades[0].sell, usdc("62362.5"), Fraction(3120 * 10**6, 10**18)),
        Leg((BTC_POOL,), trades[1].sell, usdc("50584.01"), Fraction(10123456, 10**4)),
    )
    routes = tuple(Route(trade, (leg,), ((leg.pool, leg.quote),)) for trade, leg in zip(trades, legs, strict=True))
    floors = tuple(OrderLeg(leg, leg.quote.times(Fraction(997, 1000), Rounding.UP), usdc("1")) for leg in legs)
    assets = lines(seen, {WETH: 4500, WBTC: 2500, USDC: 3000})
    plan = Rebalance("WETH and WBTC are above their bands", assets, trades)
    call = Call(ROUTER, bytes.fromhex("5ae401dc"), 0, Purpose.SWAP, "MultiSend[2 swaps]")
    deltas = {WETH: -trades[0].sell.raw, WBTC: -trades[1].sell.raw, USDC: usdc("112946.51").raw}
    simulation = Simulation(BLOCK.number, "", (412_000,), deltas, 500_000, Fees(Wei(40_000_000), Wei(10_000_000)))
    cost = TokenAmount(ETH, 412_000 * 22_000_000)
    order = Order(floors, T0 + 600, 30)
    draft = Draft(plan, routes, order, Calls((call,)), simulation, cost, usd("0.0283"), cost)
    return Situation(plan, seen, routes, order, draft, ALLOWED)


PAIR = replace(
    POOL,
    kind="uniswap_v2",
    address=Address("0x88A43bbDF9D098eEC7bCEda4e2494615dfD9bB9C"),
    router=Router("v2_router", Address("0x4752ba5dbc23f44D87826276BF6Fd6b1C372aD24")),
)
DAI_POOL = replace(POOL, address=Address("0x93e8542E6CA0eFFfb9D57a270b76712b968A38f5"), tokens=(WETH, DAI))
DAI_USDC = replace(
    POOL, address=Address("0x6e229C972d9F69c15Bdc7B07f385D2025225E72b"), tokens=(DAI, USDC), fee=Fraction(1, 10_000)
)


def split() -> Situation:
    """The same trade over two pools, and a third on the way to its stablecoin, in one transaction."""
    legs = _split_legs()
    alone = POOL, usdc("46989.46")
    splitting = Splitting(alone, usdc("46990.65"), usdc("0.06"), usdc("1.15"))
    return _filled_by(trading(), legs, splitting, "swap 15.0696 WETH for USDC in 3 parts (deadline 10m)")


def first_of_two() -> Situation:
    """A wallet makes one call at a time: of what it wants to sell, the larger part goes through one router now."""
    situation = trading()
    (leg, *_), (route, *_) = _split_legs(), situation.routes
    trade = replace(route.trade.selling(leg.sell), via=frozenset({POOL.address}), calls=2)
    alone = Splitting((POOL, leg.quote), leg.quote, usdc("0.02"), usdc("0"))
    text = "swap 9.0500 WETH for USDC (deadline 10m)"
    return _filled_by(replace(situation, routes=(replace(route, trade=trade),)), (leg,), alone, text)


def unsplit() -> Situation:
    """All of it in one pool, though it might have been split."""
    situation = trading()
    leg = situation.routes[0].legs[0]
    alone = Splitting((POOL, leg.quote), leg.quote, usdc("0.02"), usdc("0"))
    return _filled_by(situation, (leg,), alone, "swap 15.0696 WETH for USDC (deadline 10m)")


def _split_legs() -> tuple[Leg, ...]:
    mid = Fraction(3120 * 10**6, 10**18)
    return (
        Leg((POOL,), weth("9.05"), usdc("28220.34"), mid),
        Leg((PAIR,), weth("4"), usdc("12473"), mid),
        Leg((DAI_POOL, DAI_USDC), weth("2.0196"), usdc("6297.31"), mid, (DAI,)),
    )


def _filled_by(situation: Situation, legs: tuple[Leg, ...], splitting: Splitting, text: str) -> Situation:
    assert situation.order and situation.draft
    considered = ((POOL, usdc("46989.46")), (PAIR, usdc("46871.3")), (DEARER, usdc("46801.3")))
    route = replace(situation.routes[0], legs=legs, considered=considered, splitting=splitting)
    floors = tuple(OrderLeg(leg, leg.quote.times(Fraction(997, 1000), Rounding.UP), usdc("1")) for leg in legs)
    call = replace(situation.draft.calls.next, text=text, parts=tuple(leg.sell for leg in legs))
    sold, got = sum(leg.sell.raw for leg in legs), sum(leg.quote.raw for leg in legs)
    simulation = replace(situation.draft.simulation, deltas={WETH: -sold, USDC: got})
    draft = replace(situation.draft, routes=(route,), calls=Calls((call,)), simulation=simulation)
    return replace(situation, routes=(route,), order=replace(situation.order, legs=floors), draft=draft)


def in_role() -> Situation:
    """The same trade out of a Safe: everything in one call, and what is left of the role's allowance."""
    situation = trading(approves=True)
    assert situation.draft and isinstance(situation.view, VaultView)
    approve, swap = situation.draft.calls.sequence
    inner = (approve, swap, replace(approve, purpose=Purpose.REVOKE, text="revoke the WETH allowance of SwapRouter02"))
    says = "Roles → MultiSend[approve, swap, approve 0]"
    outer = Call(MODIFIER, bytes.fromhex("c6fe8747"), 0, Purpose.SWAP, says, inner=inner)
    simulation = replace(situation.draft.simulation, gas=(298_114,))
    rights = ("62.5000 WETH may still be sold, 30.0000 WETH more every 1d up to 80.0000 WETH",)
    return replace(
        situation,
        view=replace(situation.view, account=SAFE),
        draft=replace(situation.draft, calls=Calls((outer,)), simulation=simulation),
        meta=replace(META, custody="roles", rights=rights),
    )


def tidying() -> Situation:
    """A leftover allowance is revoked before anything else."""
    inside = holding()
    assert isinstance(inside.view, VaultView)
    call = Call(WETH.address, bytes.fromhex("095ea7b3"), 0, Purpose.REVOKE, "approve 0 WETH to SwapRouter02")
    simulation = Simulation(BLOCK.number, "", (26_400,), {}, 31_680, Fees(Wei(40_000_000), Wei(10_000_000)))
    cost = TokenAmount(ETH, 26_400 * 22_000_000)
    draft = Draft(inside.plan, (), None, Calls((call,)), simulation, cost, usd("0.0018"), cost)
    return replace(inside, draft=draft, refused=(DENIAL,), verdicts=(Allow("paused", "no", "", None),))


# --- cycles as the journal tells them --------------------------------------------------------------------------------


def cycle(situation: Situation, kind: str, code: str, reason: str, **more: Any) -> CycleFacts:
    return CycleFacts(
        number=48_213,
        vault="treasury",
        chain="base",
        block_number=BLOCK.number,
        at=T0 + 725,
        kind=kind,
        code=code,
        reason=reason,
        armed=situation.meta.armed,
        decision=situation.decision,
        **more,
    )


HASH = "0x" + "5e" * 32


def transaction(state: State, outcome: Outcome | None = None, mined: Mined | None = None) -> Transaction:
    situation = trading()
    assert situation.draft and situation.order
    leg = situation.order.legs[0]
    attempt = Attempt(HASH, b"", Fees(Wei(40_000_000), Wei(10_000_000)), Purpose.SWAP, T0 + 726)
    intent = Intent(
        id=7,
        vault="treasury",
        cycle=48_213,
        chain_id=8453,
        sender=ACCOUNT,
        nonce=12,
        call=situation.draft.calls.next,
        gas_limit=277_776,
        deadline=T0 + 1_325,
        pools=(POOL.address,),
        state=state,
        created_at=T0 + 725,
        attempts=(attempt,),
        mined=mined,
    )
    expect = Expectation(
        swaps=(expected_swap(leg.leg.sell, leg.leg.quote, leg.min_out, ("47017.152", "23.508576", "4.183424")),),
        native_price=Price(ETH, USD, Fraction(3120)),
    )
    return Transaction(intent, expect, outcome)


def mined(status: int = 1) -> Mined:
    return Mined(HASH, BLOCK.number + 6, "0x" + "ee" * 32, T0 + 737, status, 228_114, Wei(228_114 * 22_000_000))


def filled() -> Transaction:
    receipt = mined()
    outcome = Outcome(
        intent=7,
        state=State.FINAL_OK,
        mined=receipt,
        fill=Fill((weth("15.0696"),), (usdc("46990.11"),)),
        gas_value=usd("0.01565775"),
        fee_value=usd("23.508576"),
        impact_value=usd("4.183424"),
        others_value=usd("-0.65"),
    )
    return transaction(State.FINAL_OK, outcome, receipt)


def several() -> Transaction:
    """WETH and DAI into USDC, and a part of that into WBTC, in one transaction."""
    one = filled()
    swaps = (
        expected_swap(weth("10"), usdc("46090"), usdc("46000"), (46_200, 23, 87)),
        expected_swap(TokenAmount(DAI, 500 * 10**18), usdc("500"), usdc("490"), (500, "0.5", "-0.5")),
        expected_swap(
            usdc("15000"), TokenAmount(WBTC, 25_000_000), TokenAmount(WBTC, 24_800_000), (15_000, 15, -15), 60_000
        ),
    )
    fill = Fill(
        (weth("10"), TokenAmount(DAI, 500 * 10**18)),
        (usdc("31600"), TokenAmount(WBTC, 25_000_000)),
    )
    assert one.outcome
    values = {"fee_value": usd("38.5"), "impact_value": usd("71.5"), "others_value": usd("-10")}
    outcome = replace(one.outcome, fill=fill, **values)
    return replace(one, expect=replace(one.expect, swaps=swaps), outcome=outcome)


def reverted() -> Transaction:
    receipt = mined(status=0)
    reason = "Too little received"
    outcome = Outcome(7, State.FINAL_REVERTED, receipt, gas_value=usd("0.01565775"), reason=reason)
    return transaction(State.FINAL_REVERTED, outcome, receipt)
