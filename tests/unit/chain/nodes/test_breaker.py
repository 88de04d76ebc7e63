import pytest

from keeper.chain.nodes.breaker import DEAD, LONG_REST, LONGEST_LIMITED, LONGEST_REST, STRIKES, Breaker
from keeper.chain.nodes.transport import TransportFault


def fault(status: int | None = None, retry_after: str = "") -> TransportFault:
    return TransportFault(f"http://a: HTTP {status}", status=status, retry_after=retry_after)


def rests(breaker: Breaker, now: float, *faults: TransportFault) -> float:
    for each in faults:
        breaker.failed(each, now, 0.0, 1.0)
    return max(0.0, breaker.rests_until - now)


@pytest.mark.fault("R1")
@pytest.mark.fault("R7")
@pytest.mark.parametrize("status", [None, 200, 500, 502, 503, 504, 520, 525])
def test_breaker__passing_trouble__rests_from_the_third_in_a_row_and_doubles(status: int | None) -> None:
    breaker, now, found = Breaker(), 100.0, []
    for _ in range(10):
        found.append(rests(breaker, now, fault(status)))
        now += 1_000
    assert found[: STRIKES + 3] == [0, 0, 1, 2, 4, 8]
    assert found[-1] == LONGEST_REST


def test_breaker__an_answer_in_between__starts_counting_again() -> None:
    breaker = Breaker()
    rests(breaker, 0, fault(), fault())
    breaker.answered()
    assert rests(breaker, 0, fault(), fault()) == 0
    assert not breaker.is_open(0)


def test_breaker__half_a_share__rests_half_as_long() -> None:
    breaker = Breaker()
    for _ in range(STRIKES + 1):
        breaker.failed(fault(503), 0.0, 0.0, 0.5)
    assert breaker.rests_until == 1.0


@pytest.mark.fault("R8")
@pytest.mark.parametrize("status", sorted(DEAD))
def test_breaker__refused__is_dead_at_once_and_told(status: int) -> None:
    breaker = Breaker()
    text = breaker.failed(fault(status), 0.0, 0.0, 1.0)
    assert text == f"http://a: HTTP {status}: it refuses us; it is asked again in 600 s"
    assert breaker.is_open(LONG_REST - 1)
    assert not breaker.is_open(LONG_REST)


@pytest.mark.fault("R6")
def test_breaker__quota_used_up__rests_until_it_may_be_reset_and_is_told() -> None:
    breaker = Breaker()
    assert "the quota is used up" in breaker.failed(fault(402, "3000"), 0.0, 0.0, 1.0)
    assert (breaker.is_open(2_999), breaker.is_open(3_000)) == (True, False)
    assert rests(Breaker(), 0, fault(402, "1")) == LONG_REST


@pytest.mark.fault("R5")
def test_breaker__rate_limited__rests_as_long_as_it_is_asked_to() -> None:
    assert rests(Breaker(), 0, fault(429, "17")) == 17
    assert rests(Breaker(), 0, fault(429, "0")) == 0
    assert rests(Breaker(), 0, fault(503, "9")) == 9


@pytest.mark.fault("R5")
def test_breaker__rate_limited_without_a_word__doubles_up_to_a_minute() -> None:
    breaker = Breaker()
    assert [rests(breaker, 0, fault(429)) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, LONGEST_LIMITED]
