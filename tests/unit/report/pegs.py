"""Situations of a coin beside its peg."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.core.pegs import BUY, SELL, Episode, Opinion, PegLine, Stock, Trace
from keeper.core.plan import Hold
from keeper.core.units import Address, Token, TokenAmount
from keeper.report.facts import CycleFacts
from tests.unit.report import situations as given
from tests.unit.report.situations import BLOCK, USDC, USDC_PRICE, Situation, usd, usdc

DUSD = Token(USDC.chain_id, Address("0x8Ce79D3c00000000000000000000000000000001"), "DUSD", 18)
PRICE = given.market(DUSD, ("twap30m", "0.9981", None))
META = replace(given.META, strategy="peg")


def line(**changes: object) -> PegLine:
    """19 bps below, as both sources say; out for two blocks."""
    made = PegLine(
        DUSD,
        USDC,
        "USD",
        Fraction(1),
        15,
        5,
        100,
        opinions=(_said("uni.twap", "0.9980"), _said("uni.ema", "0.9981")),
        spot=Fraction("0.9979"),
        mean=Fraction("0.9981"),
        worst=Fraction("0.9981"),
        par=Fraction(1),
        looks=48,
        needed=30,
        stocks=(
            Stock(BUY, usd("250000"), usd("118500.5"), usd("1250000")),
            Stock(SELL, usd("250000"), usd("250000"), usd("2310000")),
        ),
        trace=Trace("", BLOCK.timestamp, BLOCK.number, episode=Episode(BUY, BLOCK.timestamp - 24, BLOCK.number - 2)),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def _said(source: str, price: str, why_not: str = "") -> Opinion:
    return Opinion(source, Fraction(price), Fraction(price), why_not)


def _situation(plan: Hold) -> Situation:
    held = TokenAmount.from_whole(DUSD, 2_310_000), usdc("1750000")
    return Situation(plan, given.view(held, (PRICE, USDC_PRICE)), meta=META)


def inside() -> Situation:
    near = line(opinions=(_said("uni.twap", "0.9994"), _said("uni.ema", "0.9993")), worst=Fraction("0.9994"))
    near = replace(near, spot=Fraction("0.9992"), mean=Fraction("0.9993"), trace=None)
    return _situation(Hold("in_band", "DUSD is 6bps below 1 USD, inside 15bps", peg=near))


def warming() -> Situation:
    young = line(
        opinions=(_said("uni.twap", "0.9980"), _said("uni.ema", "0.9981", "warming up 12/30")), worst=None, looks=12
    )
    return _situation(Hold("warming_up", "warming up 12/30", peg=young))


def fallen() -> Situation:
    silent = Opinion("DUSD/USD", why_not="the pool cannot be read")
    far = line(
        opinions=(_said("uni.twap", "0.9210"), silent), spot=Fraction("0.9105"), mean=Fraction("0.9150"), worst=None
    )
    reason = "DUSD is at 0.9105 USD, 895bps below its peg and beyond the wall of 100bps: nothing is bought"
    return _situation(Hold("beyond_wall", reason, peg=far))


def wall() -> CycleFacts:
    situation = fallen()
    return given.cycle(situation, "hold", "beyond_wall", situation.plan.reason, next_look=BLOCK.timestamp + 12)


def quiet() -> CycleFacts:
    situation = inside()
    return given.cycle(situation, "hold", "in_band", situation.plan.reason, next_look=BLOCK.timestamp + 12)
