from keeper.report.replay import SHOWN, render_replay, told
from tests.unit.report import situations as given

TRADING, HOLDING, DENIED = given.trading().decision, given.holding().decision, given.denied().decision
AT = 1_700_000_000


def test_replay__all_the_same__is_one_line() -> None:
    assert render_replay(38, [], is_other=False).plain() == "38 decisions repeated: 38 the same\n"


def test_replay__another_configuration__says_what_it_would_have_done() -> None:
    text = render_replay(2, [(7, "treasury", AT, HOLDING, TRADING)], is_other=True).plain()
    assert "2 decisions repeated: 1 the same, 1 otherwise" in text
    assert "7  treasury  2023-11-14T22:13:20Z  nothing (in_band)  →  sell 15.0696 WETH" in text
    assert "not the one of then" not in text


def test_replay__the_same_configuration_differs__says_that_the_keeper_does() -> None:
    rows = [(number, "treasury", AT, HOLDING, TRADING) for number in range(SHOWN + 2)]
    text = render_replay(60, rows, is_other=False).plain()
    assert "and 2 more" in text
    assert "this keeper is not the one of then" in text


def test_told__the_same_intention__names_the_parts_that_differ() -> None:
    assert told(TRADING, {**TRADING, "gas": None, "cost": None}) == "the same, with other cost, gas"
    assert told(TRADING, DENIED).startswith("nothing, as ")
