"""Commands, options and arguments that are none: one line, exit 2."""

from __future__ import annotations

import pytest

from tests.unit.cli.test_backtest import run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nope", "nope: no such command 'nope'; see keeper --help"),
        ("keys nope", "keys nope: no such command 'nope'; see keeper keys --help"),
        ("check --config a.yaml", "check --config a.yaml: no such option: --config; see keeper check --help"),
        ("pause", "pause: missing argument 'vault'; see keeper pause --help"),
        ("explain one", "explain one: invalid value for 'cycle': "),
        ("run a.yaml b.yaml", "run a.yaml b.yaml: got unexpected extra argument(s) (b.yaml); see keeper run --help"),
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


@pytest.mark.parametrize("words", [(), ("keys",)])
def test_run__no_command__the_help(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) == 2
    found = capsys.readouterr()
    assert "Usage: keeper" in found.out and found.err == ""
