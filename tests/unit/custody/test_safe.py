"""An owner's own transactions of a Safe."""

from __future__ import annotations

import pytest

from keeper.core.abi import arguments
from keeper.custody.safe import EXECUTE, NOBODY
from tests.builders import WETH, swap_call, units
from tests.unit.custody.safes import KEY, OWNER, SAFE, answers, atomic, safe_view, words


def test_seal__a_swap__pays_nobody_back_and_is_signed_by_being_sent() -> None:
    (call,) = atomic(OWNER).wrap([swap_call(spends=units(WETH, 1))], safe_view(OWNER)).sequence
    *_, kind, safe_tx_gas, base_gas, gas_price, gas_token, receiver, signature = arguments(EXECUTE, call.data)
    assert (kind, safe_tx_gas, base_gas, gas_price, gas_token, receiver) == (1, 0, 0, 0, NOBODY, NOBODY)
    # {bytes32 owner}{bytes32 nothing}{1}
    assert signature == bytes(12) + bytes.fromhex(KEY[2:]) + bytes(32) + b"\x01"


@pytest.mark.parametrize(
    ("threshold", "owner", "expected"),
    [
        (words(1), words(1), ""),
        (words(2), words(1), "Safe 0x0000…5aFE: threshold: expected 1, was 2"),
        (words(1), words(0), f"{KEY} is no owner of Safe {SAFE}"),
        (None, words(1), f"the threshold of Safe {SAFE} cannot be read"),
        (words(1), None, f"{KEY} is no owner of Safe {SAFE}"),
        (words(1), words(2), f"{KEY} is no owner of Safe {SAFE}"),
    ],
)
def test_standing__owners_and_threshold__say_whether_the_key_may_act(
    threshold: bytes | None, owner: bytes | None, expected: str
) -> None:
    asked = tuple(answers(OWNER))
    assert OWNER.standing(safe_view(OWNER, dict(zip(asked, (threshold, owner), strict=True)))) == expected
