from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from keeper.core.errors import ConfigError
from keeper.report import backtest_plots as plots
from tests.unit.report.test_backtest import FOUND


class Tags(HTMLParser):
    """Every tag with its attributes, and what is left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_html__page__holds_everything_and_asks_nobody() -> None:
    text = plots.html(FOUND)
    tags = Tags(text).seen
    names = {tag for tag, _ in tags}
    assert "svg" in names and "table" in names
    assert not names & {"script", "link", "img", "iframe", "object", "image"}
    for _, attributes in tags:
        assert all(
            not (value or "").startswith(("http", "//")) for name, value in attributes.items() if "xmlns" not in name
        )
        assert all(not name.startswith("on") for name in attributes)
        assert all((attributes.get(name) or "#").startswith("#") for name in ("href", "xlink:href", "src"))
    assert not re.search(r"url\((?!#)|@import|<!DOCTYPE svg", text)
    assert "default-src 'none'" in text


def test_html__twice__the_same_bytes() -> None:
    assert plots.html(FOUND) == plots.html(FOUND)


def test_html__names_of_others__are_escaped() -> None:
    text = plots.html(replace(FOUND, vault="<b>treasury", source="<script>x"))
    assert "<b>treasury" not in text
    assert "<script" not in text


def test_png__picture__is_one(tmp_path: Path) -> None:
    plots.save(FOUND, tmp_path / "a.png", "--png")
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) > 10_000


def test_save__folder_that_is_not_there__one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--html: expected a file that can be written, found"):
        plots.save(FOUND, tmp_path / "none" / "a.html", "--html")


def test_need_plots__no_matplotlib__one_line_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    plots.need_plots("--png")
    monkeypatch.setattr(plots, "find_spec", lambda _name: None)
    with pytest.raises(
        ConfigError, match=r"--png: expected matplotlib \(.*pip install 'keeper\[plots\]'\), found none"
    ):
        plots.need_plots("--png")
