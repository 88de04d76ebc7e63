from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from keeper.core.plan import AssetLine
from keeper.core.units import TokenAmount
from keeper.strategies.netting import Pairing, pair
from tests.builders import DAI, USDC, WBTC, WETH, token, usd

ALL = [token(f"T{i}") for i in range(6)]


def lines(drifts: list[int], trigger: int = 400, destination: int = 200) -> list[AssetLine]:
    return [
        AssetLine(TokenAmount(t, 1), usd(1), Fraction(2000 + drift), 2000, Fraction(trigger), Fraction(destination))
        for t, drift in zip(ALL, drifts, strict=False)
    ]


def anything(*_: object) -> bool:
    return True


def test_pair__two_assets__each_goes_to_its_own_destination() -> None:
    assert pair(lines([435, -435]), anything) == [Pairing(ALL[0], ALL[1], Fraction(2200), Fraction(1800))]


def test_pair__counterparty_inside_its_band__may_go_to_its_target() -> None:
    assert pair(lines([500, -300, -200]), anything) == [Pairing(ALL[0], ALL[1], Fraction(2200), Fraction(2000))]


def test_pair__nothing_out__is_empty() -> None:
    assert pair(lines([400, -400]), anything) == []


def test_pair__no_pool__is_empty() -> None:
    assert pair(lines([500, -500]), lambda *_: False) == []


def test_pair__tokens_of_different_bands__keep_their_own() -> None:
    wide = AssetLine(TokenAmount(WETH, 1), usd(1), Fraction(5600), 5000, Fraction(500), Fraction(100))
    narrow = AssetLine(TokenAmount(USDC, 1), usd(1), Fraction(2400), 3000, Fraction(50), Fraction(0))
    other = AssetLine(TokenAmount(DAI, 1), usd(1), Fraction(2000), 2000, Fraction(500), Fraction(100))
    (first,) = pair([wide, narrow, other], anything)
    # WETH gives 500 to reach its own destination, and 100 more because USDC needs 600: it helps, up to its target.
    assert (first.sell, first.buy, first.floor, first.ceiling) == (WETH, USDC, 5000, 3000)
    assert WBTC not in (first.sell, first.buy)


@given(st.lists(st.integers(-1900, 1900), min_size=1, max_size=5))
def test_pair__any_drifts__at_most_n_minus_one_and_no_goal_beyond_a_target(drifts: list[int]) -> None:
    assets = lines([*drifts, -sum(drifts)])
    by_token = {asset.token: asset for asset in assets}
    pairs = pair(assets, anything)
    assert len(pairs) <= len(assets) - 1
    assert len({(p.sell, p.buy) for p in pairs}) == len(pairs)
    assert bool(pairs) == any(asset.is_out for asset in assets)
    assert not {p.sell for p in pairs} & {p.buy for p in pairs}
    for p in pairs:
        assert by_token[p.sell].target <= p.floor < by_token[p.sell].weight
        assert by_token[p.buy].target >= p.ceiling > by_token[p.buy].weight
        assert by_token[p.sell].is_out or by_token[p.buy].is_out
    for asset in assets:
        if asset.is_out:
            assert any(asset.token in (p.sell, p.buy) for p in pairs)
