import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.latches import Ending, Latch, Rearm, Step, step
from tests.builders import usd

AT = 1_000
BY_HAND, BY_TIME = Rearm(), Rearm(600)
HALF_OPEN = Rearm(600, usd(500))


@pytest.mark.parametrize(
    ("rearm", "trying_at", "now", "tripping", "endings", "expected"),
    [
        (BY_HAND, None, 10**9, False, (), Step.KEEP),
        (BY_HAND, None, 10**9, True, (), Step.KEEP),
        (BY_TIME, None, 1_599, False, (), Step.KEEP),
        (BY_TIME, None, 1_600, False, (), Step.CLEAR),
        (BY_TIME, None, 1_600, True, (), Step.AGAIN),
        (HALF_OPEN, None, 1_599, False, (), Step.KEEP),
        (HALF_OPEN, None, 1_600, False, (), Step.TRY),
        (HALF_OPEN, None, 1_600, False, (Ending(900, False),), Step.TRY),
        (HALF_OPEN, 1_600, 1_700, False, (), Step.KEEP),
        (HALF_OPEN, 1_600, 1_700, False, (Ending(1_600, True),), Step.KEEP),
        (HALF_OPEN, 1_600, 1_700, False, (Ending(1_601, True),), Step.CLEAR),
        (HALF_OPEN, 1_600, 1_700, False, (Ending(1_601, False),), Step.AGAIN),
        (HALF_OPEN, 1_600, 1_700, False, (Ending(1_601, False), Ending(1_650, True)), Step.AGAIN),
        (HALF_OPEN, 1_600, 1_700, True, (Ending(1_601, True),), Step.AGAIN),
    ],
)
def test_step__of_a_latch__follows_the_table(
    rearm: Rearm, trying_at: int | None, now: int, tripping: bool, endings: tuple[Ending, ...], expected: Step
) -> None:
    latch = Latch("reverts", AT, rearm, trying_at)
    assert step(latch, tripping=tripping, endings=endings, now=now) is expected


@given(
    now=st.integers(AT, 10**6), after=st.integers(60, 10**5), tripping=st.booleans(), tried=st.none() | st.booleans()
)
def test_step__before_its_rest_is_over__never_lets_go(now: int, after: int, tripping: bool, tried: bool | None) -> None:
    endings = () if tried is None else (Ending(now, tried),)
    for trial in (None, usd(1)):
        found = step(Latch("loss", AT, Rearm(after, trial)), tripping=tripping, endings=endings, now=now)
        assert (found is Step.KEEP) is (now < AT + after)


def test_rearm__as_people_read_it__says_how_it_lets_go() -> None:
    assert str(BY_HAND) == "until a person clears it"
    assert str(BY_TIME) == "rests for 10m"
    assert str(HALF_OPEN) == "rests for 10m, then one trade of at most $500.00 decides"
