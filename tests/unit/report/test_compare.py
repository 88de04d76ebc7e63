from keeper.report.compare import intention, render_compared
from tests.unit.report import situations as given

TRADING, HOLDING, DENIED = given.trading().decision, given.holding().decision, given.denied().decision


def said(old: object, new: object, changed: tuple[tuple[str, str, str], ...] = ()) -> str:
    records = [{"treasury": record} if record else {} for record in (old, new)]
    return render_compared(changed, *records).plain()  # type: ignore[arg-type]


def test_compared__an_edit_that_trades__says_what_and_what_is_done_today() -> None:
    text = said(HOLDING, TRADING, (("vaults.treasury.strategy.trigger", "5pp", "4pp"),))
    assert "vaults.treasury.strategy.trigger  5pp  →  4pp" in text
    assert "would now: sell 15.0696 WETH ($47,017.15) for USDC" in text
    assert "today: nothing (in_band)" in text


def test_compared__the_same_on_both_sides__says_so() -> None:
    text = said(TRADING, TRADING)
    assert "Both configurations say the same." in text
    assert "for USDC, as today" in text


def test_intention__refused_or_not_kept__is_told_as_such() -> None:
    assert intention(DENIED).startswith("nothing, as ")
    assert "refuses to sell" in intention(DENIED)
    assert intention(None) == "not kept at all"
    assert intention(given.tidying().decision) == "approve 0 WETH to SwapRouter02"


def test_compared__more_changes_than_fit__counts_the_rest() -> None:
    many = tuple((f"place{number}", "a", "b") for number in range(45))
    text = said(HOLDING, HOLDING, many)
    assert "and 5 more" in text
    assert "place39" in text
    assert "place40" not in text
