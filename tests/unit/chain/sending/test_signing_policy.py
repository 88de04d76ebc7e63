"""What a key signs, and everything that it does not, whoever asks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.chain.sending.signing_policy import DEPOSIT, HeldSigner, Inner, Policy
from keeper.core.abi import calldata, selector
from keeper.core.errors import SubmitError
from keeper.core.pools import Router
from keeper.core.units import Address, Wei
from keeper.guards.swaps import MULTICALL, V2_SWAP, V2_SWAP02, V3_SWAP02, decode_swaps
from tests.builders import ACCOUNT, CHAIN, NOW, USDC, V2_ROUTER, WETH, address
from tests.unit.chain.lives import GWEI, PlainSigner

ROUTER, ROUTER02, STRANGER = V2_ROUTER.address, address(0x3202), address(0xBAD)
SWAP_ROUTER02 = Router("swap_router02", ROUTER02)
SAFE, SPONGE = address(0x5AFE), address(0x5906E)
EXECUTE = selector("execute((address,uint256,bytes)[])")
PERFORM = calldata("perform(uint256)", 3)
CASES = int(os.environ.get("KEEPER_CASES", "300"))


def unwrap(data: bytes) -> Sequence[Inner] | str:
    """Of a Safe as simple as one can be."""
    try:
        (calls,) = decode(["(address,uint256,bytes)[]"], data[4:])
    except DecodingError as error:
        return str(error)
    return [(Address(address(int(to, 16))), value, inner) for to, value, inner in calls]


def wrapped(*calls: Inner) -> bytes:
    return EXECUTE + encode(["(address,uint256,bytes)[]"], [calls])


POLICY = Policy(
    chain_id=CHAIN,
    max_fee=Wei(90 * GWEI),
    accounts=frozenset({ACCOUNT}),
    tokens=frozenset({WETH.address, USDC.address}),
    routers={
        ROUTER: partial(decode_swaps, V2_ROUTER),
        ROUTER02: partial(decode_swaps, SWAP_ROUTER02),
    },
    now=lambda: NOW,
    max_deadline=600,
    wrapped=WETH.address,
    targets=frozenset({(SPONGE, PERFORM[:4])}),
)
OF_SAFE = replace(POLICY, accounts=frozenset({SAFE}), openers={(SAFE, EXECUTE): unwrap})
"""The same key where a Safe holds the funds."""


def swap(
    sell: int = 10, min_out: int = 9, path: Sequence[Address] = (WETH.address, USDC.address), to: Address = ACCOUNT,
    deadline: int = NOW + 60,
) -> bytes:  # fmt: skip
    return calldata(V2_SWAP, sell, min_out, list(path), to, deadline)


def timed(deadline: int, *inner: bytes) -> bytes:
    return calldata(MULTICALL, deadline, list(inner))


SINGLE = calldata(V3_SWAP02, (WETH.address, USDC.address, 500, ACCOUNT, 10, 9, 0))
IN_PATH = calldata(V2_SWAP02, 10, 9, [WETH.address, USDC.address], ACCOUNT)


def approve(amount: int, spender: Address = ROUTER) -> bytes:
    return calldata("approve(address,uint256)", spender, amount)


def signer(policy: Policy = POLICY) -> HeldSigner:
    return HeldSigner(PlainSigner([]), policy)


def transaction(**changes: Any) -> dict[str, object]:
    plain = {
        "chainId": CHAIN, "nonce": 7, "gas": 200_000, "value": 0, "type": 2,
        "maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": GWEI, "to": ROUTER, "data": swap(),
    }  # fmt: skip
    return plain | changes


def legacy(**changes: Any) -> dict[str, object]:
    return {
        "chainId": CHAIN,
        "nonce": 7,
        "gas": 21_000,
        "value": 0,
        "gasPrice": GWEI,
        "to": ACCOUNT,
        "data": b"",
    } | changes


ALLOWED: list[Mapping[str, Any]] = [
    {"to": ROUTER, "data": swap()},
    {"to": ROUTER, "data": swap(deadline=NOW + 600)},
    {"to": ROUTER02, "data": timed(NOW + 1, SINGLE)},
    {"to": ROUTER02, "data": timed(NOW + 1, IN_PATH)},
    {"to": WETH.address, "data": approve(5)},
    {"to": WETH.address, "data": approve((1 << 128) - 2, ROUTER02)},
    {"to": USDC.address, "data": approve(0)},
    {"to": USDC.address, "data": approve(0, STRANGER)},  # what a person once approved is taken back
    {"to": WETH.address, "data": DEPOSIT, "value": 10**18},
    {"to": WETH.address, "data": calldata("withdraw(uint256)", 7)},
    {"to": SPONGE, "data": PERFORM},
    {"to": ACCOUNT, "data": b""},
]


@pytest.mark.parametrize("call", ALLOWED)
def test_sign__what_the_keeper_does__signed(call: Mapping[str, Any]) -> None:
    assert signer().sign(transaction(**call))


def test_sign__legacy_cancel__signed() -> None:
    assert signer().sign(legacy())


REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({"chainId": 1}, "chain: expected 31337, was 1"),
    ({"chainId": None}, "was None"),
    ({"maxFeePerGas": 91 * GWEI}, "fee: expected at most 90,000,000,000 wei"),
    ({"maxFeePerGas": None}, "fee"),
    ({"maxPriorityFeePerGas": 4 * GWEI}, "tip"),
    ({"gas": 1 << 25}, "gas"),
    ({"gas": 0}, "gas"),
    ({"type": 4}, "type 4"),
    ({"authorizationList": []}, "found authorizationList"),
    ({"accessList": []}, "found accessList"),
    ({"value": 1}, "value: expected none"),
    ({"data": "0x"}, "found something else"),
    ({"to": None, "data": b"\x60\x00"}, "found something else"),
    ({"to": STRANGER}, "was 0x38ed1739"),
    ({"to": SPONGE}, "was 0x38ed1739"),
    ({"to": SPONGE, "data": PERFORM, "value": 1}, "value"),
    ({"to": USDC.address, "data": approve(1, STRANGER)}, "approval: expected a router"),
    ({"to": USDC.address, "data": approve((1 << 256) - 1)}, "an exact amount"),
    ({"to": USDC.address, "data": approve((1 << 160) - 1)}, "an exact amount"),
    ({"to": USDC.address, "data": approve((1 << 128) - 1)}, "an exact amount"),
    ({"to": USDC.address, "data": approve((1 << 96) - 1)}, "an exact amount"),
    ({"to": USDC.address, "data": b"\x09\x5e\xa7\xb3" + b"\xff" * 64}, "no address"),
    ({"to": USDC.address, "data": calldata("transfer(address,uint256)", STRANGER, 1)}, "was 0xa9059cbb"),
    ({"to": USDC.address, "data": approve(1) + b"\0"}, "was 0x095ea7b3"),
    ({"to": USDC.address, "data": calldata("withdraw(uint256)", 1)}, "was 0x2e1a7d4d"),
    ({"to": ACCOUNT, "data": b"", "value": 1}, "neither data nor value"),
    ({"to": ACCOUNT, "data": b"\x01"}, "neither data nor value"),
    ({"to": ROUTER, "data": b""}, "swap: selector"),
    ({"to": ROUTER, "data": swap(min_out=0)}, "amounts above 0"),
    ({"to": ROUTER, "data": swap(sell=0)}, "amounts above 0"),
    ({"to": ROUTER, "data": swap(to=STRANGER)}, f"as recipient, was {STRANGER}"),
    ({"to": ROUTER, "data": swap(to=ROUTER)}, "as recipient"),
    ({"to": ROUTER, "data": swap(path=[WETH.address, STRANGER])}, "tokens of the configuration"),
    ({"to": ROUTER, "data": swap(deadline=NOW)}, "was one in 0 s"),
    ({"to": ROUTER, "data": swap(deadline=NOW + 601)}, "was one in 601 s"),
    ({"to": ROUTER, "data": swap() + b"\0"}, "canonical"),
    ({"to": ROUTER02, "data": SINGLE}, "swap: selector"),
    ({"to": ROUTER02, "data": timed(NOW + 60)}, "expected 1 call or more inside"),
    ({"to": ROUTER02, "data": timed(NOW + 60, calldata("refundETH()"))}, "swap: selector"),
]


@pytest.mark.fault("S13")
@pytest.mark.parametrize(("changes", "said"), REFUSED)
def test_sign__anything_else__refused_before_the_key_is_asked(changes: Mapping[str, Any], said: str) -> None:
    held = signer()
    with pytest.raises(SubmitError, match="policy: ") as caught:
        held.sign(transaction(**changes))
    assert said in str(caught.value)
    assert isinstance(held.signer, PlainSigner) and held.signer.signed == []


PERMIT = "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"
DAI_PERMIT = "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)"
PERMIT2 = Address("0x000000000022D473030F116dDEE9F6B43aC78BA3")


@pytest.mark.fault("K20")
@pytest.mark.parametrize(
    ("to", "data"),
    [
        (USDC.address, calldata(PERMIT, ACCOUNT, ROUTER, 5, NOW + 60, 27, bytes(32), bytes(32))),
        (USDC.address, calldata(DAI_PERMIT, ACCOUNT, ROUTER, 5, NOW + 60, True, 27, bytes(32), bytes(32))),
        (USDC.address, calldata("increaseAllowance(address,uint256)", ROUTER, 5)),
        (USDC.address, approve(5, PERMIT2)),
        (PERMIT2, calldata("approve(address,address,uint160,uint48)", USDC.address, ROUTER, 5, NOW + 60)),
        (
            ROUTER02,
            timed(
                NOW + 60,
                calldata(PERMIT.replace("permit", "selfPermit"), ACCOUNT, ROUTER, 5, 6, 7, bytes(32), bytes(32)),
            ),
        ),
    ],
    ids=["permit", "DAI's", "increase", "to Permit2", "in Permit2", "selfPermit"],
)
def test_sign__any_permit__refused_before_the_key_is_asked(to: Address, data: bytes) -> None:
    held = signer()
    with pytest.raises(SubmitError, match="policy: "):
        held.sign(transaction(to=to, data=data))
    assert isinstance(held.signer, PlainSigner) and held.signer.signed == []


@pytest.mark.fault("K13")
@pytest.mark.fault("K19")
@pytest.mark.parametrize("bits", [96, 128, 160, 255, 256])
def test_sign__approval_without_end__refused(bits: int) -> None:
    """Some tokens read the largest amount as "all that is there, always": it is never approved nor moved."""
    with pytest.raises(SubmitError, match="an exact amount"):
        signer().sign(transaction(to=USDC.address, data=approve((1 << bits) - 1)))


# --- what is inside ---------------------------------------------------------------------------------------------------

BATCH = (
    (WETH.address, 0, approve(10)),
    (ROUTER, 0, swap(to=SAFE)),
    (WETH.address, 0, approve(0)),
)


def test_sign__through_a_custody__judged_call_by_call() -> None:
    held = signer(OF_SAFE)
    assert held.sign(transaction(to=SAFE, data=wrapped(*BATCH)))
    assert held.sign(transaction(to=SAFE, data=wrapped((WETH.address, 3, DEPOSIT), *BATCH)))
    assert held.sign(transaction(to=SAFE, data=wrapped(*BATCH[:2]))), "the swap uses up all that was approved"


@pytest.mark.fault("S13")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"to": ROUTER, "data": swap(to=SAFE)}, "one through the custody of the funds"),
        ({"to": WETH.address, "data": DEPOSIT, "value": 1}, "one through the custody of the funds"),
        ({"to": SAFE, "data": b"\x01\x02\x03\x04"}, "one through the custody of the funds"),
        ({"to": SAFE, "data": wrapped()}, "found nothing"),
        ({"to": SAFE, "data": EXECUTE + b"\x01"}, "policy: "),
        ({"to": SAFE, "data": wrapped(*BATCH), "value": 1}, "value"),
        ({"to": SAFE, "data": wrapped(BATCH[0])}, "expected none left, was 10 raw"),
        ({"to": SAFE, "data": wrapped((WETH.address, 0, approve(11)), BATCH[1])}, "expected none left, was 1 raw"),
        ({"to": SAFE, "data": wrapped(BATCH[1], BATCH[0])}, "expected none left"),
        ({"to": SAFE, "data": wrapped(*BATCH, (ROUTER, 0, swap(to=ACCOUNT)))}, "as recipient"),
        ({"to": SAFE, "data": wrapped((ROUTER, 1, swap(to=SAFE)))}, "value"),
        ({"to": SAFE, "data": wrapped((STRANGER, 0, b""))}, f"of {STRANGER}"),
        ({"to": SAFE, "data": wrapped((SAFE, 0, calldata("enableModule(address)", STRANGER)))}, f"of {SAFE}"),
        ({"to": SAFE, "data": wrapped((SAFE, 0, wrapped(*BATCH)))}, f"of {SAFE}"),
    ],
)
def test_sign__something_else_inside__refused(changes: Mapping[str, Any], said: str) -> None:
    with pytest.raises(SubmitError, match="policy: ") as caught:
        signer(OF_SAFE).sign(transaction(**changes))
    assert said in str(caught.value)


# --- whatever is asked ------------------------------------------------------------------------------------------------

ADDRESSES = st.sampled_from([ROUTER, ROUTER02, STRANGER, WETH.address, USDC.address, ACCOUNT, SAFE, SPONGE])
AMOUNTS = st.sampled_from([0, 1, 10, (1 << 96) - 1, (1 << 256) - 1]) | st.integers(0, (1 << 256) - 1)
TIMES = st.integers(NOW - 700, NOW + 700) | st.sampled_from([0, (1 << 256) - 1])
SWAPS = st.builds(swap, AMOUNTS, AMOUNTS, st.lists(ADDRESSES, min_size=2, max_size=3), ADDRESSES, TIMES)
DATA = (
    SWAPS
    | st.builds(approve, AMOUNTS, ADDRESSES)
    | st.builds(timed, TIMES, st.sampled_from([SINGLE, IN_PATH]))
    | st.binary(max_size=80)
    | st.sampled_from([call["data"] for call in ALLOWED])
)
VALUES = st.sampled_from([0, 0, 0, 1, 10**18])
INNER = st.tuples(ADDRESSES, VALUES, DATA)


def harm(call: Inner, holder: Address) -> str:
    """What a call could do that no trade of ours does: judged here by other words than the policy's."""
    to, value, data = call
    if value:
        return "" if (to, data) == (WETH.address, bytes.fromhex("d0e30db0")) else "pays coin"
    if to in (WETH.address, USDC.address):
        if data[:4].hex() == "095ea7b3":
            spender, amount = data[16:36].hex(), int.from_bytes(data[36:68], "big")
            known = spender in (ROUTER[2:].lower(), ROUTER02[2:].lower())
            if not amount:
                return ""
            return "" if known and amount < (1 << 128) - 1 and amount != (1 << 96) - 1 else "approves too much"
        return "" if data[:4].hex() in ("2e1a7d4d", "d0e30db0") and to == WETH.address else "moves a token"
    if to in (ROUTER, ROUTER02):
        found = decode_swaps(V2_ROUTER if to == ROUTER else SWAP_ROUTER02, data)
        if isinstance(found, str):
            return "calls a router otherwise"
        is_bounded = all(
            swap.min_out > 0 and NOW < (swap.deadline or 0) <= NOW + 600 and swap.recipient == holder for swap in found
        )
        return "" if is_bounded else "trades without bounds"
    return "" if (to, data[:4]) == (SPONGE, PERFORM[:4]) else "calls a stranger"


@pytest.mark.fault("S13")
@settings(max_examples=CASES)
@given(INNER)
def test_sign__fuzzed__nothing_that_harms(call: Inner) -> None:
    to, value, data = call
    refused = POLICY.objection(transaction(to=to, value=value, data=data), ACCOUNT)
    if to == ACCOUNT:
        assert bool(refused) is bool(data or value)
    else:
        assert refused or not harm(call, ACCOUNT)


@pytest.mark.fault("S13")
@settings(max_examples=CASES)
@given(st.lists(INNER | st.sampled_from(BATCH), min_size=1, max_size=4))
def test_sign__fuzzed_inside__nothing_that_harms_and_nothing_left_approved(calls: list[Inner]) -> None:
    if OF_SAFE.objection(transaction(to=SAFE, data=wrapped(*calls)), ACCOUNT):
        return
    assert [harm(call, SAFE) for call in calls if harm(call, SAFE)] == []
    last = {(to, data[16:36]): data for to, _, data in calls if data[:4].hex() == "095ea7b3"}
    for (token, spender), data in last.items():
        used = any(to[2:].lower() == spender.hex() for to, _, _ in calls)
        assert used or not int.from_bytes(data[36:68], "big"), f"{token} is left approved"
