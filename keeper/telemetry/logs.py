"""Logging set up once: structlog for ourselves, and everybody else's lines through the same door and the same mask.

JSON where nobody watches, plain lines on a terminal; UTC; secrets masked last; an uncaught exception is one line.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from keeper.telemetry.failures import failure_line
from keeper.telemetry.mask import MASKER, Masker, register_secret

__all__ = ["configure", "logger", "register_secret"]

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_CHATTY = ("websockets", "urllib3", "asyncio", "sqlalchemy", "alembic")
"""Libraries whose lines below a warning help nobody: two for each tick, or paths of RPC URLs."""


def logger(name: str) -> FilteringBoundLogger:
    """A structlog logger that names its room."""
    made: FilteringBoundLogger = structlog.get_logger(room=name)
    return made


def configure(
    level: str = "info", *, stream: TextIO | None = None, as_json: bool | None = None, masker: Masker = MASKER
) -> Callable[[], None]:
    """Routes every log line, warning and uncaught exception to `stream` (stderr). Returns what undoes it.

    `as_json` is True unless the stream is a terminal, where nothing is asked for.
    """
    out = stream or sys.stderr
    machine = not out.isatty() if as_json is None else as_json
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _failures(masker),
        Sealed(_as_json if machine else _as_line, masker),
    ]
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    return _route_the_rest(LEVELS[level])


# --- processors ------------------------------------------------------------------------------------------------------


def _failures(masker: Masker) -> Processor:
    def tell(_: Any, __: str, event: EventDict) -> EventDict:
        info = event.pop("exc_info", None)
        if info is True:
            info = sys.exc_info()
        error = info[1] if isinstance(info, tuple) else info
        if isinstance(error, BaseException):
            event["failure"] = failure_line(error, masker)
        event.pop("stack_info", None)
        return event

    return tell


class Sealed:
    """The last processor: masks every value, renders, and masks once more what was registered."""

    def __init__(self, render: Callable[[MutableMapping[str, Any]], str], masker: Masker) -> None:
        self._render, self._masker = render, masker

    def __call__(self, _: Any, __: str, event: EventDict) -> str:
        clean = self._masker.value(event)
        return self._masker.registered(self._render(clean))


def _as_json(event: MutableMapping[str, Any]) -> str:
    first = {key: event.pop(key) for key in ("at", "level", "event") if key in event}
    return json.dumps({**first, **event}, ensure_ascii=False, allow_nan=False, default=str)


def _as_line(event: MutableMapping[str, Any]) -> str:
    """`03:12:05 warning denied  vault=treasury guard=max_trade …`: the day is the reader's."""
    at, level, text = (str(event.pop(key, "")) for key in ("at", "level", "event"))
    event.pop("room", None)
    pairs = " ".join(f"{key}={_plain(value)}" for key, value in event.items() if value not in (None, "", [], {}))
    return f"{at[11:19]} {level:<7} {text}  {pairs}".rstrip()


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f'"{text}"' if isinstance(value, str) and (" " in text or not text) else text


# --- what does not come through structlog ----------------------------------------------------------------------------


class _Router(logging.Handler):
    """Lines of the standard library's logging, as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001  a library's bad format string must not stop the keeper
            text = str(record.msg)
        _log(record.levelno)(text, room=record.name, exc_info=record.exc_info)


def _log(level: int) -> Callable[..., Any]:
    made: FilteringBoundLogger = structlog.get_logger()
    return made.error if level >= 40 else made.warning if level >= 30 else made.info if level >= 20 else made.debug


def _route_the_rest(level: int) -> Callable[[], None]:
    root = logging.getLogger()
    handlers, was, shown = root.handlers[:], root.level, warnings.showwarning
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    chatty = {name: logging.getLogger(name).level for name in _CHATTY}
    root.handlers[:] = [_Router()]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    warnings.showwarning = _show_warning
    sys.excepthook, threading.excepthook, sys.unraisablehook = _uncaught, _uncaught_in_thread, _unraisable

    def undo() -> None:
        root.handlers[:] = handlers
        root.setLevel(was)
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
        warnings.showwarning = shown
        for name, level in chatty.items():
            logging.getLogger(name).setLevel(level)
        structlog.reset_defaults()

    return undo


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001  the signature is the standard library's
    line: str | None = None,  # noqa: ARG001
) -> None:
    _log(logging.WARNING)(f"{category.__name__}: {message}", where=f"{filename.rpartition('/')[2]}:{lineno}")


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _log(logging.ERROR)("uncaught", exc_info=error.with_traceback(trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        name = args.thread.name if args.thread else ""
        _log(logging.ERROR)("uncaught in a thread", thread=name, exc_info=args.exc_value)


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    _log(logging.ERROR)("uncaught in a finalizer", exc_info=args.exc_value)
