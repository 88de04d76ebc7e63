"""Two looks at a vault, and what happened in between."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.core.records import Sample
from keeper.core.sending import State
from keeper.core.units import USD, Price, Token, TokenAmount
from keeper.journal.flows import Flow
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.builders import ETH, NOW, USDC, WETH, units, usd
from tests.statements import transactions
from tests.unit.journal.situations_journal import attempt, outcome, receipt, run, sample, wish

PRICES = {WETH: Price(WETH, USD, Fraction(3120)), USDC: Price(USDC, USD, Fraction(1))}


def look(journal: SqlJournal, at: int, weth: int, usdc: int, eth: int = 10**18) -> tuple[Flow, ...]:
    balances: dict[Token, TokenAmount] = {
        WETH: TokenAmount(WETH, weth),
        USDC: TokenAmount(USDC, usdc),
        ETH: TokenAmount(ETH, eth),
    }
    return journal.observe_balances("treasury", at, at // 12, balances, PRICES)


WETH_0, USDC_0, ETH_0 = units(WETH, 400).raw, units(USDC, 1000).raw, 10**18
SOLD, GOT, GAS = units(WETH, 10).raw, units(USDC, 31_175).raw, 10**15


def test_observe__first_look__is_no_flow(sql: SqlJournal) -> None:
    assert look(sql, NOW, WETH_0, USDC_0) == ()
    assert look(sql, NOW + 12, WETH_0, USDC_0) == ()


def test_observe__a_deposit__is_a_flow_with_its_value(sql: SqlJournal, reader: JournalReader) -> None:
    look(sql, NOW, WETH_0, USDC_0)
    (flow,) = look(sql, NOW + 12, WETH_0, USDC_0 + units(USDC, 500).raw)
    assert (flow.amount, flow.value, flow.at) == (units(USDC, 500), usd(500), NOW + 12)
    assert reader.flows("treasury") == [flow]
    assert reader.flows("treasury", since=NOW + 13) == []
    assert look(sql, NOW + 24, WETH_0, USDC_0 + units(USDC, 500).raw) == ()


def noted(at: int, weth: int) -> Sample:
    balances = {WETH: TokenAmount(WETH, weth), USDC: TokenAmount(USDC, USDC_0), ETH: TokenAmount(ETH, ETH_0)}
    return replace(sample(at), balances=balances)


def test_note__the_same_again__writes_nothing_until_something_changes(sql: SqlJournal, reader: JournalReader) -> None:
    begun = NOW - NOW % 3_600
    sql.note(noted(begun, WETH_0), PRICES)
    written = transactions(sql)
    sql.note(noted(begun + 12, WETH_0), PRICES)
    assert not written, "seen before"
    sql.note(noted(begun + 24, WETH_0 + 5), PRICES)
    assert [flow.amount for flow in reader.flows("treasury")] == [TokenAmount(WETH, 5)] and len(written) == 1
    sql.note(noted(begun + 3_600, WETH_0 + 5), PRICES)
    assert [each.at for each in reader.samples("treasury")] == [begun, begun + 3_600] and len(written) == 2


def test_note__while_something_is_live__is_asked_again_each_time(sql: SqlJournal, reader: JournalReader) -> None:
    sql.note(noted(NOW, WETH_0), PRICES)
    intent = sql.intend(wish(), 0)
    written = transactions(sql)
    sql.note(noted(NOW + 12, WETH_0), PRICES)
    sql.note(noted(NOW + 24, WETH_0), PRICES)
    assert len(written) == 2
    sql.advance(intent.id, State.FINAL_CANCELLED, note="never signed")
    sql.note(noted(NOW + 36, WETH_0 + 5), PRICES)
    assert [flow.at for flow in reader.flows("treasury")] == [NOW + 36]


def test_observe__our_own_trade__is_no_flow_but_a_rebase_beside_it_is(sql: SqlJournal) -> None:
    look(sql, NOW, WETH_0, USDC_0)
    run(sql, wish(), 0, 1, NOW + 12)
    (flow,) = look(sql, NOW + 24, WETH_0 - SOLD + 1, USDC_0 + GOT, ETH_0 - GAS)
    assert flow.amount == TokenAmount(WETH, 1)


def test_observe__while_something_is_live__waits_and_then_explains_it(sql: SqlJournal) -> None:
    look(sql, NOW, WETH_0, USDC_0)
    intent = sql.intend(wish(), 0)
    sql.attempt(intent.id, attempt(1))
    sql.advance(intent.id, State.MAYBE_SENT)
    sql.advance(intent.id, State.MINED, receipt(1))
    assert look(sql, NOW + 24, WETH_0 - SOLD, USDC_0 + GOT, ETH_0 - GAS) == ()
    sql.advance(intent.id, State.CONFIRMED)
    assert look(sql, NOW + 36, WETH_0 - SOLD, USDC_0 + GOT, ETH_0 - GAS) == ()  # its outcome is not known yet
    sql.finish(outcome(intent.id))
    assert look(sql, NOW + 48, WETH_0 - SOLD, USDC_0 + GOT, ETH_0 - GAS) == ()
    assert len(look(sql, NOW + 60, WETH_0, USDC_0 + GOT, ETH_0 - GAS)) == 1


def test_observe__first_look_while_live__does_not_count(sql: SqlJournal) -> None:
    intent = sql.intend(wish(), 0)
    look(sql, NOW, WETH_0, USDC_0)
    sql.advance(intent.id, State.FINAL_CANCELLED)
    assert look(sql, NOW + 12, 1, 1) == ()


def test_observe__an_older_block__changes_nothing(sql: SqlJournal) -> None:
    look(sql, NOW, WETH_0, USDC_0)
    assert look(sql, NOW - 12, 0, 0) == ()
    assert look(sql, NOW + 12, WETH_0, USDC_0) == ()


def test_observe__trade_of_the_look_before__is_not_explained_twice(sql: SqlJournal) -> None:
    run(sql, wish(), 0, 1, NOW - 12)
    look(sql, NOW, WETH_0, USDC_0)
    (flow,) = look(sql, NOW + 12, WETH_0 - SOLD, USDC_0)
    assert flow.amount == -units(WETH, 10)
