from fractions import Fraction
from typing import Any

import pytest

from keeper.chain.reading.chainlink import DECIMALS, LATEST_ROUND, ChainlinkSource, Sequencer
from keeper.core.chain import Read, Reading, Unusable
from keeper.core.units import USD
from tests.builders import NOW, WETH, address
from tests.unit.chain.fake_node import words

FEED, UPTIME = address(0xFEED), address(0x5E9)
LOW, HIGH = Fraction(10), Fraction(1_000_000)
SOURCE = ChainlinkSource("chainlink ETH/USD", FEED, WETH, USD, 8, 3600, 300, LOW, HIGH)
L2 = ChainlinkSource("chainlink ETH/USD", FEED, WETH, USD, 8, 3600, 300, sequencer=Sequencer(UPTIME, 3600))


def round_of(answer: int = 312_000_000_000, updated: int = NOW - 60, round_id: int = 9, answered: int = 9) -> bytes:
    return words(round_id, answer, updated, updated, answered)


def answers(latest: bytes | None, decimals: bytes | None = words(8)) -> dict[Read, bytes | None]:
    return {Read(FEED, LATEST_ROUND): latest, Read(FEED, DECIMALS): decimals}


def test_price__of_a_fresh_round__is_exact_and_has_an_age() -> None:
    reading = SOURCE.price(answers(round_of(312_012_345_678)), NOW)
    assert isinstance(reading, Reading)
    assert reading.price.ratio == Fraction(312_012_345_678, 10**8)
    assert (reading.price.base, reading.price.quote, reading.age, reading.max_age) == (WETH, USD, 60, 3900)


def test_price__at_the_last_allowed_second__is_usable() -> None:
    assert isinstance(SOURCE.price(answers(round_of(updated=NOW - 3900)), NOW), Reading)


REFUSED: list[Any] = [
    pytest.param(round_of(updated=NOW - 3901), words(8), "3901 s old, allowed 3900 s", marks=pytest.mark.fault("M1")),
    pytest.param(round_of(answer=0), words(8), "answer: expected above 0, was 0", marks=pytest.mark.fault("M2")),
    pytest.param(round_of(answer=-5), words(8), "answer: expected above 0, was -5", marks=pytest.mark.fault("M2")),
    pytest.param(round_of(updated=0), words(8), "updatedAt is 0", marks=pytest.mark.fault("M2")),
    pytest.param(round_of(answered=8), words(8), "from round 8, the latest is 9", marks=pytest.mark.fault("M2")),
    pytest.param(round_of(updated=NOW + 5), words(8), "updated 5 s after the block", marks=pytest.mark.fault("M2")),
    pytest.param(round_of(10 * 10**8), words(8), "at or below its sane minimum of 10", marks=pytest.mark.fault("M3")),
    pytest.param(round_of(10**14), words(8), "at or above its sane maximum", marks=pytest.mark.fault("M3")),
    pytest.param(round_of(), words(18), "decimals: expected 8, was 18", marks=pytest.mark.fault("M4")),
    pytest.param(round_of(), None, "decimals cannot be read", marks=pytest.mark.fault("M4")),
    pytest.param(None, words(8), "does not answer", marks=pytest.mark.fault("M4")),
    pytest.param(b"", words(8), "does not answer", marks=pytest.mark.fault("M4")),
]


@pytest.mark.parametrize(("latest", "decimals", "reason"), REFUSED)
def test_price__not_to_be_trusted__is_unusable_with_figures(
    latest: bytes | None, decimals: bytes | None, reason: str
) -> None:
    found = SOURCE.price(answers(latest, decimals), NOW)
    assert isinstance(found, Unusable)
    assert found.reason.startswith("chainlink ETH/USD: ")
    assert reason in found.reason


@pytest.mark.fault("M5")
@pytest.mark.parametrize(
    ("uptime", "reason"),
    [
        (words(1, 1, NOW - 9_000, NOW - 9_000, 1), "sequencer is down: answer was 1, 0 means up"),
        (words(1, 0, NOW - 3_599, NOW - 3_599, 1), "sequencer is up for 3599 s only, grace is 3600 s"),
        (words(1, 0, 0, NOW, 1), "startedAt is 0"),
        (None, "sequencer feed does not answer"),
    ],
)
def test_price__while_the_sequencer_is_doubtful__is_unusable(uptime: bytes | None, reason: str) -> None:
    found = L2.price(answers(round_of()) | {Read(UPTIME, LATEST_ROUND): uptime}, NOW)
    assert isinstance(found, Unusable)
    assert reason in found.reason


@pytest.mark.fault("M5")
def test_price__once_the_sequencer_is_up_for_its_grace__is_usable() -> None:
    up = words(1, 0, NOW - 3_600, NOW - 3_600, 1)
    assert isinstance(L2.price(answers(round_of()) | {Read(UPTIME, LATEST_ROUND): up}, NOW), Reading)
    assert Read(UPTIME, LATEST_ROUND) in L2.reads()
