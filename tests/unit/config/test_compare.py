from pathlib import Path

from keeper.config.compare import Change, changes
from tests.unit.config.deployments import ENV, GOOD, loaded
from tests.unit.config.test_shadows import SHADOW


def test_changes__of_an_edit__are_the_effective_values_that_differ(tmp_path: Path) -> None:
    old = loaded(tmp_path, GOOD, ENV)
    edited = GOOD.replace("trigger: 4pp", "trigger: 3pp").replace(", max_slippage: 30bps", "")
    found = changes(old, loaded(tmp_path, edited, ENV))
    assert found == (
        Change("vaults.treasury.strategy.trigger", "4pp", "3pp"),
        Change("vaults.treasury.guards.max_slippage", "30bps", "50bps"),
    )


def test_changes__a_default_written_down__are_none(tmp_path: Path) -> None:
    same = GOOD.replace("max_slippage: 30bps", "max_slippage: 30bps, cool_down: 5m")
    assert changes(loaded(tmp_path, GOOD, ENV), loaded(tmp_path, same, ENV)) == ()


def test_changes__what_is_left_out__comes_last_and_secrets_stay_masked(tmp_path: Path) -> None:
    less = GOOD.replace(', "${RPC_B}"', "").replace("      dust: 10 USD\n", "      dust: 20 USD\n")
    found = changes(loaded(tmp_path, GOOD, ENV), loaded(tmp_path, less, ENV))
    assert [change.path for change in found] == ["vaults.treasury.strategy.dust", "chains.base.rpc[1]"]
    assert (found[-1].new, "SECRET" in str(found)) == ("nothing", False)


def test_changes__a_vault_more_or_less__is_one_change(tmp_path: Path) -> None:
    more = GOOD + SHADOW
    found = changes(loaded(tmp_path, GOOD, ENV), loaded(tmp_path, more, ENV))
    assert found == (Change("vaults.candidate", "nothing", "as configured"),)
    found = changes(loaded(tmp_path, more, ENV), loaded(tmp_path, GOOD, ENV))
    assert found == (Change("vaults.candidate", "as configured", "nothing"),)
