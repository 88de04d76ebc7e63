"""The same price history from a Parquet file, by the same rules. Needs pyarrow: the extra `parquet`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from keeper.backtest.prices import Prices, from_table
from keeper.core.errors import ConfigError


def read_parquet(path: Path, symbols: Sequence[str], max_gap: int | None = None) -> Prices:
    """Lines are counted as if the file were a CSV with a header. Raises ConfigError."""
    if find_spec("pyarrow") is None:
        expected = "a CSV file, or pyarrow (.venv/bin/pip install 'keeper[parquet]')"
        raise ConfigError("command", "--prices", expected, path.name)
    if not path.is_file():
        raise ConfigError("command", "--prices", "a Parquet file", f"none at {path}")
    parquet = import_module("pyarrow.parquet")
    try:
        found = parquet.read_table(path)
    except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        raise ConfigError(str(path), "file", "a Parquet file", str(error)) from None
    columns = [[_text(value) for value in found.column(name).to_pylist()] for name in found.column_names]
    return from_table(path, found.column_names, zip(*columns, strict=True), symbols, max_gap)


def _text(value: object) -> str:
    return "" if value is None else str(value)
