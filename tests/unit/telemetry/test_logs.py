from __future__ import annotations

import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from keeper.telemetry.logs import configure, logger
from keeper.telemetry.mask import MASK, Masker
from tests.unit.telemetry.streams import Stream

KEY = "0x" + "5a" * 32
TOKEN = "rpc-token-0123456789"


@pytest.fixture
def masker() -> Masker:
    found = Masker()
    found.register(f"https://rpc.example/v2/{TOKEN}")
    return found


@pytest.fixture
def stream(masker: Masker) -> Iterator[Stream]:
    out = Stream()
    undo = configure("debug", stream=out, masker=masker)
    yield out
    undo()


def test_line__not_on_a_terminal__is_json_in_utc(stream: Stream) -> None:
    logger("cycle").info("tick", chain="base", block=1)
    (record,) = stream.records
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", record.pop("at"))
    assert record == {"level": "info", "event": "tick", "room": "cycle", "chain": "base", "block": 1}


def test_line__on_a_terminal__is_plain(masker: Masker) -> None:
    out = Stream(terminal=True)
    undo = configure(stream=out, masker=masker)
    logger("cycle").warning("denied", vault="treasury", reason="too large", guards=[])
    logger("cycle").debug("unsaid")
    undo()
    (line,) = out.lines
    assert re.fullmatch(r'\d\d:\d\d:\d\d warning denied  vault=treasury reason="too large"', line)


@pytest.mark.fault("S1")
@pytest.mark.fault("S3")
def test_secrets__by_every_road__reach_no_stream(stream: Stream, masker: Masker) -> None:
    log = logger("chain")
    log.info(f"calling https://rpc.example/v2/{TOKEN}", url=f"https://u:pw@rpc.example/v2/{TOKEN}", key=KEY)
    log.info("nested", data={"list": [{"key": KEY}], KEY: TOKEN}, raw=bytes.fromhex(KEY[2:]))
    logging.getLogger("urllib3.connectionpool").warning("Retrying: /v2/%s", TOKEN)
    try:
        signing_key = KEY
        raise ValueError(f"{signing_key} at /v2/{TOKEN}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("other").exception("failed too")
    text = stream.getvalue()
    assert len(stream.lines) == 5
    assert KEY[2:] not in text
    assert TOKEN not in text
    assert text.count(MASK) >= 8


@pytest.mark.fault("S18")
@pytest.mark.fault("K10")
def test_injection__from_a_chain_string__stays_one_harmless_line(stream: Stream) -> None:
    logger("chain").info("pool", symbol='x\n{"level": "error"}\r\x1b[2J\u202e', name="A" * 1_000_000)
    (record,) = stream.records
    assert record["symbol"] == 'x\\n{"level": "error"}\\r\\x1b[2J\\u202e'
    assert len(stream.getvalue()) < 3_000


def test_exception__in_a_line__has_place_and_cause_and_no_locals(stream: Stream) -> None:
    try:
        secret_local = "a value that must not be printed"
        raise KeyError("USDC") from None
    except KeyError:
        logger("cycle").error("failed", exc_info=True)
    assert "KeyError: 'USDC' (test_logs.py:" in stream.records[0]["failure"]
    assert secret_local not in stream.getvalue()


@pytest.mark.fault("S1")
def test_uncaught__in_the_main_thread__is_one_masked_line(stream: Stream) -> None:
    error = RuntimeError(f"boom {KEY}")
    sys.excepthook(RuntimeError, error, None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    (record,) = stream.records
    assert (record["event"], record["failure"]) == ("uncaught", f"RuntimeError: boom {MASK}")


@pytest.mark.fault("S1")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_uncaught__in_a_thread__is_one_masked_line(stream: Stream) -> None:
    def fail() -> None:
        raise RuntimeError(KEY)

    thread = threading.Thread(target=fail, name="base")
    thread.start()
    thread.join()
    (record,) = stream.records
    assert (record["thread"], record["level"]) == ("base", "error")
    assert record["failure"].startswith(f"RuntimeError: {MASK}")


def test_uncaught__in_a_finalizer__is_one_line(stream: Stream) -> None:
    args = SimpleNamespace(exc_value=RuntimeError("late"), exc_type=RuntimeError, exc_traceback=None, object=None)
    sys.unraisablehook(args)  # type: ignore[arg-type]
    assert stream.records[0]["failure"] == "RuntimeError: late"


def test_warning__of_a_library__is_a_line(stream: Stream) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning(UserWarning(f"see {KEY}"), UserWarning, "/somewhere/library.py", 7)
    assert stream.records[0]["event"] == f"UserWarning: see {MASK}"
    assert stream.records[0]["where"] == "library.py:7"


def test_library__with_a_bad_format__does_not_raise(stream: Stream) -> None:
    record = logging.LogRecord("other", logging.WARNING, "x.py", 1, "%d vaults", ("no number",), None)
    logging.getLogger().handlers[0].handle(record)
    assert stream.records[0]["event"] == "%d vaults"


def test_library__below_a_warning__is_silent_where_it_names_urls_or_only_chatters(stream: Stream) -> None:
    logging.getLogger("urllib3.connectionpool").debug("POST /v2/key")
    logging.getLogger("websockets.client").info("connection open")
    assert stream.lines == []


def test_undo__afterwards__leaves_nothing_behind(masker: Masker) -> None:
    root, hook = logging.getLogger(), sys.excepthook
    before = root.handlers[:]
    configure(stream=Stream(), masker=masker)()
    assert (root.handlers, sys.excepthook) == (before, hook)
