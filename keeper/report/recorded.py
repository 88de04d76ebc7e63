"""A simulation as it stands in a decision record, for making the decision again without a node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keeper.core.calls import Calls
from keeper.core.chain import VaultView
from keeper.core.plan import Fees, Simulation
from keeper.core.ports import Send
from keeper.core.records import NewIntent
from keeper.core.units import Address, Token, Wei
from keeper.report.nouns import Record

NOT_SIMULATED = "not simulated: at its block other calls were made than these"


@dataclass(frozen=True, slots=True)
class RecordedSubmitter:
    """Answers with what the record's own simulations said. Calls that were not simulated then fail here, and so are
    never judged as if they had succeeded. Sends nothing."""

    record: Record

    def simulate(self, calls: Calls, view: VaultView) -> Simulation:
        asked = [(call.to, "0x" + call.data.hex(), str(call.value)) for call in calls.sequence]
        for drafted in (self.record["refused_draft"], self.record):
            if drafted and [(call["to"], call["data"], call["value"]) for call in drafted["calls"]] == asked:
                return simulation_of(drafted["simulation"], view.block.chain_id)
        return Simulation(view.block.number, NOT_SIMULATED, (), {}, 0, Fees(Wei(0), None))

    def submit(self, new: NewIntent, view: VaultView, simulation: Simulation, chain_nonce: int) -> Send | None:  # noqa: ARG002
        return None

    def settle(self) -> Mapping[str, str]:
        return {}


def simulation_of(record: Record, chain_id: int) -> Simulation:
    """The inverse of what `describe` writes. Raises KeyError where the record is of another version."""
    return Simulation(
        block_number=record["block_number"],
        failure=record["failure"],
        gas=tuple(int(used) for used in record["gas"]),
        deltas={_token(moved, chain_id): int(moved["raw"]) for moved in record["deltas"]},
        gas_limit=int(record["gas_limit"]),
        fees=Fees(Wei(int(record["fee_cap"])), None if record["tip"] is None else Wei(int(record["tip"]))),
        l1_fees=tuple(int(fee) for fee in record["l1_fees"]),
    )


def _token(moved: Record, chain_id: int) -> Token:
    return Token(chain_id, Address(moved["token"]), moved["symbol"], moved["decimals"])
