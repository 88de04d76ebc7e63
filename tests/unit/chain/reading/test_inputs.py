import zlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.reading.inputs import Inputs, pack, pack_inputs, unpack
from keeper.chain.reading.views import build_view
from keeper.core.chain import History, Observed, PastCall, PastTrade, Read, Snapshot, Unusable
from keeper.core.pegs import Episode, Mean, Renewal, Trace
from keeper.core.slices import Parent, Slice
from keeper.core.units import Wei
from tests.builders import USDC, WETH, address, make_block, usd
from tests.unit.chain.worlds import PairedVenue, answers, spec

PARENT = Parent(4, WETH.address, USDC.address, usd("84.5"), Fraction(3120), 12, 1440, Fraction(1, 7))
SLICE = Slice(PARENT, 2, 12, usd("7.5"))
HISTORY = History(
    trades=(
        PastTrade(5, usd("100.5"), usd("0.2")),
        PastTrade(6, usd(7), usd(0), SLICE),
        PastTrade(7, usd(7), usd(0), sold=WETH.address),
        PastTrade(8, usd(7), usd(0), SLICE, sold=WETH.address),
    ),
    trace=Trace("00ff", 5, 1, {address(1): Mean(10**18, 5, 3)}, Episode(-1, 4, 1), {1: Renewal("01", 2)}, 3, 7),
    calls=(PastCall(7, 10**15), PastCall(9, 1)),
    paused="by hand: “maintenance”",
    cycles_in_streak=3,
    seed=2**80,
    gas=((5, usd("0.2")),),
)
VENUES = {"paired": PairedVenue()}


@pytest.mark.parametrize(("tip", "base_fee"), [(Wei(3), 10**9), (None, None), (Wei(0), 0)])
def test_view__from_unpacked_inputs__equals_the_original(tip: Wei | None, base_fee: int | None) -> None:
    block = make_block(base_fee=base_fee)
    view = build_view(spec(), block, answers(), HISTORY, tip, VENUES)
    inputs = unpack(pack(Snapshot(block, {}, {}), Observed(view, answers())))
    assert build_view(spec(), inputs.block, inputs.answers, inputs.history, inputs.tip, VENUES) == view
    assert inputs == Inputs(block, answers(), HISTORY, tip)


def test_pack__of_an_unusable_view__keeps_block_and_answers() -> None:
    block = make_block()
    inputs = unpack(pack(Snapshot(block, {}, {}), Observed(Unusable("no balance"), answers())))
    assert inputs == Inputs(block, answers(), History(), None)


def test_pack__in_another_order__is_the_same_bytes() -> None:
    turned = dict(reversed(answers().items()))
    assert pack_inputs(Inputs(make_block(), turned, HISTORY, None)) == pack_inputs(
        Inputs(make_block(), answers(), HISTORY, None)
    )


@given(
    st.dictionaries(
        st.builds(Read, st.integers(0, 2**160 - 1).map(address), st.binary(max_size=80)),
        st.one_of(st.none(), st.binary(max_size=200)),
        max_size=20,
    )
)
def test_unpack__of_any_answers__gives_them_back(found: dict[Read, bytes | None]) -> None:
    inputs = Inputs(make_block(), found, History(), None)
    assert unpack(pack_inputs(inputs)) == inputs


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"rubbish", "damaged"),
        (zlib.compress(b"\x02"), "expected version 1, was 02"),
        (zlib.compress(b""), "expected version 1, was none"),
        (zlib.compress(zlib.decompress(pack_inputs(Inputs(make_block(), answers(), HISTORY, None)))[:-1]), "cut short"),
    ],
)
def test_unpack__of_damaged_bytes__is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        unpack(data)
