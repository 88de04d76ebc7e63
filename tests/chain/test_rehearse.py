"""Vaults of the example configurations, put through their bad days by a live keeper on a chain in this process."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keeper.app.loading import open_config
from keeper.cli.main import app
from keeper.rehearsal.run import DAYS, rehearse
from keeper.report.rehearsal import Rehearsal

CONFIGS = Path(__file__).parents[2] / "config"
SOME = {
    ("mainnet.yaml", "treasury"): [day.name for day in DAYS],
    ("peg.yaml", "dai-peg"): ["calm", "stale", "apart", "depeg", "crash"],
    ("demo.yaml", "treasury"): ["calm", "stale", "drained", "lagging", "lying"],
}
"""A treasury, a peg, and a vault of three assets; every day of each in a soak."""
ALL = bool(os.environ.get("KEEPER_SOAK"))

FEED = '{kind: chainlink, feed: "0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70", heartbeat: 24h}'
SLOW_FEED = f"  base: {{preset: base, prices: {{WETH: {{sources: [{FEED}]}}}},"


def card(path: Path, vault: str, days: list[str], folder: Path) -> Rehearsal:
    chosen = [day for day in DAYS if day.name in days]
    return rehearse(open_config(path, need_env=False), vault, folder, days=chosen)


@pytest.mark.parametrize(("name", "vault"), SOME)
def test_rehearse__when_an_example_has_its_bad_days__then_each_is_as_it_should_be(
    name: str, vault: str, tmp_path: Path
) -> None:
    days = [day.name for day in DAYS] if ALL else SOME[name, vault]

    found = card(CONFIGS / name, vault, days, tmp_path)

    assert [(day.name, day.why) for day in found.days if day.right is False] == []
    assert [day.name for day in found.days] == days
    traded = next(day for day in found.days if day.name == "calm")
    assert traded.did.startswith("traded")
    assert traded.gas > 0
    assert found.weaknesses == ()


def test_rehearse__when_a_feed_may_be_a_day_old__then_the_stale_day_is_lost_and_named(tmp_path: Path) -> None:
    path = tmp_path / "keeper.yaml"
    text = (CONFIGS / "base.yaml").read_text("utf-8")
    path.write_text(text.replace("  base: {preset: base,", SLOW_FEED, 1), "utf-8")

    found = card(path, "treasury", ["calm", "stale"], tmp_path / "days")

    assert [(day.name, day.right, day.why) for day in found.days][1] == ("stale", False, "1 trade on prices of 3h ago")
    assert found.lost == 1
    assert found.weaknesses == ("WETH: its price may be 1d5m old: a coin that moves has feeds of an hour",)


def test_rehearse__when_the_price_of_a_peg_is_written_down__then_the_card_names_it(tmp_path: Path) -> None:
    path = tmp_path / "keeper.yaml"
    fixed = "  mainnet:\n    prices: {DAI: {sources: [{kind: fixed, price: 1 USD}]}}\n"
    path.write_text((CONFIGS / "peg.yaml").read_text("utf-8").replace("  mainnet:\n", fixed, 1), "utf-8")

    found = CliRunner().invoke(app, ["rehearse", str(path), "--day", "calm", "--json"])

    (told,) = json.loads(found.stdout)["rehearsals"]
    assert found.exit_code == 1
    assert told["weaknesses"] == ["DAI: a fixed price: it stays where it is written while the market leaves it"]
    assert told["days"][0]["why"].startswith("never traded: sources are 22bps apart")
