from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from keeper.app.loading import open_config
from keeper.cli.main import app
from keeper.core.errors import ConfigError
from keeper.rehearsal.weaknesses import refused, weaknesses

BASE = (Path(__file__).parents[3] / "config" / "base.yaml").read_text("utf-8")
LAX = "dry\n    dangerously_exceed_ceilings: true\n"


def found(folder: Path, old: str, new: str) -> list[str]:
    path = folder / "keeper.yaml"
    assert old in BASE
    path.write_text(BASE.replace(old, new, 1).replace("dry\n", LAX, 1), "utf-8")
    return list(weaknesses(open_config(path, need_env=False).config, "treasury"))


@pytest.mark.parametrize(
    ("old", "new", "weak"),
    [
        ("30bps", "1%", []),
        ("30bps", "5%", ["max_slippage 5 %: a sandwich may take so much of every trade (more than 1 %)"]),
        ("30bps", "30bps, max_price_age: 23h", []),
        ("30bps", "30bps, max_price_age: 24h", ["max_price_age 24h: lets a price through that is a day old"]),
        (
            '["${BASE_RPC_A}", "${BASE_RPC_B}"]',
            '"${BASE_RPC_A}"',
            ["one RPC is believed alone: nobody contradicts it when it lies"],
        ),
        (
            "{preset: base,",
            "{preset: base, prices: {USDC: {sources: {kind: fixed, price: 1 USD}}},",
            ["USDC: a fixed price: it stays where it is written while the market leaves it"],
        ),
    ],
)
def test_weaknesses__when_one_is_planted__then_it_alone_is_named(
    old: str, new: str, weak: list[str], tmp_path: Path
) -> None:
    assert found(tmp_path, old, new) == weak


@pytest.mark.parametrize(
    ("place", "is_weak"),
    [("vaults.a.guards.max_slippage", True), ("chains.b.prices.DAI", True), ("vaults.a.strategy.weights", False)],
)
def test_refused__when_a_limit_or_a_price_is_refused__then_it_is_a_weakness(place: str, is_weak: bool) -> None:
    assert (refused(ConfigError("keeper.yaml", place, "less", "more")) is not None) is is_weak


def test_rehearse__when_a_ceiling_is_exceeded__then_the_card_is_that_one_line(tmp_path: Path) -> None:
    path = tmp_path / "keeper.yaml"
    path.write_text(BASE.replace("30bps", "5%", 1), "utf-8")

    told = CliRunner().invoke(app, ["rehearse", str(path)])

    assert told.exit_code == 2
    assert told.stdout.startswith("weak   refused before any day: keeper.yaml:29: vaults.treasury.guards.max_slippage:")
    assert told.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("--day", "sunday", "command: --day: expected one of calm, stale, apart, "),
        ("--vault", "other", "command: --vault: expected one of treasury, found other"),
        ("--depth", "2 apples", "command: --depth: expected an amount above 0 such as 2000000 USD, found 2 apples"),
        ("--value", "0 USD", "command: --value: expected an amount above 0 such as 2000000 USD, found 0 USD"),
    ],
)
def test_rehearse__when_an_option_is_wrong__then_one_line_says_so(
    option: str, value: str, line: str, tmp_path: Path
) -> None:
    path = tmp_path / "keeper.yaml"
    path.write_text(BASE, "utf-8")

    told = CliRunner().invoke(app, ["rehearse", str(path), option, value])

    assert isinstance(told.exception, ConfigError)
    assert str(told.exception).startswith(line)


def test_weaknesses__when_three_are_planted__then_each_is_named(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "config" / "peg.yaml").read_text("utf-8")
    fixed = "  mainnet:\n    prices: {DAI: {sources: {kind: fixed, price: 1 USD}}}\n"
    wide = "guards: {max_slippage: 5%, max_price_age: 24h, "
    path = tmp_path / "keeper.yaml"
    text = text.replace("  mainnet:\n", fixed, 1).replace("guards: {", wide, 1).replace("dry\n", LAX, 1)
    path.write_text(text, "utf-8")

    found = weaknesses(open_config(path, need_env=False).config, "dai-peg")

    assert [line.split(":")[0].split(" ")[0] for line in found] == ["DAI", "max_slippage", "max_price_age"]
