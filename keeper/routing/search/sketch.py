"""A side as the search knows it: what was asked of it so far, and straight lines between.

The lines are of `w(d) = 1/√slope`, because a constant product is one: w = (x + g·d)/√(g·x·y). So a constant product is
known after two points, a v3 position range after two more, and any other curve is touched where the search looks.
"""

from __future__ import annotations

from bisect import bisect_right
from math import sqrt

from keeper.core.pools import Side

FLATTEST = 1e-6
"""w grows at least by this share from nothing to all: a side without impact still has one price for each amount, and is
thought to bring up to 0.01 bps less than it does."""
_DRY = 1e-6
"""Of the first slope: whatever is sold below that is as good as lost."""
_SPARE = 1e-6
"""Of the most that a side takes: left free, since what really arrives differs a little from what was planned."""
_SAME = 1e-12
_FINE = 3e-7
_EDGE = 1e-9
"""This close to its first slope a side counts as one that would sell, so that a search can begin there."""


Bend = tuple[float, float, float, float, float, float]
"""w, and from there on how many more: s, g, o, c of `sold = s + g·w` and `out = o − c/w`, and of what is sold for each
e-fold of w, over w."""


class Sketch:
    """Knows points (sold, w, out) of one side; `at` reads between them, `look` adds what the side says there."""

    __slots__ = ("_bends", "_grows", "_lines", "_outs", "_reach", "_solds", "_ws", "exact", "first", "side")

    def __init__(self, side: Side, reach: float) -> None:
        """`reach` {sell raw} is the most that could ever be sold here. Takes the side's first slope, which is above 0,
        and where it is no constant product that of `reach`."""
        self.side = side
        self._reach = 0.0
        self._lines: list[Bend] | None = None
        self.exact = side.curve is not None
        if side.curve is not None:
            x, y, g = side.curve
            first, root = x / sqrt(g * x * y), sqrt(g * x * y)
            cap = float(side.most)
            self._solds, self._ws = [0.0, cap], [first, (x + g * cap) / root]
            self._outs, self._grows, self._bends = [0.0, g * cap * y / (x + g * cap)], [0.0], [0.0]
            self._straighten(1)
        else:
            first = 1 / sqrt(side.slope(0.0))
            self._solds, self._ws, self._outs = [0.0], [first], [0.0]
            self._grows, self._bends = list[float](), list[float]()
            self.stretch(reach)
        self.first = first * (1 - _EDGE)

    @property
    def cap(self) -> float:
        """{sell raw} What it takes at most, as far as is known."""
        return self._solds[-1]

    def at(self, w: float) -> tuple[float, float, float]:
        """Sold and out where the slope has come down to 1/w², and how much more is sold for each e-fold of w."""
        ws = self._ws
        if w < ws[0]:
            return 0.0, 0.0, self._grows[0] * w if w > self.first and self._grows else 0.0
        if w >= ws[-1]:
            return self._solds[-1], self._outs[-1], 0.0
        j = bisect_right(ws, w) - 1 if len(ws) > 2 else 0
        more = self._grows[j] * (w - ws[j])
        return self._solds[j] + more, self._outs[j] + self._bends[j] * more / w, self._grows[j] * w

    @property
    def bends(self) -> list[Bend]:
        """Of each line, and of the end: what changes there beside the line before it."""
        if not self._grows:
            return [(self._ws[0], 0.0, 0.0, 0.0, 0.0, 0.0)]
        if self._lines is None:
            grew, found = self._grows[0], [(self.first, 0.0, 0.0, 0.0, 0.0, self._grows[0])]
            s = g = o = c = 0.0
            for w, sold, out, grows, bend in zip(
                self._ws, self._solds, self._outs, self._grows, self._bends, strict=False
            ):
                fall = bend * grows
                s_now, o_now, c_now = sold - grows * w, out + fall, fall * w
                found.append((w, s_now - s, grows - g, o_now - o, c_now - c, grows - grew))
                s, g, o, c, grew = s_now, grows, o_now, c_now, grows
            found.append((self._ws[-1], self._solds[-1] - s, -g, self._outs[-1] - o, -c, -grew))
            self._lines = found
        return self._lines

    def look(self, w: float) -> float:
        """Asks the side itself about what is sold at w. Returns {sell raw} by how much of a sale its lines were wrong:
        the share by which the slope differs, of what was thought or of what is really sold at w, whichever is more.

        The side is asked for the slope there and for what it sells at this slope: a curve that is flat and then steep
        would be found in steps of nothing by the one, a kink by neither alone.
        """
        sold, _, _ = self.at(w)
        if self.exact or not 0.0 < sold < self.cap:
            return 0.0
        slope = self.side.slope(sold)
        wrong = abs(slope * w * w - 1)
        if wrong < _FINE:
            return 0.0
        self._add(sold, slope)
        really = self.side.sold_at(1 / (w * w))
        if really <= self.cap:
            self._add(really, 1 / (w * w))
        return wrong * max(sold, really)

    def stretch(self, reach: float) -> None:
        """Makes sure that sales up to `reach` are known of."""
        if self.exact or reach <= self._reach:
            return
        # Who asks for more and more is answered ahead, once for each doubling.
        self._reach = max(reach, 2 * self._reach)
        cap = min(self._reach, self.side.most * (1 - _SPARE))
        if cap <= self.cap:
            return
        slope = self.side.slope(cap)
        if slope * self._ws[0] ** 2 < _DRY:
            slope = _DRY / self._ws[0] ** 2
            cap = min(cap, self.side.sold_at(slope))
        self._add(cap, slope)

    def _add(self, sold: float, slope: float) -> None:
        solds, ws, outs = self._solds, self._ws, self._outs
        at = bisect_right(solds, sold)
        if solds[at - 1] >= sold * (1 - _SAME) or slope <= 0:
            return
        out = self.side.out(int(sold))
        if not isinstance(out, int):
            return
        solds.insert(at, sold)
        ws.insert(at, 1 / sqrt(slope))
        outs.insert(at, max(float(out), outs[at - 1]))
        self._grows.insert(at - 1, 0.0)
        self._bends.insert(at - 1, 0.0)
        self._straighten(at)

    def _straighten(self, at: int) -> None:
        """Lines to and from this point, and further up as far as it pushes others. `_grows` is sold per w; `_bends`
        makes out, which is sold/(w·w') between two points of a constant product, meet what was measured at both."""
        solds, ws, outs, j = self._solds, self._ws, self._outs, at
        while j < len(ws):
            flattest = FLATTEST * (solds[j] - solds[j - 1]) / solds[-1]
            least = ws[j - 1] * (1 + max(flattest, _SAME / 100))
            if j > at and ws[j] >= least:
                break
            ws[j] = max(ws[j], least)
            j += 1
        for k in range(at - 1, min(j, len(ws) - 1)):
            more = solds[k + 1] - solds[k]
            self._grows[k] = more / (ws[k + 1] - ws[k])
            self._bends[k] = (outs[k + 1] - outs[k]) * ws[k + 1] / more
        self._lines = None
