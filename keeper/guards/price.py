"""Guards of prices: what is quoted, what the sources say, what the simulation brings."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from keeper.core import text
from keeper.core.chain import MarketPrice, Reading, VaultView
from keeper.core.plan import Draft, Leg, OrderLeg
from keeper.core.units import WHOLE_BPS, Price, Token, TokenAmount
from keeper.core.verdicts import Verdict
from keeper.guards.verdicts import at_most, failed, no_trade


def _legs(draft: Draft) -> tuple[OrderLeg, ...]:
    return draft.order.legs if draft.order else ()


def _below(got: Fraction | int, expected: Fraction | int) -> Fraction:
    """{bps} How far `got` falls short of `expected`; all of it where nothing was expected."""
    return Fraction((expected - got) * WHOLE_BPS, expected) if expected else Fraction(WHOLE_BPS)


@dataclass(frozen=True, slots=True)
class MaxSlippage:
    """The least that may be received (min_out) against the quote, {bps}, of the worst leg."""

    limit: int
    key: ClassVar[str] = "max_slippage"

    def check(self, draft: Draft, view: VaultView) -> Verdict:  # noqa: ARG002  every guard is given both
        allowed = text.bps(self.limit)
        if not _legs(draft):
            return no_trade(self.key, allowed)
        worst = max(_below(leg.min_out.raw, leg.leg.quote.raw) for leg in _legs(draft))
        return at_most(self.key, (worst, self.limit), (text.bps(worst), allowed), "min_out is that far below the quote")


@dataclass(frozen=True, slots=True)
class MaxImpact:
    """How much worse our own size makes the quote, fee aside, {bps of value at the pool's mid}, worst leg."""

    limit: int
    key: ClassVar[str] = "max_impact"

    def check(self, draft: Draft, view: VaultView) -> Verdict:  # noqa: ARG002  every guard is given both
        allowed = text.bps(self.limit)
        if not _legs(draft):
            return no_trade(self.key, allowed)
        impact, leg = max(((_impact(leg.leg), leg.leg) for leg in _legs(draft)), key=lambda each: each[0])
        worst = max(impact, Fraction(0))
        what = f"selling {text.amount(leg.sell)} moves {leg.label} too far"
        remedy = "A smaller max_trade or clip makes slices; so does a deeper pool."
        return at_most(self.key, (worst, self.limit), (text.bps(worst), allowed), what, remedy=remedy)


def _impact(leg: Leg) -> Fraction:
    # {buy raw} = {sell raw} * {buy raw / sell raw}; the fee is the pool's share of it, what else is missing is impact
    return _below(leg.quote.raw, leg.sell.raw * leg.mid) - leg.fee * WHOLE_BPS


@dataclass(frozen=True, slots=True)
class MaxOracleDisagreement:
    """How far the sources of one asset's price lie apart, {bps}, of the asset where they are furthest apart.

    Every asset of the vault counts, not only the traded ones: the weights come from all of them.
    """

    limit: int
    key: ClassVar[str] = "max_oracle_disagreement"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        allowed, prices = text.bps(self.limit), _prices(draft, view)
        if not prices:
            return no_trade(self.key, allowed)
        worst = max(prices, key=lambda price: price.apart_bps)
        sources = " and ".join(reading.source for reading in worst.readings)
        return at_most(
            self.key,
            (worst.apart_bps, self.limit),
            (text.bps(worst.apart_bps), allowed),
            f"{sources} disagree on {worst.token.symbol}",
            tuple(_line(worst.token, reading) for reading in worst.readings),
            f"It clears itself once they agree within {allowed}.",
        )


@dataclass(frozen=True, slots=True)
class MaxPriceAge:
    """How old a price may be, {seconds}: each source's own allowance, and `limit` where one is set."""

    limit: int | None
    key: ClassVar[str] = "max_price_age"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        default = "each source's own" if self.limit is None else text.duration(self.limit)
        prices = _prices(draft, view)
        if not prices:
            return no_trade(self.key, default)
        aged = [
            (reading.age, allowed, price.token, reading)
            for price in prices
            for reading in price.readings
            if reading.age is not None and (allowed := self._allowed(reading)) is not None
        ]
        if not aged:
            return at_most(self.key, (0, 1), ("no source has an age", default), "")
        age, allowed, token, reading = max(aged, key=lambda each: Fraction(each[0], max(each[1], 1)))
        return at_most(
            self.key,
            (age, allowed),
            (text.duration(age), text.duration(allowed)),
            f"{reading.source} has not updated {token.symbol}",
            (_line(token, reading),),
            "It clears itself with the source's next update.",
        )

    def _allowed(self, reading: Reading) -> int | None:
        return min((age for age in (reading.max_age, self.limit) if age is not None), default=None)


@dataclass(frozen=True, slots=True)
class MaxDeviation:
    """The simulated output against the independent value of what is given, net of pool fee and impact, {bps}.

    What we give is valued at the sources' high, what we receive at their low (MATH 6). Fee and impact are what the
    quote lacks against the pool's own mid; so a pool whose mid has left the oracle's price shows here. A simulation
    that failed is refused here with its reason, also where nothing is traded.
    """

    limit: int
    key: ClassVar[str] = "max_deviation"

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        if draft.simulation.failure:
            return failed(self.key, draft.simulation.failure)
        allowed = text.bps(self.limit)
        if not _legs(draft):
            return no_trade(self.key, allowed)
        found = [(_below(got, expected), token) for token, got, expected in _received(draft, view)]
        worst, token = max(found, key=lambda each: each[0])
        received = TokenAmount(token, draft.simulation.deltas.get(token, 0))
        return at_most(
            self.key,
            (worst, self.limit),
            (text.bps(worst), allowed),
            f"the simulation brings {text.amount(received)}, too little against the oracle's prices",
            tuple(
                _line(leg.leg.sell.token, r) for leg in _legs(draft) for r in view.price(leg.leg.sell.token).readings
            ),
            "It clears itself once the pool is back at the oracle's price.",
        )


def _received(draft: Draft, view: VaultView) -> list[tuple[Token, Fraction, Fraction]]:
    """Of each bought token: what the simulation brings, and what should come for what is given. {USD}"""
    expected: dict[Token, Fraction] = {}
    for leg in (each.leg for each in _legs(draft)):
        given = _worth(view.price(leg.sell.token).high, _given(draft, leg.sell))
        kept = Fraction(leg.quote.raw) / (leg.sell.raw * leg.mid) if leg.sell and leg.mid else Fraction(1)
        expected[leg.buy] = expected.get(leg.buy, Fraction(0)) + given * kept
    deltas = draft.simulation.deltas
    return [(t, _worth(view.price(t).low, TokenAmount(t, deltas.get(t, 0))), worth) for t, worth in expected.items()]


def _given(draft: Draft, sell: TokenAmount) -> TokenAmount:
    """What is ordered, or what the simulation takes where that is more."""
    ordered = sum(leg.leg.sell.raw for leg in _legs(draft) if leg.leg.sell.token == sell.token)
    taken = max(-draft.simulation.deltas.get(sell.token, 0), ordered)
    return TokenAmount(sell.token, -(-sell.raw * taken // ordered)) if ordered else sell


def _worth(price: Price, amount: TokenAmount) -> Fraction:
    # {USD whole} = {whole} * {USD whole / whole}
    return amount.whole * price.ratio


def _prices(draft: Draft, view: VaultView) -> list[MarketPrice]:
    """Prices of every asset that the plan weighs; none where nothing is traded."""
    if not _legs(draft):
        return []
    legs = (leg.leg for leg in _legs(draft))
    tokens = [asset.token for asset in draft.plan.assets] or [t for leg in legs for t in (leg.sell.token, leg.buy)]
    return [view.price(token) for token in tokens]


def _line(token: Token, reading: Reading) -> str:
    """`chainlink WETH/USD $3,300.00, 1m old`"""
    ratio = reading.price.ratio
    places = 2 if ratio >= 100 else 4 if ratio >= 1 else 8
    age = "" if reading.age is None else f", {text.duration(reading.age)} old"
    return f"{reading.source} {token.symbol}/{reading.price.quote.symbol} ${text.decimal(ratio, places)}{age}"
