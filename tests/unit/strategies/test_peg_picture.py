"""The picture in the documentation is what its script draws now."""

from __future__ import annotations

from bench.peg_picture import FILE, draw, ride


def test_picture__drawn_again__is_the_one_in_the_documentation() -> None:
    assert FILE.read_text("utf-8") == draw(), "python -m bench.peg_picture draws it anew"


def test_picture__what_it_shows__is_no_purchase_beyond_the_wall() -> None:
    bought = [each.bps for each in ride() if each.what == "bought"]
    assert len(bought) > 5
    assert min(bought) >= 9_900
