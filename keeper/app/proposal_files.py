"""Proposals as files for people: one for the Safe's Transaction Builder, one for its Transaction Service.

They follow from the journal alone, and are written again where they are missing: a full disk loses nothing. There is no
secret in them; the operator's group may read them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from keeper.core.proposals import Fate
from keeper.core.records import NewIntent, Proposal
from keeper.core.units import Address
from keeper.custody.batch_file import batch_file
from keeper.custody.proposing import SafeOwners
from keeper.custody.safe_tx import SafeTx, service_payload

DIRECTORY_MODE, FILE_MODE = 0o750, 0o640


def safe_tx(new: NewIntent, nonce: int) -> SafeTx:
    """What the owners sign."""
    return SafeTx(new.chain_id, new.account, SafeOwners(Address(new.account)).unseal(new.call.data), nonce)


@dataclass(frozen=True, slots=True)
class ProposalFiles:
    """A directory of them, made where it is missing."""

    directory: Path

    def places(self, proposal: Proposal) -> tuple[Path, Path]:
        """For the builder, and for the service."""
        stem = f"{proposal.vault}-{proposal.proposed.nonce}-{proposal.hash[2:10]}"
        return self.directory / f"{stem}.builder.json", self.directory / f"{stem}.service.json"

    def write(self, proposal: Proposal) -> None:
        """What is not there yet. Raises OSError."""
        for place, body in zip(self.places(proposal), _bodies(proposal), strict=True):
            if not place.exists():
                self._write(place, body)

    def mark(self, proposal: Proposal, fate: Fate) -> None:
        """Nobody should sign these any more: `….json.superseded`. Raises OSError."""
        for place in self.places(proposal):
            if place.exists():
                place.rename(place.with_name(f"{place.name}.{fate}"))

    def _write(self, place: Path, body: dict[str, object]) -> None:
        """All of it, or nothing under this name."""
        self.directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(body, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        part.rename(place)


def _bodies(proposal: Proposal) -> Iterator[dict[str, object]]:
    new, nonce = proposal.proposed.new, proposal.proposed.nonce
    calls = [(step.to, step.value, step.data) for step in new.call.steps]
    until = datetime.fromtimestamp(new.deadline, UTC).strftime("%Y-%m-%d %H:%M UTC")
    said = f"{new.call.text}. Why: {new.asks}. Dead after {until}. Keeper cycle {new.cycle}."
    name = f"keeper: {new.vault}, Safe nonce {nonce}"
    yield batch_file(new.chain_id, new.account, calls, name=name, description=said, at=new.at)
    yield service_payload(safe_tx(new, nonce), f"{name}. {said}")
