from __future__ import annotations

import pytest

from keeper.app.watching import _is_refusal
from keeper.strategies.upkeep import UNCLEAR


@pytest.mark.parametrize(
    ("kind", "code", "counts"),
    [
        ("denied", "max_trade", True),
        ("unusable", "unreadable", True),
        ("hold", "in_band", False),
        ("hold", "not_due", False),
        ("intended", "upkeep", False),
        *(("hold", code, True) for code in sorted(UNCLEAR)),
        ("intended", "reverts", False),
    ],
)
def test_refusal__guards_that_refuse_and_upkeeps_that_cannot_be_asked(kind: str, code: str, counts: bool) -> None:
    assert _is_refusal(kind, code) == counts
