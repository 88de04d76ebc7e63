"""When a proposal that waits for signatures is not what anybody should sign any more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.proposals import Bargain, OpenProposal, proposal_in, proposal_out, why_stale
from keeper.core.units import TokenAmount
from tests.builders import DAI, NOW, USDC, WETH, units

TOLERANCE = 50
OPEN = OpenProposal("0x" + "ab" * 32, 7, NOW + 3_600, ((units(WETH, 2), units(USDC, 6_000)),))


def bargain(sell: str = "2", floor: str = "6000") -> Bargain:
    return units(WETH, sell), units(USDC, floor)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([bargain()], ""),
        ([bargain("2.2", "6600")], ""),
        ([bargain("1.8", "5400")], ""),
        ([bargain("2.3", "6900")], "it sells 2.00000 WETH, and 2.30000 WETH are to be sold now"),
        ([bargain("1.5", "4500")], "it sells 2.00000 WETH, and 1.50000 WETH are to be sold now"),
        ([bargain(floor="6029")], ""),
        (
            [bargain(floor="6031")],
            "the price of WETH in USDC has moved: its floor is 51.4 bps below what it would be now",
        ),
        (
            [bargain(floor="5969")],
            "the price of WETH in USDC has moved: its floor is 51.9 bps above what it would be now",
        ),
        ([bargain(floor="0")], "the price of WETH in USDC has moved: its floor is far from what it would be now"),
        ([(units(USDC, 6_000), units(WETH, 2))], "other tokens are to be traded now"),
        ([(units(WETH, 2), units(DAI, 6_000))], "other tokens are to be traded now"),
        ([], "other tokens are to be traded now"),
        # The same trade through two pools.
        ([bargain("1.5", "4500"), bargain("0.5", "1500")], ""),
    ],
)
def test_why_stale__what_is_wanted_now__decides(wanted: list[Bargain], expected: str) -> None:
    assert why_stale(OPEN, wanted, NOW, TOLERANCE) == expected


def test_why_stale__past_the_deadline__whatever_is_wanted() -> None:
    assert why_stale(OPEN, [bargain()], OPEN.deadline, TOLERANCE) == ""
    assert why_stale(OPEN, [bargain()], OPEN.deadline + 1, TOLERANCE) == "it is past its deadline"


@given(st.integers(1, 10**24), st.integers(1, 10**15), st.integers(0, 300))
def test_why_stale__the_very_same_trade__never_is(sold: int, floor: int, tolerance: int) -> None:
    same = replace(OPEN, bargains=((TokenAmount(WETH, sold), TokenAmount(USDC, floor)),))
    assert why_stale(same, same.bargains, NOW, tolerance) == ""


def test_proposal__as_fields_and_back__is_the_same() -> None:
    assert proposal_in(proposal_out(OPEN)) == OPEN
