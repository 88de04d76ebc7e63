from dataclasses import replace

from keeper.core.calls import Calls
from keeper.core.chain import VaultView
from keeper.report.recorded import NOT_SIMULATED, RecordedSubmitter, simulation_of
from tests.unit.report import situations as given


def test_simulation__from_its_record__equals_the_original() -> None:
    for situation in (given.trading(), given.failing(), given.three(), given.tidying()):
        assert situation.draft is not None
        simulation = replace(situation.draft.simulation, l1_fees=(7, 9))
        record = replace(situation, draft=replace(situation.draft, simulation=simulation)).decision["simulation"]
        found = simulation_of(record, given.BLOCK.chain_id)
        assert found == simulation
        assert [token.decimals for token in found.deltas] == [token.decimals for token in sorted_tokens(simulation)]


def sorted_tokens(simulation: object) -> list[object]:
    return sorted(simulation.deltas, key=lambda token: token.address)  # type: ignore[attr-defined]


def test_simulate__the_recorded_calls__repeats_and_other_calls_fail() -> None:
    situation = given.trading()
    assert situation.draft is not None
    assert isinstance(situation.view, VaultView)
    again = RecordedSubmitter(situation.decision)
    assert again.simulate(situation.draft.calls, situation.view) == situation.draft.simulation
    call = replace(situation.draft.calls.next, data=b"\x5a\xe4\x01\xdd")
    assert again.simulate(Calls((call,)), situation.view).failure == NOT_SIMULATED


def test_simulate__trade_refused_and_something_tidied_instead__repeats_both() -> None:
    tidied, refused = given.tidying(), given.trading().draft
    assert tidied.draft is not None
    assert refused is not None
    assert isinstance(tidied.view, VaultView)
    again = RecordedSubmitter(replace(tidied, refused_draft=refused).decision)
    assert again.simulate(refused.calls, tidied.view) == refused.simulation
    assert again.simulate(tidied.draft.calls, tidied.view) == tidied.draft.simulation
