"""The whole keeper as its users run it: a process, a node with the real Uniswap on it, and a market that moves.

One keeper rides through a market once (`ride`); each test looks at one thing it did. `test_daemon_custody` rides the
same way with every other kind of custody.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.app.replaying import Repeated, replay
from keeper.config import load
from keeper.core.calls import Purpose
from keeper.core.pools import Router
from keeper.core.sending import State
from keeper.core.units import Address, Token
from keeper.guards.swaps import Swap, decode_swaps
from keeper.journal.past import Entry
from tests.chain.daemon_custody import swaps_inside
from tests.chain.daemon_market import TARGETS, TRIGGER, Market
from tests.chain.daemon_ride import MOVES, SMALL_MOVES, STEADY_TICKS, Ride, ride_with


@pytest.fixture(scope="module", params=["wallet"])
def ride(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ride]:
    yield from ride_with(request.param, tmp_path_factory.mktemp("ride"), MOVES)


def _purposes(ride: Ride, purpose: Purpose) -> list[Entry]:
    return [entry for entries in ride.entries.values() for entry in entries if entry.intent.call.purpose is purpose]


def test_replay__every_stored_input_of_the_ride__decides_the_same_bytes(ride: Ride) -> None:
    found = _replayed(ride, ride.setting.config)
    assert len(found) >= 2 * len(ride.moves)
    assert [(each.row.number, each.at) for each in found if not each.is_same] == []


def test_replay__one_vault_with_a_wider_band__exactly_its_trades_inside_that_band_go(ride: Ride) -> None:
    text = ride.setting.config.read_text("utf-8")
    before, after = text.split("  new:\n    chain")
    other = ride.setting.folder / "wider.yaml"
    other.write_text(before + "  new:\n    chain" + after.replace("trigger: 1pp", "trigger: 3pp"), "utf-8")
    found = _replayed(ride, other)
    inside = [each for each in found if each.row.vault == "new" and _wants_to_trade_within(each.recorded, 300)]
    assert inside
    assert [each for each in found if not each.is_same] == inside
    assert {each.again["plan"]["code"] for each in inside} == {"in_band"}


def _replayed(ride: Ride, config: Path) -> list[Repeated]:
    loaded = load(config, ride.setting.env)
    with ride.setting.journal() as reader:
        return list(replay(loaded, reader, reader.cycles(limit=None)[::-1]))


def _wants_to_trade_within(record: Mapping[str, Any], band: int) -> bool:
    drifts = [abs(Fraction(asset["drift_bps"])) for asset in record["assets"]]
    return record["plan"]["kind"] == "rebalance" and max(drifts) <= band


def test_run__after_each_move_of_the_market__every_weight_is_back_inside_its_band(ride: Ride) -> None:
    assert len(MOVES) >= 10
    assert [step for step in ride.steps if max(abs(drift) for drift in step.drifts.values()) > TRIGGER] == []
    moved = {step.move for step in ride.steps if step.transactions}
    assert moved == set(range(len(ride.moves))), "every move took some vault out of its band"


def test_run__back_to_the_band__takes_at_most_two_cycles_a_transaction(ride: Ride) -> None:
    assert [step for step in ride.steps if step.cycles > 2 * step.transactions] == []


def test_run__at_its_end__balances_on_chain_equal_the_journal(ride: Ride) -> None:
    for vault, entries in ride.entries.items():
        expected = dict(ride.before[vault])
        native = next(token for token in expected if token.is_native)
        wrapped = ride.setting.market.tokens["WETH"]
        for entry in entries:
            assert entry.intent.mined is not None
            expected[native] -= entry.intent.mined.gas_cost if ride.holds_itself else 0
            if entry.intent.call.purpose is Purpose.WRAP:
                expected[native] -= entry.intent.call.value
                expected[wrapped] += entry.intent.call.value
            if entry.outcome is not None and entry.outcome.fill is not None:
                for token, change in entry.outcome.fill.changes.items():
                    expected[token] += change
        assert ride.after[vault] == expected
        assert ride.flows[vault] == [], "nothing came or went that was not ours"


def test_run__each_transaction__is_final_and_succeeded_and_the_nonces_have_no_gap(ride: Ride) -> None:
    for vault, entries in ride.entries.items():
        assert {entry.intent.state for entry in entries} == {State.FINAL_OK}
        assert [entry.intent.nonce for entry in entries] == list(range(ride.setting.market.nonces()[vault]))


def test_run__each_fill__is_at_least_its_signed_min_out(ride: Ride) -> None:
    swaps = _purposes(ride, Purpose.SWAP)
    assert len(swaps) >= len(ride.moves)
    for entry in swaps:
        assert entry.outcome is not None
        assert entry.outcome.fill is not None
        least: Counter[str] = Counter()
        for _, signed in _signed(ride.setting.market, entry):
            assert signed.min_out > 0
            least[signed.tokens[0]] -= signed.sell
            least[signed.tokens[-1]] += signed.min_out
        changes = {token.address: raw for token, raw in entry.outcome.fill.changes.items()}
        assert changes.keys() == least.keys()
        for token, raw in changes.items():
            assert raw >= least[token]
            assert raw == least[token] or raw > 0, "what is sold is sold exactly"


def test_run__each_fill__is_its_quote_to_the_wei(ride: Ride) -> None:
    """Nobody else trades between a look and its fill."""
    for entry in _purposes(ride, Purpose.SWAP):
        assert entry.outcome is not None
        assert entry.outcome.fill is not None
        predicted: Counter[Token] = Counter()
        for swap in entry.expect.swaps:
            predicted[swap.sell.token] -= swap.sell.raw
            predicted[swap.quote.token] += swap.quote.raw
        assert entry.outcome.fill.changes == {token: raw for token, raw in predicted.items() if raw}
        assert len(entry.expect.swaps) == len(_signed(ride.setting.market, entry))


def test_run__its_swaps__went_through_every_kind_of_router(ride: Ride) -> None:
    kinds = {kind for entry in _purposes(ride, Purpose.SWAP) for kind, _ in _signed(ride.setting.market, entry)}
    assert kinds == {"swap_router", "v2_router", "swap_router02", "balancer_vault"}


def test_run__where_a_split_pays__one_transaction_carries_all_that_its_custody_can(ride: Ride) -> None:
    """A wallet's legs of one router are one call of it; custody that is atomic carries legs of several."""
    market = ride.setting.market
    signed = [[kind for kind, _ in _signed(market, entry)] for entry in _purposes(ride, Purpose.SWAP)]
    assert max(Counter(kinds)["swap_router02"] for kinds in signed) > 1, "one multicall of several swaps"
    of_several = [kinds for kinds in signed if len(set(kinds)) > 1]
    assert bool(of_several) != ride.holds_itself
    if not ride.holds_itself:
        assert {"swap_router02", "balancer_vault"} in [set(kinds) for kinds in of_several]


