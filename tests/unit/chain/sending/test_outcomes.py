"""Revert reasons as different nodes give them; the rest of an outcome is tested through the submitter."""

from __future__ import annotations

from typing import Any

import pytest

from keeper.chain.nodes.rpc import RpcError
from keeper.chain.sending.outcomes import revert_reason
from keeper.core.abi import calldata

DATA = "0x" + calldata("Error(string)", "EXPIRED").hex()


@pytest.mark.fault("T16")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (DATA, "EXPIRED"),
        ({"data": DATA}, "EXPIRED"),
        (None, "execution reverted"),
        ("Reverted 0x08c3", "execution reverted"),
        ({"hash": 1}, "execution reverted"),
        ("0x", "execution reverted"),
    ],
)
def test_revert_reason__data_wherever_it_stands__decoded(data: Any, expected: str) -> None:
    assert revert_reason(RpcError(3, "execution reverted", data)) == expected
