"""What the owners of a Safe are asked to sign."""

from __future__ import annotations

from dataclasses import replace

from keeper.core.abi import arguments
from keeper.core.authority import WorstLoss
from keeper.core.calls import Calls, Purpose
from keeper.core.chain import Read
from keeper.custody.proposing import Proposing, SafeOwners
from keeper.custody.safe import EXECUTE, NOBODY
from tests.builders import SWAP_ROUTER02, V2_ROUTER, WETH, swap_call, units, usd
from tests.unit.custody.safes import BATCHER, SAFE, safe_view, words

OWNERS = SafeOwners(SAFE)
CUSTODY = Proposing(OWNERS, (V2_ROUTER, SWAP_ROUTER02), BATCHER, usd(1_000_000))


def answers(threshold: bytes | None = words(2), nonce: bytes | None = words(7)) -> dict[Read, bytes | None]:
    return dict(zip(OWNERS.reads, (threshold, nonce), strict=True))


def test_wrap__a_swap__is_one_call_of_the_safe_without_refund_and_without_signatures() -> None:
    (call,) = CUSTODY.wrap([swap_call(spends=units(WETH, 1))], safe_view(OWNERS)).sequence
    *_, kind, safe_tx_gas, base_gas, gas_price, gas_token, receiver, signatures = arguments(EXECUTE, call.data)
    assert (kind, safe_tx_gas, base_gas, gas_price, gas_token, receiver, signatures) == (
        1,
        0,
        0,
        0,
        NOBODY,
        NOBODY,
        b"",
    )
    assert [step.purpose for step in call.steps] == [Purpose.APPROVE, Purpose.SWAP, Purpose.REVOKE]
    assert CUSTODY.open(call.data) == tuple((step.to, step.value, step.data) for step in call.inner)


def test_open__a_signature_in_it__is_refused() -> None:
    (call,) = CUSTODY.wrap([swap_call(spends=units(WETH, 1))], safe_view(OWNERS)).sequence
    signed = replace(OWNERS).seal(OWNERS.unseal(call.data))[:-32] + words(65) + bytes(96)
    assert isinstance(CUSTODY.open(signed), str)


def test_nonce__of_the_safe__is_read_with_every_view() -> None:
    assert OWNERS.nonce(safe_view(OWNERS, answers())) == 7
    assert OWNERS.standing(safe_view(OWNERS, answers())) == ""
    unread = safe_view(OWNERS, answers(nonce=None))
    assert OWNERS.standing(unread) == f"the nonce of Safe {SAFE} cannot be read"
    assert CUSTODY.objection(Calls((swap_call(),)), unread) == f"the nonce of Safe {SAFE} cannot be read"


def test_tidy__an_allowance_that_owners_gave__is_theirs() -> None:
    assert CUSTODY.tidy(safe_view(OWNERS, allowances={(WETH, V2_ROUTER.address): 5})) is None


def test_authority__of_no_key__is_nothing_and_says_who_must_sign() -> None:
    view = safe_view(OWNERS, answers())
    found = CUSTODY.authority(view)
    assert isinstance(found, WorstLoss)
    assert (found.day, found.total.value) == (usd(0), usd(0))
    assert found.total.reason == "no key of the keeper's moves the Safe: 2 of its owners must sign"
    assert OWNERS.notes(view) == ("Safe 0x0000…5aFE: 2 owners must sign, its next nonce is 7",)
