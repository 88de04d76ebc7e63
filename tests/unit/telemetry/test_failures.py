from __future__ import annotations

from collections.abc import Callable

import pytest

from keeper.telemetry.failures import failure_line

KEY = "0x" + "5a" * 32


def _sign(key: str) -> None:
    local = key
    raise ValueError(f"cannot sign with {local}")


def _caught(raises: Callable[[], None]) -> BaseException:
    with pytest.raises(RuntimeError) as info:
        raises()
    return info.value


def _chained() -> None:
    try:
        _sign(KEY)
    except ValueError as error:
        raise RuntimeError("no transaction") from error


def test_failure__chain__says_what_where_and_because_of_what() -> None:
    line = failure_line(_caught(_chained))
    assert line.startswith("RuntimeError: no transaction (test_failures.py:")
    assert "; because of ValueError: cannot sign with" in line
    assert "in _sign < " in line


@pytest.mark.fault("S1")
def test_failure__key_in_message_and_locals__is_in_no_line() -> None:
    line = failure_line(_caught(_chained))
    assert KEY[2:] not in line
    assert "\n" not in line


def test_failure__that_cannot_be_printed__is_named() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise TypeError("no text")

    assert failure_line(BrokenError()) == "BrokenError: its text cannot be made"


def test_failure__circle_of_causes__ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert failure_line(first) == "ValueError: a; because of ValueError: b"
