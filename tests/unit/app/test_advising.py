from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from keeper.app.advising import ENOUGH, choices, from_samples
from keeper.core.errors import ConfigError
from keeper.core.records import Sample
from tests.builders import NOW, USDC, WETH, units, usd
from tests.unit.app.app_configs import TEXT
from tests.unit.app.test_backtesting import staged


def samples(count: int, price: str = "2000.5") -> Any:
    """A journal that kept one an hour."""
    rows = [
        Sample("treasury", NOW + 3_600 * hour, hour, {WETH: units(WETH, 1)}, {WETH: price, USDC: "1"}, usd(5_000), {})
        for hour in range(count)
    ]
    return SimpleNamespace(samples=lambda _vault: rows)


def test_choices__a_vault__its_own_first_then_each_as_one_would_write_it(tmp_path: Path) -> None:
    found = choices(staged(tmp_path))
    assert found[0].name == "as configured"
    said = [policy.said for policy in found]
    assert "band: auto" in said
    assert "trigger: 3pp, destination: half" in said
    assert "trigger: 10% of weight, destination: half" in said
    assert all(policy.guarded for policy in found)
    assert len({policy.name for policy in found}) == len(found)


def test_from_samples__a_week_of_them__prices_and_what_the_vault_is_worth(tmp_path: Path) -> None:
    prices, value = from_samples(samples(ENOUGH), staged(tmp_path))
    assert prices.rows[0] == (2000.5, 1.0)
    assert (prices.step, len(prices.rows)) == (3_600, ENOUGH)
    assert value == usd(5_000)


def test_from_samples__too_few_or_worthless__one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"samples of treasury: expected at least {ENOUGH} samples.*found 3"):
        from_samples(samples(3), staged(tmp_path))
    with pytest.raises(ConfigError, match="found 0"):
        from_samples(samples(ENOUGH, price="0"), staged(tmp_path))


def test_choices__what_the_configuration_says_already__is_not_ridden_twice(tmp_path: Path) -> None:
    stage = staged(tmp_path, TEXT.replace("trigger: 4pp, destination: 2pp", "band: auto"))
    assert [policy.said for policy in choices(stage)].count("band: auto") == 1
    fixed = [policy.said for policy in choices(staged(tmp_path))]
    assert "trigger: 4pp, destination: half" not in fixed
