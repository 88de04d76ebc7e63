"""What a check says of a transfer that is only simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from keeper.app.arriving import RECIPIENT, look_for_arrival
from keeper.core.calls import Calls
from keeper.core.chain import VaultView
from keeper.core.plan import Simulation
from keeper.core.units import Token
from tests.builders import ACCOUNT, USDC, WETH, make_view, simulated, units

HALF = units(USDC, 500).raw


@dataclass
class Simulates:
    """Answers every sequence alike, and remembers what it was asked."""

    answer: Simulation
    asked: list[tuple[Calls, VaultView]] = field(default_factory=list)

    def simulate(self, calls: Calls, view: VaultView) -> Simulation:
        self.asked.append((calls, view))
        return self.answer


def look(deltas: Mapping[Token, int], failure: str = "") -> tuple[str, bool, Simulates]:
    node = Simulates(simulated(deltas, failure=failure))
    view = make_view([units(USDC, 1_000), units(WETH, 0)])
    (found,) = look_for_arrival("a", view, node)  # type: ignore[arg-type]
    assert found.path == "vaults.a: transfer of USDC", "of what is not held nothing can be tried"
    return found.found, found.ok, node


@pytest.mark.parametrize(
    ("came", "words", "ok"),
    [
        (HALF, "500.000 USDC of 500.000 USDC arrived", True),
        (HALF - 2, "arrived", True),
        pytest.param(HALF - 3, "it takes a fee on transfer: ", False, marks=pytest.mark.fault("K1")),
        pytest.param(
            HALF * 99 // 100, "it takes a fee on transfer: 495.000 USDC of 500", False, marks=pytest.mark.fault("K1")
        ),
        pytest.param(0, "nothing moved: ", False, marks=pytest.mark.fault("K5")),
    ],
)
def test_transfer__as_much_arrives__is_said(came: int, words: str, ok: bool) -> None:
    said, found, _ = look({USDC: came})
    assert found is ok and words in said


@pytest.mark.fault("K11")
@pytest.mark.fault("K12")
def test_transfer__token_refuses__its_own_words() -> None:
    said, ok, _ = look({}, "Pausable: paused")
    assert (said, ok) == ("Pausable: paused", False)


def test_transfer__is_the_holders_and_the_recipients_gain_is_measured() -> None:
    _, _, node = look({USDC: HALF})
    ((calls, view),) = node.asked
    assert (view.sender, view.account) == (ACCOUNT, RECIPIENT)
    assert calls.next.to == USDC.address and calls.next.data[4:36].hex().endswith(RECIPIENT[2:].lower())
    assert int.from_bytes(calls.next.data[36:68], "big") == HALF and not calls.next.value
