"""Three pictures of a back-test: weights with trades, drift with its band, cost by part. PNG, or one page of HTML.

The page holds its pictures as SVG: it has no script, and asks nobody for anything.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from importlib.util import find_spec
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keeper.core.backtests import Backtest
from keeper.core.errors import ConfigError
from keeper.core.units import WHOLE_BPS
from keeper.report import backtest as words
from keeper.report import format as form

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 10, 11
"""{inches} Of all three together."""
COLOURS = ("#4269d0", "#efb118", "#3ca951", "#ff725c", "#a463f2", "#6cc5b0", "#97bbf5", "#9c6b4e")
PARTS = {"fee": "#4269d0", "basis": "#97bbf5", "impact": "#efb118", "gas": "#9c6b4e"}
_GREY = "#888888"


def need_plots(option: str) -> None:
    """Raises ConfigError where matplotlib is missing, before any work is done."""
    if find_spec("matplotlib") is None:
        raise ConfigError("command", option, "matplotlib (.venv/bin/pip install 'keeper[plots]')", "none")


def png(found: Backtest) -> bytes:
    out = BytesIO()
    _draw(found).savefig(out, format="png", dpi=100, metadata={"Software": "keeper"})
    return out.getvalue()


def html(found: Backtest) -> str:
    """One self-contained page: the table and the pictures."""
    rows = "\n".join(
        f"<tr><th>{escape(ride.policy)}<small>{escape(ride.said)}</small></th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in words.figures(ride))
        + "</tr>"
        for ride in found.rides
    )
    heads = ("policy", "trades", "turnover", "fee", "basis", "impact", "gas", "cost", "error", "total", "outside")
    weights = ", ".join(
        f"{t.symbol} {form.short_percent(target)}" for t, target in zip(found.tokens, found.targets, strict=True)
    )
    years = form.rounded(found.own.years, 2)
    return _PAGE.format(
        title=escape(f"Back-test of {found.vault}"),
        said=escape(f"{weights}. {years} years from {form.clock(found.start)} UTC: {found.source}; {found.market}."),
        head="".join(f"<th>{name}</th>" for name in heads),
        rows=rows,
        svg=_svg(found),
    )


def save(found: Backtest, path: Path, option: str) -> None:
    """Raises ConfigError where the file cannot be written."""
    try:
        if option == "--html":
            path.write_text(html(found), encoding="utf-8")
        else:
            path.write_bytes(png(found))
    except OSError as error:
        raise ConfigError("command", option, "a file that can be written", f"{path}: {error.strerror}") from None


def _svg(found: Backtest) -> str:
    import matplotlib

    out = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "keeper", "svg.fonttype": "none"}):
        _draw(found).savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    return text[text.index("<svg") :]  # without the DTD's address


# --- drawing ---------------------------------------------------------------------------------------------------------


def _draw(found: Backtest) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, height_ratios=(3, 2, 2))
    _weights(top, found)
    _drift(middle, found)
    _costs(bottom, found)
    for axes in (top, middle, bottom):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _weights(axes: Any, found: Backtest) -> None:
    points = found.own.points
    times = [_time(point.at) for point in points]
    for place, (token, target) in enumerate(zip(found.tokens, found.targets, strict=True)):
        colour = COLOURS[place % len(COLOURS)]
        line = [100 * point.weights[place] for point in points]
        axes.plot(times, line, color=colour, linewidth=0.9, label=token.symbol)
        axes.axhline(target / 100, color=colour, linewidth=0.6, linestyle=":")
        sold = [fill.at for fill in found.own.fills if fill.sell.token == token]
        marks = [_nearest(points, at).weights[place] * 100 for at in sold]
        axes.plot([_time(at) for at in sold], marks, "v", color=colour, markersize=5)
    axes.set_ylabel("weight, %")
    axes.set_title(f"{found.vault}: weights; ▼ where the asset is sold", loc="left", fontsize=11)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def _drift(axes: Any, found: Backtest) -> None:
    points = found.own.points
    times = [_time(point.at) for point in points]
    axes.fill_between(times, 0, 100, color="#3ca951", alpha=0.10, linewidth=0)
    axes.plot(times, [100 * point.drift for point in points], color=COLOURS[0], linewidth=0.8)
    axes.axhline(100, color="#3ca951", linewidth=1)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("widest drift, % of its trigger")
    axes.set_title("drift; shaded: inside the band", loc="left", fontsize=11)


def _costs(axes: Any, found: Backtest) -> None:
    names = [ride.policy for ride in found.rides]
    ends, starts = [0.0] * len(names), [0.0] * len(names)
    for part, colour in PARTS.items():
        widths = [float(ride.a_year(ride.costs[part]) * WHOLE_BPS) for ride in found.rides]
        lefts = [ends[i] if width >= 0 else starts[i] for i, width in enumerate(widths)]
        axes.barh(names, widths, left=lefts, color=colour, label=part, height=0.6)
        for index, width in enumerate(widths):
            (ends if width >= 0 else starts)[index] += width
    axes.axvline(0, color=_GREY, linewidth=0.6)
    axes.invert_yaxis()
    axes.set_xlabel("bps of the vault a year")
    axes.set_title("what trading cost, by part", loc="left", fontsize=11)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def _nearest(points: Any, at: int) -> Any:
    """The curve's point at or before a time."""
    low, high = 0, len(points) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if points[middle].at <= at else (low, middle - 1)
    return points[low]


def _time(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
h1 {{ font-size: 1.4rem }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.9rem }}
th, td {{ padding: 0.3rem 0.6rem; text-align: right; border-bottom: 1px solid #ddd }}
th:first-child {{ text-align: left }}
tbody tr:first-child {{ font-weight: 600 }}
small {{ display: block; color: #777; font-weight: normal }}
svg {{ width: 100%; height: auto; margin-top: 1.5rem }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{said}</p>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p><small>Trades and turnover a year; costs and error in bps of the vault a year; total = 3/2 · error² + cost; outside:
share of the time left outside the band. Policies but the first are rules of thumb without guards.</small></p>
{svg}
</body>
</html>
"""
