"""A configuration's limits, as a key is held to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.app.policies import hold_signers, make_policy
from keeper.config import Loaded
from keeper.core.abi import calldata
from keeper.core.errors import SubmitError
from keeper.core.pools import Router
from keeper.core.template import REBALANCE
from keeper.core.units import Address
from keeper.guards.swaps import MULTICALL, V3_SWAP02
from tests.builders import CHAIN, NOW, USDC, WETH, address
from tests.unit.app.app_configs import HOLDER, config
from tests.unit.chain.lives import GWEI, PlainSigner

ROUTER = Router("swap_router02", address(0x3202))


class FixedClock:
    def now(self) -> int:
        return NOW


def swap(recipient: Address = HOLDER, deadline: int = NOW + 600) -> dict[str, object]:
    single = calldata(V3_SWAP02, (WETH.address, USDC.address, 500, recipient, 10, 9, 0))
    return {
        "chainId": CHAIN, "nonce": 7, "gas": 200_000, "value": 0, "type": 2, "maxFeePerGas": 3 * GWEI,
        "maxPriorityFeePerGas": GWEI, "to": ROUTER.address, "data": calldata(MULTICALL, deadline, [single]),
    }  # fmt: skip


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    return config(tmp_path)


@pytest.mark.fault("S13")
def test_policy__of_a_vaults_signer__signs_its_swaps_and_no_others(loaded: Loaded) -> None:
    held = hold_signers(loaded.config, "local", [ROUTER], {HOLDER: PlainSigner([], HOLDER)}, FixedClock())[HOLDER]
    assert held.sign(swap())
    assert held.sign(swap(deadline=NOW + 600 + 30)), "the head may be ahead of this machine's clock"
    for refused in (
        swap(address(0xBAD)),
        swap(deadline=NOW),
        swap(deadline=NOW + 631),
        swap() | {"maxFeePerGas": 10**13},
    ):
        with pytest.raises(SubmitError, match="policy"):
            held.sign(refused)


@pytest.mark.fault("S13")
def test_policy__of_a_key_that_no_vault_uses__signs_cancels_only(loaded: Loaded) -> None:
    other = address(0x07E4)
    policy = make_policy(loaded.config, "local", [ROUTER], other, FixedClock())
    assert "through the custody" in policy.objection(swap(other), other)
    assert policy.objection(swap() | {"to": other, "data": b""}, other) == ""


VAULT = address(0x7A17)


@pytest.mark.fault("S13")
def test_policy__of_a_contracts_keeper__signs_its_one_call_with_swaps_that_pay_the_contract(tmp_path: Path) -> None:
    held = f'{{kind: contract, signer: ops, address: "{VAULT}"}}'
    loaded = config(tmp_path, ("{kind: wallet, signer: ops}", held))
    policy = make_policy(loaded.config, "local", [ROUTER], HOLDER, FixedClock())

    def outer(recipient: Address = VAULT, to: Address = VAULT, min_out: int = 9) -> dict[str, object]:
        inner = (ROUTER.address, swap(recipient)["data"], WETH.address, 10, USDC.address, min_out)
        return swap() | {"to": to, "data": calldata(REBALANCE, [inner], NOW + 600)}

    assert policy.objection(outer(), HOLDER) == ""
    for refused, reason in (
        (swap(VAULT), "expected one through the custody of the funds"),
        (outer(HOLDER), "expected an account of the configuration as recipient"),
        (outer(min_out=8), "min_out: expected 9 as the swap has it, was 8"),
        (outer(to=address(0xBAD)), "expected one through the custody of the funds"),
        (outer() | {"value": 1}, "value: expected none with a call of the custody"),
        (swap() | {"to": VAULT, "data": calldata("pause()")}, "expected one through the custody of the funds"),
    ):
        assert reason in policy.objection(refused, HOLDER)
