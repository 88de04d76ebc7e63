"""Pegs that were lost, ridden again on a real v3 pool: nothing that falls is bought beyond the wall."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path as Folder

import pytest

from keeper.app.replaying import replay
from keeper.core.calls import Purpose
from keeper.core.units import Token, TokenAmount
from keeper.cycle import Turn
from keeper.journal.reader import JournalReader
from keeper.local.anvil import run_anvil
from tests.chain.node import Node
from tests.chain.peg_paths import AGAINST_USDC_2023, SEQUENCER, USDC_2023, USDE_2025, UST_2022, Moment, Path
from tests.chain.peg_scene import Scene, look, open_scene
from tests.chain.uniswap import Deployment, deploy_uniswap

WALL = Fraction(1, 100)
PRICE = "price: {{sources: [{sources}], times: QUOTE/USD, apart: 30bps, ema: {ema}m, window: 30m, samples: 10}}"
ALL = "uni.twap, uni.ema, COIN/USD"


@dataclass
class Ridden:
    """What a keeper did on a path."""

    scene: Scene
    path: Path
    codes: Counter[str] = field(default_factory=Counter)
    bought: list[tuple[Token, Fraction, Fraction]] = field(default_factory=list)
    """(what, {USD} its true price then, {whole} how much)"""
    waited: list[tuple[Moment, Turn]] = field(default_factory=list)

    @property
    def of_the_falling(self) -> list[tuple[Token, Fraction, Fraction]]:
        return [each for each in self.bought if each[1] < 1 - WALL]

    def __str__(self) -> str:
        held = [self.scene.held(token) for token in (self.scene.coin, self.scene.quote)]
        looks, cheapest = sum(self.codes.values()), min((price for _, price, _ in self.bought), default=None)
        spent = sum((amount for _, _, amount in self.bought), Fraction(0))
        at = f", never below {float(cheapest):.4f}" if cheapest is not None else ""
        most = ", ".join(f"{code} {count}" for code, count in self.codes.most_common(5))
        return (
            f"{self.path.name}: {len(self.bought)} buys of {float(spent):,.0f} in all{at}, "
            f"{len(self.of_the_falling)} of the falling side beyond the wall; "
            f"ends with {float(held[0]):,.0f} and {float(held[1]):,.0f}; {looks} looks: {most}"
        )


def ride(scene: Scene, path: Path, *, comes_back: float | None = None) -> Ridden:
    """The whole path. The sequencer says that it is up again with the first block after `comes_back` hours."""
    done, known = Ridden(scene, path), 0
    with scene.keeper(PRICE.format(sources=ALL, ema=max(30, 4 * path.every))) as keeper:
        for moment in path.moments():
            scene.happen(moment)
            if comes_back is not None and moment.minute >= comes_back * 60:
                scene.sequencer(up=True)
                comes_back = None
            turns = look(keeper)
            done.codes.update(turn.record.code for turn in turns)
            done.waited.append((moment, turns[-1]))
            swaps = [entry for entry in scene.entries() if entry.intent.call.purpose is Purpose.SWAP]
            for entry in swaps[known:]:
                quote = entry.expect.swaps[0].quote
                price = moment.coin if quote.token == scene.coin else moment.against
                done.bought.append((quote.token, price, quote.whole))
            known = len(swaps)
    return done


@pytest.fixture(scope="module")
def uniswap() -> Iterator[Deployment]:
    with run_anvil() as running:
        yield deploy_uniswap(Node(running.url))


@pytest.fixture
def scene(uniswap: Deployment, tmp_path: Folder) -> Scene:
    return open_scene(uniswap, tmp_path / "keeper")


@pytest.mark.fault("M10", "invariant 20")
@pytest.mark.parametrize("path", [USDC_2023, AGAINST_USDC_2023, UST_2022], ids=lambda path: path.name)
def test_peg__coin_that_is_lost__is_never_bought_beyond_the_wall(
    scene: Scene, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = ride(scene, path)
    with capsys.disabled():
        print(f"\n{done}")
    assert done.of_the_falling == []
    assert done.codes["beyond_wall"] > 20
    # Whatever it did before the wall stays within one side's capacity for each day of the path.
    days = 1 + path.points[-1][0] // 24
    assert sum(amount for _, _, amount in done.bought) <= 410_000 * Fraction(days)


@pytest.mark.fault("M10", "M14", "M6")
def test_peg__wick_on_one_venue__is_not_traded(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    done = ride(scene, USDE_2025)
    with capsys.disabled():
        print(f"\n{done}")
    assert done.bought == []
    assert done.codes["beyond_wall"] > 0
    assert done.codes["warming_up"] > 10, "after the wall its means begin anew"


@pytest.mark.fault("M5", "M10")
def test_peg__sequencer_that_stops_and_restarts__trades_nothing_until_its_grace_is_over(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SEQUENCER.silent is not None
    down, up = SEQUENCER.silent
    done = ride(scene, SEQUENCER, comes_back=up)
    with capsys.disabled():
        print(f"\n{done}")
    resting = [turn for moment, turn in done.waited if up * 60 <= moment.minute < up * 60 + 60]
    assert {turn.record.code for turn in resting} == {"no_price"}
    assert "sequencer is up for" in resting[0].record.reason
    began, ended = scene.start + int(down * 3_600), scene.start + int(up * 3_600) + 3_600
    assert [entry for entry in scene.entries() if began <= entry.intent.created_at < ended] == []
    assert done.codes["warming_up"] > 10, "what was known before the silence counts no more"
    assert done.of_the_falling == []


@pytest.mark.fault("M14")
def test_peg__sale_within_capacity__is_bought_back_to_the_destination_and_no_further(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    calm = Moment(0, Fraction(1), Fraction(1), Fraction(1))
    prices: list[Fraction] = []
    with scene.keeper(PRICE.format(sources="uni.ema", ema=20), 1_000_000) as keeper:
        for minute in range(0, 40, 2):
            scene.happen(Moment(minute, *_prices(calm)), moves=False)
            look(keeper)
        scene.sell(TokenAmount.from_whole(scene.coin, 600_000), scene.quote)
        low = scene.price()
        for minute in range(40, 240, 4):
            scene.happen(Moment(minute, *_prices(calm)), moves=False)
            look(keeper)
            prices.append(scene.price())
    spent = 1_000_000 - scene.held(scene.quote)
    with capsys.disabled():
        away = [f"{float((price - 1) * 10_000):.1f}" for price in (low, prices[-1])]
        print(f"\na sale of 600,000: from {away[0]} bps back to {away[1]} bps with {float(spent):,.0f}")
    assert low < 1 - Fraction(20, 10_000)
    assert prices == sorted(prices), "every trade brings it nearer"
    assert 1 - Fraction(15, 10_000) < prices[-1] < 1 - Fraction(4, 10_000)
    assert scene.held(scene.coin) > 1_000_000 + spent, "what was bought below the peg is worth more than it cost"


@pytest.mark.fault("invariant 10")
def test_peg__every_stored_decision__is_made_again_byte_for_byte(scene: Scene) -> None:
    with scene.keeper(PRICE.format(sources="uni.ema, COIN/USD", ema=20)) as keeper:
        for minute in range(0, 36, 2):
            price = Fraction(1) if minute < 24 else Fraction(9_975, 10_000)
            scene.happen(Moment(minute, price, price, Fraction(1)))
            look(keeper)
    # The keeper was ended; the next one goes on with what its journal knows.
    with scene.keeper(PRICE.format(sources="uni.ema, COIN/USD", ema=20)) as keeper:
        for minute in range(36, 60, 2):
            scene.happen(Moment(minute, Fraction(9_975, 10_000), Fraction(9_975, 10_000), Fraction(1)))
            look(keeper)
        with JournalReader(f"sqlite:///{scene.folder / 'keeper.db'}") as reader:
            repeated = list(replay(keeper.loaded, reader, reader.cycles("peg", limit=None)))
    assert len(repeated) > 10
    assert [each.row.number for each in repeated if not each.is_same] == []
    codes = {each.row.code for each in repeated}
    assert {"warming_up", "in_band", "swap"} <= codes
    assert sum(each.row.code == "warming_up" for each in repeated) <= 2, "a restart does not warm up anew"


def _prices(moment: Moment) -> tuple[Fraction, Fraction, Fraction]:
    return moment.coin, moment.elsewhere, moment.against
