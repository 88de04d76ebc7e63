from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.transfers import LEAST, ROUNDED, Transfer, why_odd
from tests.builders import USDC

SENT = 100 * 10**6
PERCENT = SENT // 100


def whole(sent: int = SENT) -> Transfer:
    return Transfer(sent, sent, sent)


@pytest.mark.fault("K1")
@pytest.mark.parametrize(
    ("one", "said"),
    [
        (Transfer(SENT, SENT, SENT - PERCENT), "USDC takes 1 % on transfer: 99.0000 USDC of 100.000 USDC arrived"),
        (
            Transfer(SENT, SENT, SENT - 3 * SENT // 10_000, where=" between accounts"),
            "USDC takes 0.03 % on transfer between accounts: 99.9700 USDC of 100.000 USDC arrived",
        ),
        (Transfer(SENT, SENT, 0), "USDC moves nothing on transfer: 0.00 USDC of 100.000 USDC arrived"),
        (Transfer(SENT, 0, 0), "USDC moves nothing on transfer: 0.00 USDC of 100.000 USDC arrived"),
        (
            Transfer(SENT, SENT + PERCENT, SENT),
            "USDC takes 1 % on top of a transfer: 101.000 USDC left to send 100.000 USDC",
        ),
        (
            Transfer(SENT, SENT - PERCENT, SENT),
            "USDC moves by itself on transfer: 99.0000 USDC left and 100.000 USDC arrived of 100.000 USDC",
        ),
        (Transfer(SENT, SENT, SENT - 9_999, 9_999), ""),
        (
            Transfer(SENT, SENT, SENT, -PERCENT),
            "USDC moves by itself: a holder's balance by −1.00000 USDC while others sent 100.000 USDC",
        ),
    ],
)
def test_why_odd__of_one_transfer__says_what_it_does_with_its_figures(one: Transfer, said: str) -> None:
    assert why_odd(USDC, [whole(), one]) == said


@pytest.mark.fault("K1")
def test_why_odd__of_several_faults__tells_the_worst() -> None:
    made = [Transfer(SENT, SENT, SENT - PERCENT), Transfer(SENT, SENT, SENT - 5 * PERCENT, where=" to 0xab…cd")]
    assert why_odd(USDC, made).startswith("USDC takes 5 % on transfer to 0xab…cd: ")


@pytest.mark.fault("K3")
@given(sent=st.integers(1, 10**30), off=st.tuples(*[st.integers(-ROUNDED, ROUNDED)] * 3))
def test_why_odd__of_shares_that_round__is_nothing(sent: int, off: tuple[int, int, int]) -> None:
    one = Transfer(sent, sent + off[0], sent + off[1], off[2])
    assert one.arrived <= 0 or why_odd(USDC, [one]) == ""


@given(sent=st.integers(LEAST, 10**30), bps=st.integers(3, 10_000))
def test_why_odd__of_a_fee_of_three_bps_or_more__is_always_seen(sent: int, bps: int) -> None:
    assert "on transfer" in why_odd(USDC, [Transfer(sent, sent, sent - sent * bps // 10_000)])
