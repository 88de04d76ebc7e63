"""A key that is a module, or calls one."""

from __future__ import annotations

from keeper.core.module_calls import may_fail_quietly
from tests.builders import WETH, swap_call, units
from tests.unit.custody.safes import BARE, MODULE, SAFE, THROUGH, answers, atomic, safe_view, words


def test_wrap__through_a_module__calls_it_in_place_of_the_safe() -> None:
    bare, through = (
        atomic(each).wrap([swap_call(spends=units(WETH, 1))], safe_view(each)).next for each in (BARE, THROUGH)
    )
    assert (bare.to, through.to) == (SAFE, MODULE)
    assert bare.data == through.data
    assert may_fail_quietly(bare) and may_fail_quietly(through)


def test_standing__not_enabled__names_who_is_not() -> None:
    for envelope, who in ((BARE, BARE.sender), (THROUGH, MODULE)):
        gone = dict.fromkeys(answers(envelope), words(0))
        assert envelope.standing(safe_view(envelope, gone)) == f"{who} is no enabled module of Safe {SAFE}"
