from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from keeper.chain.sending.effects import fetch_missing_effects
from tests.builders import ACCOUNT
from tests.unit.chain.sending.test_submitter import APPROVE
from tests.unit.journal.situations_journal import receipt


@dataclass
class Answering:
    """A node of one block: an allowance of nothing, and so many nonces of ours used."""

    nonces: int

    def batch(self, requests: Sequence[tuple[str, list[object]]]) -> list[str]:
        answers = {"eth_call": "0x" + bytes(32).hex(), "eth_getTransactionCount": hex(self.nonces)}
        return [answers[method] for method, _ in requests]


@pytest.mark.fault("T18")
@pytest.mark.parametrize(("nonce", "missed"), [(8, True), (7, False)])
def test_effects__the_swap_that_uses_the_approval_up_is_in_its_block__nothing_is_missed(
    nonce: int, missed: bool
) -> None:
    """As a reorg may leave them. The last of ours in a block has no such excuse."""
    said = fetch_missing_effects(Answering(9), APPROVE, ACCOUNT, ACCOUNT, nonce, receipt())  # type: ignore[arg-type]
    assert ("the allowance is 0 raw, expected 500" in said) is missed
