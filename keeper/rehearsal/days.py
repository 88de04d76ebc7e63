"""Bad days of markets and prices. Each sets its scene, lets the keeper live, and says whether that was right.

A vault begins each day out of band, so that it trades unless the day forbids it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keeper.config.peg import PegConfig
from keeper.core import text
from keeper.core.units import WHOLE_BPS
from keeper.rehearsal.shape import is_average
from keeper.rehearsal.stage import Stage

HOUR = 3_600
SILENCE, LONG_SILENCE = 3 * HOUR, 30 * HOUR
"""{s} Far beyond the heartbeat of a coin that moves, and of one that does not."""
LOOKS = 8
"""Blocks for which a scene stays as it is."""
FRONT_RUN = 300
"""{bps} How far the pools are pushed before a trade's block."""
DEPEG = 1_000
"""{bps}"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether what the keeper did was right, and why. None: this vault has no such day."""

    right: bool | None
    why: str


@dataclass(frozen=True, slots=True)
class Day:
    name: str
    title: str
    play: Callable[[Stage], Verdict]


def skipped(why: str) -> Verdict:
    return Verdict(None, why)


def in_bounds(stage: Stage, why: str = "") -> Verdict:
    """Every trade is close to the true prices, and every nonce is the journal's."""
    worst, bound = stage.worst(), stage.bound
    if worst > bound:
        return Verdict(False, f"traded {text.decimal(worst, 0)} bps below the true prices, at most {bound} bps allowed")
    if unexplained := stage.unexplained():
        return Verdict(False, f"{unexplained} transactions that the journal does not know")
    return Verdict(True, why or f"traded within {text.decimal(bound, 0)} bps of the true prices")


def stays_still(stage: Stage, evidence: str) -> Verdict:
    """Nothing may be traded on such evidence."""
    if swaps := stage.swaps:
        return Verdict(False, f"{len(swaps)} trade{'s' if len(swaps) > 1 else ''} {evidence}")
    return in_bounds(stage, f"no trade {evidence}")


def trades_once(stage: Stage) -> Verdict:
    """In the end the trade has taken place, and no more than once."""
    if not stage.swaps:
        why = stage.refusals()[-1].reason if stage.refusals() else "it is still waiting"
        return Verdict(False, f"never traded: {why}")
    if len(stage.swaps) > 1:
        return Verdict(False, f"traded {len(stage.swaps)} times, once wanted")
    return in_bounds(stage, "one trade, within its limits")


# --- the days --------------------------------------------------------------------------------------------------------


def calm(stage: Stage) -> Verdict:
    stage.ride_until_traded()
    return trades_once(stage)


def stale_oracle(stage: Stage) -> Verdict:
    """Prices drift too little for any other guard to see it, while the feeds say nothing."""
    world, config = stage.world, stage.loaded.config
    vault = world.shape.vault
    symbols, rules = config.vaults[vault].symbols, config.prices_of(vault)
    moving = [symbol for symbol in symbols if symbol not in world.shape.stable]
    silent, silence = (moving, SILENCE) if moving else (list(symbols), LONG_SILENCE)
    world.chain.set_next_time(world.chain.now + silence)
    world.tell(silent=silent)
    stage.ride(LOOKS)
    followed = [s for s in silent if sum(map(is_average, rules[s].sources)) >= rules[s].need]
    if len(followed) == len(silent):
        return in_bounds(stage, "averages of pools were enough, as configured")
    return stays_still(stage, f"on prices of {text.duration(silence)} ago")


def apart(stage: Stage) -> Verdict:
    guards = stage.loaded.config.vaults[stage.world.shape.vault].guards
    bps = max(300, 3 * guards.max_oracle_disagreement)
    stage.world.tell(stage.world.scaled(stage.world.shape.sold, bps))
    stage.ride(LOOKS)
    return stays_still(stage, f"while feed and pools were {bps} bps apart")


def depeg(stage: Stage) -> Verdict:
    world, body = stage.world, stage.loaded.config.vaults[stage.world.shape.vault]
    strategy = body.strategy
    falls = [symbol for symbol in body.symbols if symbol in world.shape.stable]
    if not falls:
        return skipped("no token of it is worth 1 USD")
    coin = strategy.coin if isinstance(strategy, PegConfig) else falls[-1]
    world.move(world.scaled(coin, -DEPEG))
    stage.ride(2 * LOOKS)
    if isinstance(strategy, PegConfig):
        return stays_still(stage, f"while {coin} was beyond the wall")
    return in_bounds(stage, "whatever it traded, at the price that it really had")


def pool_drained(stage: Stage) -> Verdict:
    stage.world.drain()
    stage.ride(LOOKS)
    return stays_still(stage, "with a pool that was drained")


def gas_spike(stage: Stage) -> Verdict:
    world, config = stage.world, stage.loaded.config
    cap = config.max_base_fee_of(world.shape.vault)
    world.set_base_fee(max(20 * world.base_fee, 2 * cap))
    world.chain.mine()
    stage.ride(LOOKS)
    if stage.entries:
        return Verdict(False, "sent a transaction while gas was dearer than its limit")
    world.set_base_fee(world.base_fee)
    world.chain.mine()
    stage.ride_until_traded()
    return trades_once(stage)


def front_run(stage: Stage) -> Verdict:
    """Pools are pushed between decision and block, and stand as before afterwards; the true prices never move."""
    stage.base.pool.ways = "hold"
    if not stage.ride_until_sent():
        return Verdict(False, "never sent its trade")
    world, before = stage.world, dict(stage.world.prices)
    sold = stage.entries[-1].expect.swaps[0].sell.token.symbol
    world.trade_to(world.scaled(sold, -FRONT_RUN))
    stage.base.pool.release()
    world.trade_to(before)
    stage.ride(LOOKS)
    failed = any(entry.intent.mined and not entry.intent.mined.status for entry in stage.entries)
    if not failed and stage.worst() > stage.bound:
        share = text.decimal(stage.worst() / WHOLE_BPS * 100, 1)
        return Verdict(False, f"filled {share} % below the true price: a sandwich would have taken it")
    return in_bounds(stage, "the pushed pool gave it nothing: it reverted, and lost its gas only" if failed else "")


MARKETS = (
    Day("calm", "an ordinary day", calm),
    Day("stale", "stale oracle", stale_oracle),
    Day("apart", "oracle and pool apart", apart),
    Day("depeg", f"a coin falls {DEPEG // 100} %", depeg),
    Day("drained", "pool drained", pool_drained),
    Day("gas", "gas × 20", gas_spike),
    Day("front-run", "reverted: pool pushed before it", front_run),
)
