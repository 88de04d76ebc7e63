"""The pictures in the documentation show what the strategies do now."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs.figures.draw import HERE, PICTURES, save
from docs.figures.rides import MOST_FEE, THRESHOLD, called, sliced_up, stretches, weighed


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    save(folder)
    return folder


@pytest.mark.parametrize("name", PICTURES)
def test_save__again__has_the_parts_and_the_size_of_the_picture_in_the_documentation(drawn: Path, name: str) -> None:
    kept, new = HERE / f"{name}.svg", drawn / f"{name}.svg"
    assert _skeleton(new) == _skeleton(kept), "make figures draws it anew"
    assert kept.stat().st_size < 150_000


def _skeleton(file: Path) -> list[tuple[str, str, int]]:
    """Every element with its size and how many points it has: what rounding on another machine leaves alone."""
    root = ElementTree.parse(file).getroot()
    return [(each.tag, each.get("viewBox", ""), len(re.findall("[MLQC]", each.get("d", "")))) for each in root.iter()]


def test_save__picture__asks_nobody_else_for_anything(drawn: Path) -> None:
    for name in PICTURES:
        assert not re.search(r"url\((?!#)|@import|href=\"(?!#)|<script", (drawn / f"{name}.svg").read_text("utf-8"))


@pytest.mark.parametrize("name", PICTURES)
def test_page__of_each_strategy__shows_its_picture(name: str) -> None:
    page = (HERE.parent / "strategies" / f"{name}.md").read_text("utf-8")
    assert f"](../figures/{name}.svg)" in page


def test_weighed__every_trade__begins_outside_its_trigger_and_ends_at_its_destination() -> None:
    looks = list(weighed(days=90))
    traded = [look for look in looks if look.traded]
    assert len(traded) > 2
    assert all(abs(look.before - 60) > 4 - 0.01 and abs(abs(look.after - 60) - 2) < 0.02 for look in traded)
    assert all(look.before == look.after and abs(look.before - 60) <= 4.01 for look in looks if not look.traded)


def test_sliced_up__no_slice__is_sold_below_its_least_price_before_the_deadline_and_all_is_sold() -> None:
    looks = list(sliced_up())
    assert len([look for look in looks if look.sold]) > 8
    assert all(look.price >= look.least for look in looks if look.sold)
    assert any(look.waits and look.price < look.least for look in looks)
    assert looks[-1].done == max(look.done for look in looks) > 45_000


def test_called__performed__only_where_due_and_gas_is_cheap() -> None:
    looks = list(called())
    performed = [look for look in looks if look.what == "performed"]
    assert len(performed) > 3
    assert all(look.accrued >= THRESHOLD and look.fee <= MOST_FEE for look in performed)
    assert {look.what for look in looks} == {"not_due", "denied", "reverts", "performed"}
    assert all(look.fee > MOST_FEE for look in looks if look.what == "denied")


def test_stretches__runs_of_the_same__are_one() -> None:
    assert stretches(["a", "a", "b", "a"], [0, 1, 2, 3]) == [("a", 0, 2), ("b", 2, 3), ("a", 3, 4)]
