import pytest

from keeper.chain.nodes.health import CHECK, FIRST_TERM, FORKS, MOST_WAIT, SHORT_REST, Provider
from keeper.chain.nodes.limits import TokenBucket
from keeper.chain.nodes.transport import TransportFault
from tests.unit.chain.wires import CHAIN_ID, FakeWire, Hands, fails

CALL = ("eth_call", [{}, "latest"])


class Setting:
    def __init__(self, *, chain_id: int | None = None, rate: tuple[int, float] | None = None) -> None:
        self.hands, self.wire, self.told = Hands(), FakeWire("a"), list[str]()
        bucket = TokenBucket(*rate, 0.0) if rate else None
        tell = lambda key, text, is_good: self.told.append(f"{key}: {text}")  # noqa: E731
        self.provider = Provider("a", self.wire, self.hands.timer(), tell, chain_id=chain_id, bucket=bucket)

    def why_not(self) -> str:
        return self.provider.why_not(self.hands.seconds)


# --- standing --------------------------------------------------------------------------------------------------------


def test_provider__new__may_be_asked_and_believed() -> None:
    setting = Setting()
    assert setting.why_not() == ""
    assert not setting.provider.is_quarantined


@pytest.mark.fault("R34")
def test_quarantine__each_further_one__is_four_times_as_long_and_told_once() -> None:
    setting = Setting()
    for term in (FIRST_TERM, 4 * FIRST_TERM, 16 * FIRST_TERM, 36 * FIRST_TERM, 36 * FIRST_TERM):
        setting.provider.quarantine("it lied")
        assert setting.why_not() == f"a: in quarantine: it lied (for another {term:.0f} s)"
        setting.hands.seconds += term
        assert setting.why_not() == ""
        assert setting.provider.is_quarantined
    assert setting.told[0] == "provider:a: a is not believed for 600 s: it lied"
    assert len(setting.told) == 5


def test_quarantine__the_same_as_the_others_again__is_over_and_told() -> None:
    setting = Setting()
    setting.provider.quarantine("it lied")
    setting.provider.agreed()
    assert not setting.provider.is_quarantined
    assert setting.told[1] == "provider:a: a says the same as the others again, and is believed"
    setting.provider.agreed()
    assert len(setting.told) == 2


@pytest.mark.fault("R20")
def test_forked__once__rests_and_time_after_time__is_a_lie() -> None:
    setting = Setting()
    for _ in range(FORKS - 1):
        setting.provider.forked("another block")
        assert setting.why_not().startswith("a: another block")
        setting.hands.seconds += SHORT_REST
        assert setting.why_not() == ""
    assert not setting.provider.is_quarantined
    setting.provider.forked("another block")
    assert setting.provider.is_quarantined


# --- asking ----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("R7")
def test_read__server_in_passing_trouble__is_tried_a_few_times_with_pauses() -> None:
    setting = Setting()
    setting.wire.fault = fails("busy", 503)
    with pytest.raises(TransportFault, match="busy"):
        setting.provider.read([CALL], tries=3)
    assert len(setting.wire.asked) == 3
    assert setting.hands.slept == [pytest.approx(0.1), pytest.approx(0.2)]
    assert setting.why_not() == "busy (asked again in 1 s)"


@pytest.mark.parametrize("status", [None, 200, 400, 401, 402, 403, 404, 429])
def test_read__what_does_not_pass__is_not_tried_again(status: int | None) -> None:
    setting = Setting()
    setting.wire.fault = fails("no", status)
    with pytest.raises(TransportFault):
        setting.provider.read([CALL], tries=3)
    assert (len(setting.wire.asked), setting.hands.slept) == (1, [])


