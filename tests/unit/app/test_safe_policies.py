"""What a key of a Safe signs: its own envelope around the calls that a wallet would make, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from keeper.app.custodies import make_envelope
from keeper.app.policies import make_policy
from keeper.core.abi import arguments, calldata
from keeper.core.calls import Inner
from keeper.core.units import Address
from keeper.custody.multi_send import DELEGATECALL, MULTI_SEND, Operation, bundle
from keeper.custody.roles import EXECUTE as WITH_ROLE
from keeper.custody.safe import EXECUTE, NOBODY
from tests.builders import USDC, WETH, address
from tests.unit.app.app_configs import HOLDER, config
from tests.unit.app.test_policies import ROUTER, FixedClock, swap

SAFE, MODIFIER, BATCHER = address(0x5AFE), address(0x2013), address(0xBA7C)
ALSO = f'safe: "{SAFE}", multi_send: "{BATCHER}", signer: ops'
KINDS = {
    "safe": f"{{kind: safe, {ALSO}}}",
    "safe_module": f"{{kind: safe_module, {ALSO}}}",
    "module": f'{{kind: safe_module, module: "{MODIFIER}", {ALSO}}}',
    "roles": f'{{kind: roles, modifier: "{MODIFIER}", role: rebalancer, {ALSO}}}',
}


def approve(raw: int, spender: Address = ROUTER.address) -> Inner:
    return WETH.address, 0, calldata("approve(address,uint256)", spender, raw)


def sell(recipient: Address = SAFE) -> Inner:
    return ROUTER.address, 0, bytes(swap(recipient)["data"])  # type: ignore[call-overload]


GOOD = (approve(10), sell(), approve(0))
TO_THIEF = calldata("transfer(address,uint256)", HOLDER, 10)
BAD: tuple[tuple[Sequence[Inner], str], ...] = (
    ((approve(10), sell(HOLDER), approve(0)), "expected an account of the configuration as recipient"),
    ((approve(11), sell()), "approval: expected none left, was 1 raw"),
    ((approve(10), sell(), (WETH.address, 0, TO_THIEF)), "expected an approval, a wrap or a router's function"),
    (((SAFE, 0, calldata("enableModule(address)", HOLDER)),), "expected an approval, a wrap or a router's function"),
    ((approve(10, HOLDER), approve(0, HOLDER)), "approval: expected a router of the configuration"),
    ((approve((1 << 256) - 1), sell(), approve(0)), "approval: expected an exact amount"),
    (((HOLDER, 10**18, b""),), "value: expected none"),
    (((USDC.address, 0, TO_THIEF),), "expected an approval, a wrap or a router's function"),
)


@pytest.mark.fault("S13")
@pytest.mark.parametrize("kind", KINDS)
def test_policy__of_a_safes_key__judges_what_is_inside_as_if_the_key_had_called_it(tmp_path: Path, kind: str) -> None:
    loaded = config(tmp_path, ("{kind: wallet, signer: ops}", KINDS[kind]))
    policy = make_policy(loaded.config, "local", [ROUTER], HOLDER, FixedClock())
    envelope = make_envelope(loaded.config, "treasury", {})

    def outer(operation: Operation) -> dict[str, object]:
        return swap() | {"to": envelope.target, "data": envelope.seal(operation)}

    good = bundle(GOOD, BATCHER)
    assert policy.objection(outer(good), HOLDER) == ""
    assert policy.objection(outer(bundle([approve(0)], BATCHER)), HOLDER) == ""
    for calls, reason in BAD:
        assert reason in policy.objection(outer(bundle(calls, BATCHER)), HOLDER)
    another = Operation(HOLDER, 0, calldata(MULTI_SEND, b""), DELEGATECALL)
    assert "or a delegatecall of" in policy.objection(outer(another), HOLDER)
    assert "value: expected none with a call of the custody" in policy.objection(outer(good) | {"value": 1}, HOLDER)
    assert "through the custody" in policy.objection(swap(SAFE), HOLDER), "the key holds nothing itself"


@pytest.mark.fault("S13")
@pytest.mark.parametrize("place", range(4, 9), ids=["safeTxGas", "baseGas", "gasPrice", "gasToken", "refundReceiver"])
def test_policy__an_owner_that_would_be_paid_back__is_not_signed(tmp_path: Path, place: int) -> None:
    """A refund of gas is a way out for funds: at any price, to anybody."""
    loaded = config(tmp_path, ("{kind: wallet, signer: ops}", KINDS["safe"]))
    policy = make_policy(loaded.config, "local", [ROUTER], HOLDER, FixedClock())
    said = list(arguments(EXECUTE, make_envelope(loaded.config, "treasury", {}).seal(bundle(GOOD, BATCHER))))
    said[place] = HOLDER if said[place] == NOBODY else 1
    found = policy.objection(swap() | {"to": SAFE, "data": calldata(EXECUTE, *said)}, HOLDER)
    assert "expected no gas refund and this key's own signature, role and flags" in found


@pytest.mark.fault("S13")
def test_policy__a_role_that_would_not_revert_or_is_another__is_not_signed(tmp_path: Path) -> None:
    loaded = config(tmp_path, ("{kind: wallet, signer: ops}", KINDS["roles"]))
    policy = make_policy(loaded.config, "local", [ROUTER], HOLDER, FixedClock())
    said = arguments(WITH_ROLE, make_envelope(loaded.config, "treasury", {}).seal(bundle(GOOD, BATCHER)))
    for spoiled in ((*said[:5], False), (*said[:4], b"another".ljust(32, b"\0"), True)):
        found = policy.objection(swap() | {"to": MODIFIER, "data": calldata(WITH_ROLE, *spoiled)}, HOLDER)
        assert "role and flags" in found
