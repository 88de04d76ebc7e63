"""Whether bytes say what was asked and were signed by whom it was asked of."""

from __future__ import annotations

import os
from typing import Any

import pytest
import rlp
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.chain.sending.digest_signer import digest_signer
from keeper.chain.sending.signed import CURVE_ORDER, LARGEST_S, assemble, digest, verify
from keeper.core.errors import SubmitError
from keeper.core.units import Address
from tests.unit.chain.sending.test_signers import ADDRESS, FEE_MARKET, KEY, LEGACY

CASES = int(os.environ.get("KEEPER_CASES", "100"))
BOTH = pytest.mark.parametrize("transaction", [FEE_MARKET, LEGACY], ids=["fee_market", "legacy"])
OTHERS = [
    {"nonce": 1},
    {"to": "0x" + "11" * 20},
    {"value": 1},
    {"gas": 22_000},
    {"data": b"\x02"},
    {"chainId": 1337},
]


def signed(transaction: dict[str, Any], key: bytes = KEY) -> bytes:
    return bytes(Account.sign_transaction(transaction, key).raw_transaction)


def twin(raw: bytes) -> bytes:
    """The same transaction of the same signer with the other s (malleated)."""
    typed = raw[:1] == b"\x02"
    *fields, v, r, s = rlp.decode(raw[1:] if typed else raw)
    number, other = int.from_bytes(v, "big"), CURVE_ORDER - int.from_bytes(s, "big")
    flipped = 1 - number if typed else (number - 1 if number % 2 == 0 else number + 1)
    encoded: bytes = rlp.encode([*fields, flipped, r, other])
    return b"\x02" + encoded if typed else encoded


@BOTH
def test_verify__signed_as_asked__agrees_with_another_implementation(transaction: dict[str, Any]) -> None:
    raw = signed(transaction)
    verify(raw, transaction, ADDRESS)
    *_, r, s = rlp.decode(raw[1:] if raw[0] == 2 else raw)
    forms = [assemble(transaction, parity, int.from_bytes(r, "big"), int.from_bytes(s, "big")) for parity in (0, 1)]
    assert raw in forms


@pytest.mark.fault("S11")
@BOTH
@pytest.mark.parametrize("other", OTHERS)
def test_verify__signed_something_else__refused(transaction: dict[str, Any], other: dict[str, Any]) -> None:
    with pytest.raises(SubmitError, match="expected"):
        verify(signed(transaction | other), transaction, ADDRESS)


@pytest.mark.fault("S11")
@pytest.mark.parametrize("other", [{"maxFeePerGas": 10**9 + 1}, {"maxPriorityFeePerGas": 1}])
def test_verify__offers_other_fees__refused(other: dict[str, Any]) -> None:
    with pytest.raises(SubmitError, match=next(iter(other))):
        verify(signed(FEE_MARKET | other), FEE_MARKET, ADDRESS)


@pytest.mark.fault("S11")
def test_verify__carries_an_access_list__refused() -> None:
    raw = signed(FEE_MARKET | {"accessList": [{"address": ADDRESS, "storageKeys": []}]})
    with pytest.raises(SubmitError, match=r"access list: expected none|something else"):
        verify(raw, FEE_MARKET, ADDRESS)


@pytest.mark.fault("S11")
@BOTH
def test_verify__signed_by_another_key__refused(transaction: dict[str, Any]) -> None:
    with pytest.raises(SubmitError, match="signed by"):
        verify(signed(transaction, b"\x07" * 32), transaction, ADDRESS)


@pytest.mark.fault("S11")
@BOTH
def test_verify__other_of_the_two_signatures__refused(transaction: dict[str, Any]) -> None:
    other = twin(signed(transaction))
    assert Account.recover_transaction(other) == ADDRESS, "others would take it for ours"
    with pytest.raises(SubmitError, match="the smaller s"):
        verify(other, transaction, ADDRESS)


@pytest.mark.fault("S11")
def test_verify__legacy_without_its_chain__refused() -> None:
    with pytest.raises(SubmitError, match="chain id: expected 31337"):
        verify(signed({k: v for k, v in LEGACY.items() if k != "chainId"}), LEGACY, ADDRESS)


@pytest.mark.fault("S11")
@BOTH
def test_verify__the_other_type_or_no_transaction__refused(transaction: dict[str, Any]) -> None:
    other = signed(LEGACY if transaction is FEE_MARKET else FEE_MARKET)
    for raw in (
        other,
        b"",
        b"\x02",
        b"\x01" + signed(LEGACY),
        b"\xc1" * 100,
        signed(transaction) + b"\0",
        b"\xc0" * 9**5,
    ):
        with pytest.raises(SubmitError, match="something else"):
            verify(raw, transaction, ADDRESS)


@pytest.mark.fault("S11")
@settings(max_examples=CASES)
@given(st.data())
def test_verify__any_byte_changed__refused(data: st.DataObject) -> None:
    transaction = data.draw(st.sampled_from([FEE_MARKET, LEGACY]))
    raw = bytearray(signed(transaction))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SubmitError):
        verify(bytes(raw), transaction, ADDRESS)


# --- keys that sign digests ------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("large", [False, True])
def test_digest_signer__whichever_s_the_service_gives__signs_as_a_key_does(
    transaction: dict[str, Any], large: bool
) -> None:
    def service(asked: bytes) -> tuple[int, int]:
        found = Account.unsafe_sign_hash(asked, KEY)
        assert found.s <= LARGEST_S
        return found.r, CURVE_ORDER - found.s if large else found.s

    assert digest_signer(ADDRESS, service).sign(transaction) == signed(transaction)
    assert len(digest(transaction)) == 32


@pytest.mark.fault("S11")
@pytest.mark.parametrize("answer", [(0, 0), (1, 1), (CURVE_ORDER, 5), (5, CURVE_ORDER)])
def test_digest_signer__nonsense_or_another_key__refused(answer: tuple[int, int]) -> None:
    with pytest.raises(SubmitError):
        digest_signer(ADDRESS, lambda asked: answer).sign(FEE_MARKET)
    with pytest.raises(SubmitError, match="signed by"):
        other = Account.unsafe_sign_hash(digest(FEE_MARKET), b"\x07" * 32)
        digest_signer(Address(ADDRESS), lambda asked: (other.r, other.s)).sign(FEE_MARKET)
