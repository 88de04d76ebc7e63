"""A trace goes into JSON and comes back the same, and a line says how far a price is from its peg."""

from __future__ import annotations

import json
from fractions import Fraction

from keeper.core.pegs import BUY, SELL, Episode, Mean, PegLine, Renewal, Trace, trace_in, trace_out
from tests.builders import USDC, address, token

TRACE = Trace(
    settings="00ff",
    at=1_790_000_000,
    block=1_000,
    means={address(2): Mean(999_500_000_000_000_000, 1_790_000_000, 31), address(1): Mean(10**18, 1_789_999_000, 2)},
    episode=Episode(BUY, 1_789_999_988, 999),
    renewals={SELL: Renewal("1101", 5), BUY: Renewal("", 1_789_000_000)},
    observed_at=1_789_999_000,
    rate=1_100_000_000_000_000_000,
)


def test_trace__through_json__comes_back_the_same() -> None:
    assert trace_in(json.loads(json.dumps(trace_out(TRACE)))) == TRACE
    assert trace_in(trace_out(Trace("", 0, -1))) == Trace("", 0, -1)


def test_trace__equal_ones__are_equal_text_whatever_their_order() -> None:
    turned = Trace(
        **{**{f: getattr(TRACE, f) for f in TRACE.__dataclass_fields__}, "means": dict(reversed(TRACE.means.items()))}
    )
    assert json.dumps(trace_out(turned)) == json.dumps(trace_out(TRACE))


def test_line__deviation__is_signed_bps_of_the_peg() -> None:
    line = PegLine(token("DUSD"), USDC, "USD", Fraction(2), 15, 5, 100, worst=Fraction(1_997, 1_000))
    assert (line.deviation(Fraction(2_002, 1_000)), line.away) == (10, -15)
    assert PegLine(token("DUSD"), USDC, "USD", Fraction(2), 15, 5, 100).away == 0
