"""What a key signs, and everything that it does not, whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.sending.signing_policy import HeldSigner, Policy
from keeper.core.abi import calldata
from keeper.core.errors import SubmitError
from keeper.core.units import Wei
from tests.builders import ACCOUNT, CHAIN, USDC, V2_ROUTER, WETH, address
from tests.unit.chain.lives import GWEI, PlainSigner

ROUTER, STRANGER = V2_ROUTER.address, address(0xBAD)
POLICY = Policy(Wei(90 * GWEI), frozenset({ROUTER}), frozenset({WETH.address, USDC.address}), WETH.address)
SWAP = {"to": ROUTER, "data": b"\x38\xed\x17\x39" + bytes(32)}


def signer() -> HeldSigner:
    return HeldSigner(PlainSigner([]), {CHAIN: POLICY})


def transaction(**changes: Any) -> dict[str, object]:
    plain = {
        "chainId": CHAIN, "nonce": 7, "gas": 200_000, "value": 0, "type": 2,
        "maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": GWEI,
    }  # fmt: skip
    return plain | SWAP | changes


ALLOWED: list[Mapping[str, Any]] = [
    SWAP,
    {"to": WETH.address, "data": calldata("approve(address,uint256)", ROUTER, 5)},
    {"to": USDC.address, "data": calldata("approve(address,uint256)", ROUTER, 0)},
    {"to": WETH.address, "data": calldata("deposit()"), "value": 10**18},
    {"to": WETH.address, "data": calldata("withdraw(uint256)", 7)},
    {"to": ACCOUNT, "data": b""},
]


@pytest.mark.parametrize("call", ALLOWED)
def test_sign__what_the_keeper_does__signed(call: Mapping[str, Any]) -> None:
    assert signer().sign(transaction(**call))


@pytest.mark.fault("S13")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"chainId": 1}, "chain 1"),
        ({"chainId": None}, "chain None"),
        ({"maxFeePerGas": 91 * GWEI}, "fee: expected at most 90,000,000,000 wei"),
        ({"gas": 1 << 25}, "gas"),
        ({"value": 1}, "value: expected none"),
        ({"to": STRANGER}, "was 0x38ed1739"),
        ({"to": USDC.address, "data": calldata("approve(address,uint256)", STRANGER, 1)}, "approval"),
        ({"to": USDC.address, "data": calldata("transfer(address,uint256)", STRANGER, 1)}, "was 0xa9059cbb"),
        ({"to": USDC.address, "data": calldata("approve(address,uint256)", ROUTER, 1) + b"\0"}, "was 0x095ea7b3"),
        ({"to": USDC.address, "data": calldata("withdraw(uint256)", 1)}, "was 0x2e1a7d4d"),
        ({"to": ACCOUNT, "data": b"", "value": 1}, "value"),
        ({"to": ACCOUNT, "data": b"\x01"}, "no data"),
        ({"to": None, "data": b"\x60\x00"}, "of None"),
        ({"to": ROUTER, "data": b""}, "a function of the router"),
    ],
)
def test_sign__anything_else__refused_before_the_key_is_asked(changes: Mapping[str, Any], said: str) -> None:
    held = signer()
    with pytest.raises(SubmitError, match="policy: ") as caught:
        held.sign(transaction(**changes))
    assert said in str(caught.value)
    assert isinstance(held.signer, PlainSigner) and held.signer.signed == []


@pytest.mark.fault("S13")
@given(
    st.sampled_from([ROUTER, STRANGER, WETH.address, USDC.address, ACCOUNT, None]),
    st.binary(max_size=80) | st.sampled_from([call["data"] for call in ALLOWED]),
    st.sampled_from([0, 1, 10**18]),
)
def test_sign__fuzzed__never_pays_or_approves_a_stranger(to: Any, data: bytes, value: int) -> None:
    try:
        signer().sign(transaction(to=to, data=data, value=value))
    except SubmitError:
        return
    assert to not in (STRANGER, None)
    assert value == 0 or (to, data) == (WETH.address, calldata("deposit()"))
    if to == USDC.address:
        assert data[:4] == bytes.fromhex("095ea7b3") and data[16:36].hex() == ROUTER[2:].lower()
