"""An exception on one line: what, where, and because of what. Never local variables: they hold keys."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

from keeper.core.foreign import printable
from keeper.telemetry.mask import MASKER, Masker

_FRAMES = 6
_CAUSES = 4


def failure_line(error: BaseException, masker: Masker = MASKER) -> str:
    """`ValueError: no such pool (cycle.py:120 in _act < app.py:33 in run); because of KeyError: 'x' (…)`"""
    told: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(told) < _CAUSES:
        seen.add(id(link))
        told.append(_one(link))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return masker.registered(printable(masker.text("; because of ".join(told))))


def _one(error: BaseException) -> str:
    frames = [
        f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in extract_tb(error.__traceback__)
    ]
    where = f" ({' < '.join(reversed(frames[-_FRAMES:]))})" if frames else ""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  a broken __str__ must not hide the failure
        text = "its text cannot be made"
    name = type(error).__name__
    return f"{name}: {text}{where}" if text else f"{name}{where}"
