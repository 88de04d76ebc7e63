"""Draws the pictures of docs/strategies: `python -m docs.figures.draw`, or `make figures`. The same bytes every time.

The peg's own is drawn by `bench/peg_picture.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docs.figures.rides import MOST_FEE, THRESHOLD, called, sliced_up, stretches, weighed

HERE = Path(__file__).parent
INK, FAINT, BLUE, GREEN, RED, AMBER = "#24303c", "#8a96a3", "#1f5fa8", "#2b8a57", "#c0392b", "#c98a1b"
LOOK = {
    "svg.hashsalt": "keeper",
    "svg.fonttype": "path",
    "path.simplify_threshold": 0.5,
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#c5ccd3",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 8,
}
"""On a white ground of their own, so that they read alike in light and dark."""


def _panels(title: str, heights: tuple[float, ...]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(8.4, 4.4), layout="constrained", facecolor="white")
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    axes[0].set_title(title)
    return figure, list(axes)


def draw_weights() -> Figure:
    looks = list(weighed())
    figure, (share, traded) = _panels("60 % WETH, trigger ±4pp, destination ±2pp: nine months", (3.4, 1))
    days = [look.at for look in looks]
    share.axhspan(56, 64, color="#eef3f8", lw=0)
    share.axhspan(58, 62, color="#d9e7f3", lw=0)
    share.plot(days, [look.left_alone for look in looks], color=FAINT, lw=0.9, ls=(0, (4, 2)), label="left alone")
    path = [(at, each) for look in looks for at, each in ((look.at, look.before), (look.at, look.after))]
    share.plot(*zip(*path, strict=True), color=BLUE, lw=1.1, label="kept")
    for look in looks:
        if look.traded:
            mark, colour = ("v", RED) if look.after < look.before else ("^", GREEN)
            share.plot(look.at, look.before, mark, color=colour, ms=6, zorder=3)
            traded.bar(look.at, look.traded / 1_000, width=1.6, color=colour)
    share.plot([], [], "v", color=RED, label="sells WETH")
    share.plot([], [], "^", color=GREEN, label="buys WETH")
    for level, words in ((64, "trigger"), (62, "destination"), (58, "destination"), (56, "trigger")):
        share.annotate(words, (days[-1], level), (4, -3), textcoords="offset points", color=FAINT, fontsize=8)
    share.set(ylabel="weight of WETH, %", xlim=(0, days[-1]), ylim=(53, 77))
    share.legend(loc="upper left", ncols=4)
    traded.set(ylabel="traded, $1,000", xlabel="days")
    return figure


def draw_sliced() -> Figure:
    looks = list(sliced_up())
    figure, (price, done) = _panels("A sale of $48,000 in slices: deadline 8 h, no worse than 50 bps", (1.5, 1.5))
    hours, whole = [look.at for look in looks], looks[-1].done
    price.plot(hours, [look.price for look in looks], color=BLUE, lw=1, label="price of WETH")
    price.plot(hours, [look.least for look in looks], color=RED, lw=1, ls=(0, (4, 2)), label="least price")
    slices = [look for look in looks if look.sold]
    price.plot([s.at for s in slices], [s.price for s in slices], "o", color=GREEN, ms=4.5, label="slice")
    for what, since, until in stretches([str(look.waits) for look in looks], hours):
        if what == "True":
            for axes in (price, done):
                axes.axvspan(since, until, color="#fbe9e7", lw=0)
    price.set(ylabel="USD", ylim=(min(look.price for look in looks) - 3, None))
    price.legend(loc="lower right", ncols=3)
    done.plot([0, 8], [0, whole / 1_000], color=FAINT, lw=0.9, ls=(0, (4, 2)), label="evenly")
    done.step(hours, [look.done / 1_000 for look in looks], where="post", color=GREEN, lw=1.4, label="sold")
    done.bar([s.at for s in slices], [s.sold / 1_000 for s in slices], width=0.06, color=GREEN, alpha=0.55)
    done.axvline(8, color=INK, lw=0.9)
    done.annotate("deadline", (8, 2), (4, 0), textcoords="offset points", fontsize=8)
    waits = [look.at for look in looks if look.waits]
    done.annotate("waits for the price", (sum(waits) / len(waits), whole / 1_000), ha="center", color=RED, fontsize=8)
    done.set(ylabel="$1,000", xlabel="hours", xlim=(-0.1, 8.6), ylim=(0, whole / 1_000 * 1.12))
    done.legend(loc="upper left")
    return figure


COLOURS: Mapping[str, tuple[str, str]] = {
    "not_due": ("#dfe5ea", "not due"),
    "denied": (AMBER, "due, refused by max_base_fee"),
    "reverts": (RED, "check reverts: hold"),
    "performed": (GREEN, "performed"),
}


def draw_upkeeps() -> Figure:
    looks = list(called())
    figure, (accrued, fee, strip) = _panels("A harvest that is due from $500 on: a day and a half", (2.2, 1.2, 0.35))
    hours = [look.at for look in looks]
    accrued.plot(hours, [look.accrued for look in looks], color=BLUE, lw=1.2)
    accrued.axhline(THRESHOLD, color=INK, lw=0.9, ls=(0, (4, 2)))
    accrued.annotate("due", (0.2, THRESHOLD + 12), fontsize=8)
    performed = [look for look in looks if look.what == "performed"]
    accrued.plot([look.at for look in performed], [look.accrued for look in performed], "v", color=GREEN, ms=7)
    accrued.set(ylabel="to harvest, $", ylim=(0, None))
    fee.plot(hours, [look.fee for look in looks], color=FAINT, lw=1)
    fee.axhline(MOST_FEE, color=AMBER, lw=0.9, ls=(0, (4, 2)))
    fee.annotate("max_base_fee", (0.2, MOST_FEE + 1.5), color=AMBER, fontsize=8)
    fee.set(ylabel="base fee, gwei", ylim=(0, None))
    for what, since, until in stretches([look.what for look in looks], hours):
        colour = COLOURS[what][0]
        strip.axvspan(since, until, color=colour, lw=0)
        if what in ("denied", "reverts"):
            for axes in (accrued, fee):
                axes.axvspan(since, until, color=colour, alpha=0.13, lw=0)
    for what, (colour, words) in COLOURS.items():
        mark = "v" if what == "performed" else "s"
        accrued.plot([], [], mark, color=colour, label=words)
    accrued.legend(loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=4, handletextpad=0.2)
    strip.set(yticks=[], ylabel="", xlabel="hours", xlim=(0, hours[-1]))
    strip.spines["left"].set_visible(False)
    return figure


PICTURES: Mapping[str, Callable[[], Figure]] = {
    "weights": draw_weights,
    "sliced": draw_sliced,
    "upkeeps": draw_upkeeps,
}


def save(folder: Path) -> list[Path]:
    """Writes every picture there."""
    written = []
    with mpl.rc_context(LOOK):
        for name, draw in PICTURES.items():
            path = folder / f"{name}.svg"
            draw().savefig(path, format="svg", metadata={"Date": None, "Creator": None})
            written.append(path)
    return written


if __name__ == "__main__":
    save(HERE)
