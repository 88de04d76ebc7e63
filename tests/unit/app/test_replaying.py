from __future__ import annotations

from typing import Any, cast

import pytest

from keeper.app.replaying import Repeated
from keeper.journal.reader import CycleRow

RECORD: dict[str, Any] = {
    "config_hash": "c0",
    "plan": {"kind": "hold", "code": "in_band", "wanted": [], "reason": "widest drift 0.2pp of ±1pp"},
    "calls": [],
    "guards": [],
}


def repeated(**again: Any) -> Repeated:
    return Repeated(cast(CycleRow, None), 0, RECORD, RECORD | again)


@pytest.mark.parametrize(
    ("again", "is_same"),
    [
        ({}, True),
        ({"trips": []}, True),  # a later keeper records more
        ({"calls": [{"to": "0x1", "data": "0x", "value": "0"}]}, False),
        ({"plan": RECORD["plan"] | {"reason": "widest drift 0.2pp of ±2pp"}}, False),
        ({"config_hash": "c1", "plan": RECORD["plan"] | {"reason": "widest drift 0.2pp of ±2pp"}}, True),
        ({"config_hash": "c1", "plan": RECORD["plan"] | {"code": "dust"}}, False),
        ({"config_hash": "c1", "guards": [{"guard": "paused", "allows": False}]}, False),
    ],
)
def test_repeated__is_the_same__byte_for_byte_or_in_what_another_configuration_decides(
    again: dict[str, Any], is_same: bool
) -> None:
    assert repeated(**again).is_same is is_same


def test_repeated__without_a_field_that_was_recorded__differs() -> None:
    again = {key: value for key, value in RECORD.items() if key != "guards"}
    assert not Repeated(cast(CycleRow, None), 0, RECORD, again).is_same
