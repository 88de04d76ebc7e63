"""Constant-product pools side by side: the split in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from keeper.core.pools import Curve


def parallel(curves: Sequence[Curve], sold: float) -> tuple[list[float], float]:
    """{sell raw of each} Where the next unit brings the same everywhere, and w = 1/√slope there.

    With λ that slope, `d_i = (√(g_i·x_i·y_i/λ) − x_i)/g_i`, and as all d_i add up to D,
    `1/√λ = (D + Σ x_i/g_i) / Σ √(x_i·y_i/g_i)` over those pools whose first unit brings more than λ (MATH 3). They are
    taken in the order of their first unit, until the next one brings less than what all before it would come down to.
    """
    bases = [x / g for x, _, g in curves]
    roots = [sqrt(x * y / g) for x, y, g in curves]
    firsts = [base / root for base, root in zip(bases, roots, strict=True)]
    total, width, w = sold, 0.0, 0.0
    for at in sorted(range(len(curves)), key=firsts.__getitem__):
        if width and firsts[at] >= w:
            break
        total += bases[at]
        width += roots[at]
        w = total / width
    return [max(0.0, root * w - base) for root, base in zip(roots, bases, strict=True)], w
