from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.text import Text

from keeper.report.page import Page, Table, columns


def test_page__long_line__goes_on_under_its_label() -> None:
    page = Page()
    page.label("guards", "one two three four five six seven eight", indent=2, width=9)
    assert page.plain(30) == "  guards   one two three four\n           five six seven\n           eight\n"


def test_page__line_of_parts__breaks_between_them() -> None:
    page = Page()
    page.add("chainlink $3,120.00 (4m) · twap30m $3,118.80", hang=2)
    assert page.plain(40) == "chainlink $3,120.00 (4m)\n  twap30m $3,118.80\n"


def test_page__word_without_a_space__sticks_out_rather_than_breaks() -> None:
    page = Page()
    page.label("hash", "0x" + "5e" * 32)
    assert ("0x" + "5e" * 32) in page.plain(40)


def test_page__markup_in_a_symbol__is_shown_and_not_obeyed() -> None:
    page = Page()
    page.add("sell 1 [red]WETH[/red] [link=https://x]")
    assert page.plain() == "sell 1 [red]WETH[/red] [link=https://x]\n"


def test_show__in_a_pipe__is_plain() -> None:
    page, out = Page(), StringIO()
    page.add(("OUT", "bold red"))
    page.show(Console(file=out, width=40))
    assert out.getvalue() == "OUT\n"


def test_show__on_a_terminal__is_coloured() -> None:
    page, out = Page(), StringIO()
    page.add(("OUT", "bold red"))
    page.show(Console(file=out, width=40, force_terminal=True, color_system="standard"))
    assert out.getvalue() == "\x1b[1;31mOUT\x1b[0m\n"


def test_blank__twice__is_one_line() -> None:
    page = Page()
    page.blank()
    page.add("a")
    page.blank()
    page.blank()
    page.add("b")
    assert page.plain() == "a\n\nb\n"


def test_columns__figures__align_at_the_decimal_point() -> None:
    lines = columns([["WETH", "412.5000"], ["USDC", "713,000.00"], ["NONE", "7"]], "l.", ("", "balance"))
    assert [line.plain for line in lines] == [
        "           balance",
        "WETH      412.5000",
        "USDC  713,000.00",
        "NONE        7",
    ]


def test_table__too_wide__leaves_out_columns_in_order() -> None:
    table = Table([["treasury", "base", Text("in band")]], "lll", ("vault", "chain", "state"), drop=(1, 0))
    assert [line.plain for line in table.fit(80)][1] == "treasury  base   in band"
    assert [line.plain for line in table.fit(18)][1] == "treasury  in band"
    assert [line.plain for line in table.fit(5)][1] == "in band"


def test_page__folded__keeps_a_figure_and_its_per_cent_sign_together() -> None:
    page = Page()
    page.add("sell it to return to 62.00 %.")
    assert page.plain(28) == "sell it to return to\n62.00 %.\n"
