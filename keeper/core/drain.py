"""Giving up a key: it starts nothing new and finishes what it began, so that another can take its place without a gap.

Draining is kept among the halts, under a scope of its own: it survives restarts, names who asked and why, and ends by
`clear`. Unlike a halt it stops nothing that is on its way: replacements and cancels are still signed.
"""

from __future__ import annotations


def drain_scope(sender: str) -> str:
    """Under which the draining of this sender stands in the journal."""
    return f"drain:{sender}"
