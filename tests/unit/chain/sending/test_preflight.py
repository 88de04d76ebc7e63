"""What is found before a nonce is used."""

from __future__ import annotations

from typing import Any

import pytest

from keeper.chain.sending.preflight import objection
from keeper.core.plan import Fees
from keeper.core.units import Wei
from tests.builders import CHAIN, NOW, make_block, make_view
from tests.unit.chain.lives import GWEI, new_intent

FEES = Fees(Wei(3 * GWEI), Wei(GWEI))


@pytest.mark.fault("T24")
@pytest.mark.fault("T25")
@pytest.mark.fault("T26")
@pytest.mark.parametrize(
    ("new", "fees", "given", "expected"),
    [
        ({}, FEES, {}, ""),
        ({}, FEES, {"has_signer": False}, "no signer"),
        ({"chain_id": 1}, FEES, {}, f"chain id: expected {CHAIN}, was 1"),
        ({}, FEES, {"chain_id": 1}, "chain id: expected 1"),
        ({"deadline": NOW}, FEES, {}, "its deadline passed 0 s ago"),
        ({"gas_limit": 0}, FEES, {}, "gas limit: expected 1 to 16,777,216, was 0"),
        ({"gas_limit": 16_777_217}, FEES, {}, "gas limit"),
        ({}, Fees(Wei(GWEI), Wei(2 * GWEI)), {}, "tip 2,000,000,000 wei is above the cap"),
        ({}, Fees(Wei(GWEI - 1), Wei(0)), {}, "below the base fee"),
        ({}, Fees(Wei(3 * GWEI), None), {}, "expected a cap and a tip"),
        ({}, Fees(Wei(3 * GWEI), None), {"legacy": True}, ""),
        ({"gas_limit": 4_000_000}, Fees(Wei(300 * GWEI), Wei(1)), {}, "the worst case needs 1.2"),
    ],
)
def test_objection__one_thing_wrong__said(
    new: dict[str, Any], fees: Fees, given: dict[str, Any], expected: str
) -> None:
    arguments = {"chain_id": CHAIN, "has_signer": True, "legacy": False} | given
    found = objection(new_intent(**new), make_view(native=1), fees, **arguments)
    assert expected in found if expected else found == ""


def test_objection__value_sent_along__counts() -> None:
    from dataclasses import replace

    new = new_intent()
    new = replace(new, call=replace(new.call, value=10**18))
    assert "holds 1.0" in objection(new, make_view(native=1), FEES, CHAIN, True, legacy=False)


def test_objection__chain_without_base_fee__not_an_error() -> None:
    view = make_view(block=make_block(base_fee=None))
    assert objection(new_intent(), view, Fees(Wei(1), None), CHAIN, True, legacy=True) == ""
