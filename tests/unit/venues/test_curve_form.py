from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.core.units import NATIVE
from keeper.venues.curve_form import Form, form_of
from keeper.venues.curve_math import Product
from tests.unit.venues.curve_pools import DAI, GUSD, NG, OVER, SHARE, THREE, USDC, USDT, plain_form, pool_of

OTHER = plain_form((DAI, USDC), product=Product.EACH_PLUS, refused="why, indeed", old_index=True, killable=True)


@pytest.mark.parametrize("form", [THREE, NG, OVER, OTHER, replace(OVER, under=None)])
def test_form__pinned_with_a_pool__comes_back_as_it_was(form: Form) -> None:
    assert form_of(pool_of(form)) == form


def test_form_of__a_pool_without_one__is_an_error() -> None:
    with pytest.raises(KeyError):
        form_of(replace(pool_of(THREE), details=()))


def test_kind__follows_from_base_pool_and_rates() -> None:
    assert [form.kind for form in (THREE, NG, OVER, OTHER)] == ["curve", "curve_ng", "curve_meta", "curve"]
    assert replace(NG, offpeg=False).kind == "curve", "an older pool whose coins have rates"


def test_coins__of_a_metapool__are_its_own_and_then_those_below() -> None:
    assert OVER.all_coins == (GUSD.address, SHARE, DAI.address, USDC.address, USDT.address)
    assert replace(OVER, under=None).all_coins == (GUSD.address, SHARE)
    assert replace(THREE, coins=(NATIVE, DAI.address, USDC.address)).tradable == (DAI.address, USDC.address)


def test_multipliers__bring_every_coin_to_36_digits() -> None:
    assert THREE.multipliers == (10**18, 10**30, 10**30)