@pytest.mark.fault("R8")
def test_read__refused__pages_once_and_is_left_alone() -> None:
    setting = Setting()
    setting.wire.fault = fails("HTTP 403", 403)
    with pytest.raises(TransportFault):
        setting.provider.read([CALL])
    assert setting.told == ["provider:a: HTTP 403: it refuses us; it is asked again in 600 s"]
    assert setting.why_not() == "HTTP 403 (asked again in 600 s)"
    setting.wire.fault = None
    setting.provider.read([CALL])
    assert setting.told[1:] == ["provider:a: a answers again"]


@pytest.mark.fault("R2")
@pytest.mark.fault("R7")
@pytest.mark.parametrize("status", [None, 429, 500, 503])
def test_send__whatever_fails__is_never_tried_again(status: int | None) -> None:
    setting = Setting(rate=(1, 60.0))
    setting.wire.fault = fails("lost", status)
    with pytest.raises(TransportFault):
        setting.provider.send(("eth_sendRawTransaction", ["0x02"]))
    assert (len(setting.wire.asked), setting.hands.slept) == (1, [])


# --- rate ------------------------------------------------------------------------------------------------------------


@pytest.mark.fault("R5")
def test_read__faster_than_its_rate__waits_for_its_turn_but_not_for_long() -> None:
    setting = Setting(rate=(2, 1.0))
    for _ in range(4):
        setting.provider.read([CALL, CALL])
    assert setting.hands.seconds == pytest.approx(3.0)
    slow = Setting(rate=(1, 60.0))
    slow.provider.read([CALL])
    with pytest.raises(TransportFault, match="its rate allows the next 1 calls in 60 s"):
        slow.provider.read([CALL])
    assert (len(slow.wire.asked), slow.hands.seconds) == (1, 0)
    assert MOST_WAIT < 60


def test_send__faster_than_its_rate__goes_at_once_and_is_paid_for_by_reads() -> None:
    setting = Setting(rate=(2, 2.0))
    for _ in range(3):
        setting.provider.send(("eth_sendRawTransaction", ["0x02"]))
    assert setting.hands.slept == []
    setting.provider.read([CALL])
    assert setting.hands.slept == [pytest.approx(2.0)]


# --- the chain id ----------------------------------------------------------------------------------------------------


@pytest.mark.fault("R15")
def test_read__once_a_minute__asks_for_the_chain_id_in_the_same_request() -> None:
    setting = Setting(chain_id=CHAIN_ID)
    for _ in range(3):
        assert len(setting.provider.read([CALL])) == 1
        setting.hands.seconds += CHECK / 2
    assert [len(asked) for asked in setting.wire.asked] == [1, 1, 2]
    setting.hands.seconds += CHECK
    assert len(setting.provider.read([CALL], single=True)) == 1
    assert setting.wire.asked[-1] == [CALL, ("eth_chainId", [])]


@pytest.mark.fault("R15")
@pytest.mark.parametrize(("said", "told"), [("0x2105", "8453"), ([], "no figure"), ("main", "no figure")])
def test_read__of_another_chain_at_run_time__is_refused_until_it_is_right_again(said: object, told: str) -> None:
    setting = Setting(chain_id=CHAIN_ID)
    setting.hands.seconds += CHECK
    setting.wire.spoil = lambda method, params, found: said if method == "eth_chainId" else found
    with pytest.raises(TransportFault, match=f"a: chain id: expected 1, was {told}"):
        setting.provider.read([CALL])
    assert setting.provider.is_quarantined
    setting.hands.seconds += FIRST_TERM
    with pytest.raises(TransportFault):
        setting.provider.read([CALL])
    setting.wire.spoil = None
    assert len(setting.provider.read([CALL])) == 1


def test_read__chain_id_not_told__is_asked_for_with_the_next() -> None:
    setting = Setting(chain_id=CHAIN_ID)
    setting.hands.seconds += CHECK
    setting.wire.spoil = lambda method, params, found: None if method == "eth_chainId" else found
    for _ in range(2):
        assert len(setting.provider.read([CALL])) == 1
    assert [len(asked) for asked in setting.wire.asked] == [2, 2]