def _signed(market: Market, entry: Entry) -> list[tuple[str, Swap]]:
    """Kind of router and swap of each, out of the bytes that were mined."""
    assert entry.intent.mined is not None
    (raw,) = (attempt.raw for attempt in entry.intent.attempts if attempt.hash == entry.intent.mined.hash)
    assert "0x" + keccak(raw).hex() == entry.intent.mined.hash
    # EIP-1559: type, then chain id, nonce, tip, cap, gas limit, to, value, data, …
    fields = rlp.decode(raw[1:])
    target = Address(to_checksum_address(fields[5]))
    found = []
    for to, data in swaps_inside(market, entry.intent.vault, target, fields[7]):
        swaps = decode_swaps(Router(market.routers[to], Address(to)), data)
        assert not isinstance(swaps, str), swaps
        for swap in swaps:
            assert swap.recipient == market.holders[entry.intent.vault].account
            found.append((market.routers[to], swap))
    return found


def test_run__where_ether_is_short_of_its_wrapped_form__wraps_what_it_sells(ride: Ride) -> None:
    expected = ["new"] if ride.holds_itself else []
    assert [entry.intent.vault for entry in _purposes(ride, Purpose.WRAP)][:1] == expected


def test_run__at_its_end__leaves_no_allowance(ride: Ride) -> None:
    assert bool(_purposes(ride, Purpose.APPROVE)) == ride.holds_itself, "what acts at once approves on its way"
    assert ride.allowances == {}


def test_run__while_nothing_changes__asks_once_a_tick(ride: Ride) -> None:
    assert len(ride.steady) >= STEADY_TICKS
    assert set(ride.steady) == {1}


def test_run__while_prices_and_ticks_move_inside_the_bands__asks_at_most_once_more(ride: Ride) -> None:
    assert len(ride.moving) >= len(SMALL_MOVES)
    assert set(ride.moving) == {1, 2}, "a tick that nobody knew is read by a follow-up, and then known"
    assert ride.sent_inside == 0


def test_run__on_sigterm__ends_with_0_in_under_five_seconds(ride: Ride) -> None:
    assert ride.exit_code == 0
    assert ride.seconds_to_end < 5


def test_run__started_again_on_its_journal__trades_nothing_more(ride: Ride) -> None:
    assert ride.sent_again == 0


@pytest.mark.fault("P15")
def test_run__a_second_one_on_the_same_journal__exits_4_and_names_the_first(ride: Ride) -> None:
    second = ride.answers["second"]
    assert second.code == 4
    assert len(second.complaints) == 1
    assert str(ride.setting.started[0].pid) in second.complaints[0]


@pytest.mark.fault("S1")
def test_run__whatever_is_asked_of_it__neither_key_nor_rpc_token_comes_out(ride: Ride) -> None:
    found = {name: json.loads(done.out) for name, done in ride.answers.items() if name != "second"}
    assert {row["vault"] for row in found["plan"]} == set(TARGETS)
    assert all(found.values())
    assert (ride.setting.folder / "keeper.db").stat().st_size > 0
    assert ride.setting.leaks() == []
