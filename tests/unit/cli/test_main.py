"""Commands, options and arguments that are none: one line, exit 2."""

from __future__ import annotations

import pytest

from tests.unit.cli.test_backtest import run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nope", "keeper: no such command 'nope'; see keeper --help"),
        ("keys nope", "keys: no such command 'nope'; see keeper keys --help"),
        ("check --config a.yaml", "check: no such option: --config; see keeper check --help"),
        ("pause", "pause: missing argument 'vault'; see keeper pause --help"),
        ("explain one", "explain: invalid value for 'cycle': "),
        ("run a.yaml b.yaml", "run: got unexpected extra argument(s) (b.yaml); see keeper run --help"),
        ("explain --all=3", "option '--all' does not take a value"),
    ],
)
def test_run__no_such_words__one_line_says_which_and_where_to_look(
    words: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words.split()) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("keeper: ") and found.err.count("\n") == 1
    assert said in found.err


def test_run__a_secret_beside_an_option_that_is_none__is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "keys", "new", "--password", "hunter2") == 2
    assert capsys.readouterr().err == "keeper: keys new: no such option: --password; see keeper keys new --help\n"


@pytest.mark.parametrize("words", [(), ("keys",)])
def test_run__no_command__the_help(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) == 2
    found = capsys.readouterr()
    assert "Usage: keeper" in found.out and found.err == ""
