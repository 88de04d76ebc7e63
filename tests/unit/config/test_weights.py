"""The settings of weights: what they may say together, and the strategy that comes of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from keeper.config import load
from keeper.config.weights import WeightsConfig
from keeper.core.errors import ConfigError
from tests.unit.config.deployments import GOOD, REPOSITORY, edited, loaded, written

FIXED = "      trigger: 4pp\n      destination: 2pp\n"


class Bad(NamedTuple):
    """`lines` stand in place of trigger and destination; `line` is the error."""

    name: str
    lines: str
    line: str


BAD = (
    Bad(
        "nothing to act on",
        "",
        "strategy.trigger: expected a trigger such as 4pp, or `band: auto`, or a calendar, found nothing",
    ),
    Bad(
        "no destination",
        "trigger: 4pp",
        "strategy.destination: expected a destination such as 2pp, target, half or edge, found nothing",
    ),
    Bad(
        "band and trigger",
        "band: auto\n      trigger: 4pp",
        "strategy.trigger: expected nothing beside `band`, which works it out, found both",
    ),
    Bad("band that is one", "band: 4pp", "strategy.band: expected a mapping, found 4pp"),
    Bad(
        "edge of no trigger",
        "calendar: {every: 30d}\n      destination: edge",
        "strategy.destination: expected a band or target: without a trigger there is no edge, found edge",
    ),
    Bad("min above max", "band: {min: 5pp, max: 2pp}", "strategy.band.max: expected at least min (5pp), found 2pp"),
    Bad(
        "band of weight",
        "band: {min: 20% of weight}",
        "strategy.band.min: expected a band of the vault such as 1pp, above 0pp, found 20% of weight",
    ),
    Bad(
        "budget and G",
        "band: {aversion: 3, cost: 20bps}",
        "strategy.band.cost: expected one of aversion, cost and tracking_error, found aversion as well",
    ),
    Bad(
        "two budgets",
        "band: {cost: 20bps, tracking_error: 50bps}",
        "strategy.band.tracking_error: expected one of aversion, cost and tracking_error, found cost as well",
    ),
    Bad(
        "budget of nothing",
        "band: {cost: 0bps}",
        "strategy.band.cost: expected a share above 0 such as 20bps, found 0bps",
    ),
    Bad(
        "budget without volatility",
        "band: {cost: 20bps}",
        "strategy.band.volatility: "
        "expected the volatility of every token: cost is counted with it, found none of WETH, USDC",
    ),
    Bad(
        "half the volatilities",
        "band: {volatility: {WETH: 65%}}",
        "strategy.band.volatility: "
        "expected the volatility of every token: a forecast needs all or none, found none of USDC",
    ),
    Bad(
        "volatility of another",
        "band: {volatility: {WETH: 65%, USDC: 1%, DAI: 1%}}",
        "strategy.band.volatility.DAI: expected one of WETH, USDC, found another token",
    ),
    Bad(
        "calendar without dates",
        "calendar: {jitter: 1h}",
        "strategy.calendar: expected either every or cron, found neither",
    ),
    Bad(
        "two calendars",
        'calendar: {every: 1d, cron: "0 8 * * *"}',
        "strategy.calendar.every: expected either every or cron, found both",
    ),
    Bad(
        "open for too long",
        "calendar: {every: 30d, within: 2d}",
        "strategy.calendar.within: expected a duration from 10m to 24h, found 2d",
    ),
    Bad(
        "jitter beyond the next date",
        "calendar: {every: 1h, jitter: 2h}",
        "strategy.calendar.jitter: expected less than every (1h), found 2h",
    ),
    Bad(
        "locked token unknown",
        f"{FIXED.strip()}\n      locked: LINK",
        "strategy.locked[0]: expected one of WETH, USDC, found LINK",
    ),
    Bad(
        "all locked",
        f"{FIXED.strip()}\n      locked: [WETH, USDC]",
        "strategy.locked: expected at least one token that may be sold, found all of them",
    ),
    Bad(
        "locked cash",
        f"{FIXED.strip()}\n      locked: USDC\n      cash: USDC",
        "strategy.locked[0]: expected a token that is not cash as well: cash is what others are paid with, found USDC",
    ),
    Bad(
        "priority of another",
        f"{FIXED.strip()}\n      priorities: {{DAI: 2}}",
        "strategy.priorities.DAI: expected one of WETH, USDC, found another token",
    ),
    Bad(
        "no priority",
        f"{FIXED.strip()}\n      priorities: {{WETH: 0}}",
        "strategy.priorities.WETH: expected a number from 1 to 1000, found 0",
    ),
    Bad(
        "reserve of another",
        f"{FIXED.strip()}\n      reserve: 5 LINK",
        "strategy.reserve[0]: expected one of WETH, USDC, found LINK",
    ),
    Bad(
        "reserve twice",
        f"{FIXED.strip()}\n      reserve: [5 WETH, 6 WETH]",
        "strategy.reserve[1]: expected each token once, found the same as reserve[0]",
    ),
)


@pytest.mark.fault("C8")
@pytest.mark.parametrize("bad", BAD, ids=[bad.name for bad in BAD])
def test_load__contradiction__is_one_line_that_says_where(bad: Bad, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, edited(FIXED, f"      {bad.lines}\n" if bad.lines else ""))
    text = str(caught.value)
    assert re.fullmatch(r"\S*keeper\.yaml:\d+: vaults\.treasury\.(.*)", text), text
    assert text.endswith(f"vaults.treasury.{bad.line}")


def test_load__locked_token_without_a_weight__can_never_reach_it(tmp_path: Path) -> None:
    text = GOOD.replace("{WETH: 60%, USDC: 40%}", "{WETH: 60%, USDC: 40%, DAI: 0%}").replace(
        FIXED, f"{FIXED}      locked: DAI\n"
    )
    with pytest.raises(ConfigError, match=r"locked\[0\]: expected a token with a weight: one of 0% that is never sold"):
        loaded(tmp_path, text)


def test_load__dates_that_pass_between_two_looks__are_refused(tmp_path: Path) -> None:
    text = GOOD.replace(FIXED, "      calendar: {every: 30d, within: 1h}\n").replace("every: 5m", "every: 2h")
    with pytest.raises(ConfigError, match=r"calendar\.within: expected at least schedule\.every \(2h\), found 1h"):
        loaded(tmp_path, text)


def strategy(tmp_path: Path, lines: str) -> WeightsConfig:
    found = loaded(tmp_path, edited(FIXED, f"      {lines}\n")).config.vaults["treasury"].strategy
    assert isinstance(found, WeightsConfig)
    return found


def test_band__auto__is_a_mapping_of_defaults(tmp_path: Path) -> None:
    band = strategy(tmp_path, "band: auto").band
    assert band is not None
    assert (str(band.min), str(band.max), band.aversion, band.cost, band.correlation) == (
        "0.1pp",
        "10pp",
        None,
        None,
        6_000,
    )


@pytest.mark.parametrize(
    ("destination", "bps"), [("target", 0), ("half", 200), ("edge", 400), ("2pp", 200), ("20bps", 20)]
)
def test_destination__word_or_band__is_as_far_from_the_target(destination: str, bps: int, tmp_path: Path) -> None:
    assert strategy(tmp_path, f"trigger: 4pp\n      destination: {destination}").bands_of("WETH")[1].bps == bps


def test_destination__half_of_a_share_of_weight__is_a_share_of_weight(tmp_path: Path) -> None:
    own = strategy(tmp_path, "trigger: 20% of weight\n      destination: half").bands_of("WETH")[1]
    assert (own.bps, own.of_weight) == (1_000, True)


def test_calendar__alone__trades_everything_to_its_destination(tmp_path: Path) -> None:
    trigger, destination = strategy(tmp_path, "calendar: {every: 30d}").bands_of("WETH")
    assert (trigger.bps, destination.bps) == (0, 0)
    trigger, destination = strategy(tmp_path, "calendar: {every: 30d}\n      destination: 1pp").bands_of("WETH")
    assert (trigger.bps, destination.bps) == (100, 100)


@pytest.mark.fault("C14")
def test_hash__any_new_setting__differs(tmp_path: Path) -> None:
    settings = ("band: auto", "band: {min: 1pp}", "calendar: {every: 30d}", f"{FIXED.strip()}\n      locked: WETH")
    settings += (f"{FIXED.strip()}\n      clip: auto", f"{FIXED.strip()}\n      reserve: 5 WETH", FIXED.strip())
    assert len({loaded(tmp_path, edited(FIXED, f"      {lines}\n")).hash for lines in settings}) == len(settings)


def test_page__its_config__loads_as_it_stands(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs/strategies/weights.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(chains:.*?)```", page, re.DOTALL)
    config = load(written(tmp_path, block), {}, need_env=False).config
    assert list(config.vaults) == ["treasury"]
