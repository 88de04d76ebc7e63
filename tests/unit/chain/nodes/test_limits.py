import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.nodes.limits import LONGEST_WISH, TokenBucket, retry_after

WALL = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.fault("R5")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("99999999999999999999", LONGEST_WISH),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 22:13:50 -0000", 30.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("Tue, 14 Nov 2073 22:13:50 GMT", LONGEST_WISH),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
    ],
)
def test_retry_after__as_providers_write_it__is_seconds_or_nothing(text: str, seconds: float | None) -> None:
    assert retry_after(text, WALL) == seconds


def test_bucket__spent__fills_again_evenly() -> None:
    bucket = TokenBucket(20, 10.0, 0.0)
    assert bucket.wait(20, 0.0) == 0
    bucket.take(20, 0.0)
    assert bucket.wait(1, 0.0) == pytest.approx(0.5)
    assert bucket.wait(4, 1.0) == pytest.approx(1.0)
    assert bucket.wait(20, 100.0) == 0


def test_bucket__batch_larger_than_itself__goes_when_full_and_is_paid_for_afterwards() -> None:
    bucket = TokenBucket(20, 1.0, 0.0)
    assert bucket.wait(100, 0.0) == 0
    bucket.take(100, 0.0)
    assert bucket.wait(1, 0.0) == pytest.approx(81 / 20)


@given(st.integers(1, 50), st.lists(st.tuples(st.integers(1, 60), st.floats(0, 5)), max_size=40))
def test_bucket__whoever_waits_as_told__never_exceeds_count_plus_refill(
    count: int, calls: list[tuple[int, float]]
) -> None:
    bucket, now, sent = TokenBucket(count, 1.0, 0.0), 0.0, 0
    for wanted, pause in calls:
        now += pause
        now += bucket.wait(wanted, now)
        assert sent <= count * (1 + now) + 1e-6
        bucket.take(wanted, now)
        sent += wanted
