"""`keeper backtest` and `keeper advise` as people type them, wrong words included."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from keeper.cli import main

CONFIG = str(Path(__file__).resolve().parents[3] / "config" / "mainnet.yaml")
SHORT = ("--synthetic", "gbm seed=3 years=0.1 step=3600")


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of `keeper WORDS`."""
    monkeypatch.setattr(sys, "argv", ["keeper", *words])
    try:
        main.run()
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def test_backtest__made_up_prices__table_pictures_and_trades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / name for name in ("a.html", "a.png", "a.csv")]
    options = [word for path in files for word in (f"--{path.suffix[1:]}", str(path))]
    assert run(monkeypatch, "backtest", CONFIG, *SHORT, *options, "--calendar", "7d") == 0
    out = capsys.readouterr()
    assert "calendar, 7 d" in out.out
    assert out.err == ""
    assert all(path.stat().st_size > 100 for path in files)
    assert files[2].read_text().startswith("time,sold,token_sold,got,token_got,value_usd,fee_usd")


def test_backtest__price_file__json_of_every_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "p.csv"
    rows = [f"{3_600 * hour},{2_000 + 40 * hour},1" for hour in range(40)]
    file.write_text("time,WETH,USDC\n" + "\n".join(rows))
    assert run(monkeypatch, "backtest", CONFIG, "--prices", str(file), "--depth", "50000000 USD", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["policies"][0]["policy"] == "as configured"
    assert found["policies"][0]["trades"] >= 1
    assert found["prices"] == "p.csv"


def test_advise__made_up_prices__recommends_and_says_what_each_would_have_cost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "advise", CONFIG, *SHORT) == 0
    out = capsys.readouterr().out
    assert "band: auto" in out and "$ a year" in out
    assert "Choose " in out or "Leave it as it is" in out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("backtest", CONFIG), "backtest: expected --prices FILE or --synthetic TEXT, found neither"),
        (
            ("backtest", CONFIG, *SHORT, "--prices", "a.csv"),
            "--prices: expected either this or --synthetic, found both",
        ),
        (("backtest", CONFIG, "--prices", "none.csv"), "--prices: expected a CSV file, found none at none.csv"),
        (("backtest", CONFIG, "--synthetic", "walk"), "--synthetic: expected one of gbm, jumps, depeg"),
        (("backtest", CONFIG, *SHORT, "--depth", "deep"), "--depth: expected"),
        (("backtest", CONFIG, *SHORT, "--depth", "0 USD"), "--depth: expected at least 100 USD, found 0 USD"),
        (("backtest", CONFIG, *SHORT, "--value", "0 USD"), "--value: expected at least 100 USD, found 0 USD"),
        (("backtest", CONFIG, *SHORT, "--fee", "30"), "--fee: expected bps such as 30bps or 0.3%, found 30"),
        (("backtest", CONFIG, *SHORT, "--fee", "100%"), "--fee: expected less than 100%, found 100%"),
        (("backtest", CONFIG, *SHORT, "--calendar", "1h"), "--calendar: expected a duration of at least 1d, found 1h"),
        (("backtest", CONFIG, *SHORT, "--vault", "other"), "--vault: expected one of treasury, found other"),
        (("advise", CONFIG, *SHORT, "--gas", "2"), "--gas: expected"),
    ],
    ids=lambda given: " ".join(given[2:])[:40] if isinstance(given, tuple) else "",
)
def test_command__wrong_words__one_line_and_exit_2(
    words: tuple[str, ...], line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) == 2
    err = capsys.readouterr().err
    assert line in err
    assert len(err.splitlines()) == 1


def test_advise__no_journal__one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "keeper.yaml"
    config.write_text(Path(CONFIG).read_text())
    config.chmod(0o600)
    assert run(monkeypatch, "advise", str(config)) == 2
    assert "expected a journal with samples, or --prices or --synthetic" in capsys.readouterr().err
