from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from keeper.backtest import parquet
from keeper.core.errors import ConfigError


def test_read_parquet__no_pyarrow__one_line_says_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda _name: None)
    with pytest.raises(
        ConfigError, match=r"expected a CSV file, or pyarrow \(.*'keeper\[parquet\]'\), found a.parquet"
    ):
        parquet.read_parquet(tmp_path / "a.parquet", ["WETH"])


def test_read_parquet__table__goes_by_the_rules_of_a_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"time": [300, 600], "WETH": [2_000.5, 0.0]}
    made = SimpleNamespace(
        column_names=list(columns), column=lambda name: SimpleNamespace(to_pylist=lambda: columns[name])
    )
    module = ModuleType("pyarrow.parquet")
    module.read_table = lambda _path: made  # type: ignore[attr-defined]
    monkeypatch.setattr(parquet, "find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "pyarrow", ModuleType("pyarrow"))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", module)
    file = tmp_path / "a.parquet"
    file.touch()
    with pytest.raises(ConfigError, match=r"a.parquet:3: WETH: expected a price above 0, found 0.0"):
        parquet.read_parquet(file, ["WETH"])
    columns["WETH"] = [2_000.5, 2_001.0]
    assert parquet.read_parquet(file, ["WETH"]).rows == [(2_000.5,), (2_001.0,)]
    with pytest.raises(ConfigError, match="expected a Parquet file, found none at"):
        parquet.read_parquet(tmp_path / "b.parquet", ["WETH"])
