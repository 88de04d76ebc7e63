from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import pytest

from keeper.core.sending import Fill, State
from keeper.core.units import TokenAmount
from keeper.report.facts import Transaction
from keeper.report.history import COLUMNS, history_csv, history_rows, result_of, safe_cell
from tests.unit.report import situations as given


def rows(*transactions: Transaction) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(history_csv(transactions))))


def test_csv__fill__is_exact_in_every_cell() -> None:
    (row,) = rows(given.filled())
    assert tuple(row) == COLUMNS
    assert row["time_utc"] == "2026-11-20T03:12:17Z"
    assert (row["sold"], row["sold_token"], row["received"], row["received_token"]) == (
        "15.0696",
        "WETH",
        "46990.11",
        "USDC",
    )
    assert (row["quote"], row["min_out"], row["value_usd"]) == ("46989.46", "46848.49162", "47017.152")
    assert (row["gas_native"], row["gas_usd"], row["others_usd"]) == ("0.000005018508", "0.01565775", "-0.65")


def test_csv__several_legs__net_amounts_side_by_side() -> None:
    (row,) = rows(given.several())
    assert (row["sold"], row["sold_token"]) == ("10; 500", "WETH; DAI")
    assert (row["received"], row["received_token"]) == ("31600; 0.25", "USDC; WBTC")
    assert (row["quote"], row["min_out"], row["value_usd"]) == ("31590; 0.25", "31490; 0.248", "61700")


def test_csv__revert__has_gas_and_no_fill() -> None:
    (row,) = rows(given.reverted())
    assert (row["result"], row["sold"], row["value_usd"], row["gas_usd"]) == ("reverted", "", "", "0.01565775")


@pytest.mark.parametrize(
    ("state", "result"),
    [(State.SENT, "live"), (State.FINAL_CANCELLED, "cancelled"), (State.EXTERNAL, "external"), (State.CONFIRMED, "ok")],
)
def test_result__state__is_one_word(state: State, result: str) -> None:
    assert result_of(given.transaction(state)) == result


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=cmd|'/C calc'!A0", "'=cmd|'/C calc'!A0"),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\\t=1"),
        ("\r\n=1", "\\r\\n=1"),
        ("-0.65", "-0.65"),
        ("WETH", "WETH"),
        ("", ""),
    ],
)
@pytest.mark.fault("S18")
def test_cell__that_could_be_a_formula__is_text(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


@pytest.mark.fault("S18")
def test_csv__hostile_symbol__starts_no_formula() -> None:
    token = replace(given.USDC, symbol='=HYPERLINK("x")')
    outcome = given.filled().outcome
    assert outcome
    fill = Fill((given.weth("1"),), (TokenAmount(token, 1),))
    transaction = given.transaction(State.FINAL_OK, replace(outcome, fill=fill), given.mined())
    assert rows(transaction)[0]["received_token"].startswith("'=")


def test_rows__for_json__are_plain_numbers_as_text() -> None:
    assert history_rows([given.filled()])[0]["others_usd"] == "-0.65"
