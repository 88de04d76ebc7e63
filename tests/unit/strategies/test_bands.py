from __future__ import annotations

from fractions import Fraction

import pytest

from keeper.strategies.bands import Band, Bands
from tests.builders import USDC, WETH


def test_at__absolute__is_the_same_for_every_target() -> None:
    assert Band(400).at(6000) == Band(400).at(10) == 400


def test_at__of_weight__is_a_share_of_the_target_and_exact() -> None:
    assert Band(2000, of_weight=True).at(6000) == 1200
    assert Band(333, of_weight=True).at(1) == Fraction(333, 10_000)


def test_str__both_kinds__reads_as_it_is_written() -> None:
    assert [str(Band(400)), str(Band(50)), str(Band(2000, of_weight=True))] == ["4pp", "0.5pp", "20 % of weight"]


def test_of__own_pair__replaces_the_common_one() -> None:
    bands = Bands(Band(400), Band(200), {USDC: (Band(100), Band(0))})
    assert bands.of(WETH, 6000) == (400, 200)
    assert bands.of(USDC, 4000) == (100, 0)


@pytest.mark.fault("C8")
def test_check__destination_beyond_trigger__says_both() -> None:
    with pytest.raises(ValueError, match=r"bands of WETH: .*destination 4pp and trigger 2pp"):
        Bands(Band(200), Band(400)).check({WETH: 6000})
