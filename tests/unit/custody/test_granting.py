"""The Safe's calls that grant a role and take it away."""

from __future__ import annotations

from keeper.core.abi import arguments, calldata, selector
from keeper.core.calls import Inner
from keeper.custody.granting import ASSIGN, DAY, SET_ALLOWANCE, UNWRAPPER, Grant
from keeper.custody.multi_send import MULTI_SEND
from keeper.custody.roles import Allowance
from keeper.custody.scopes import APPROVE, SCOPE_FUNCTION
from tests.builders import USDC, V2_ROUTER, WETH
from tests.unit.custody.safes import BATCHER, KEY, MODIFIER, SAFE
from tests.unit.custody.test_scopes import OUT, ROLE, V2, V3, of

GRANT = Grant(SAFE, MODIFIER, KEY, ROLE, BATCHER, of(V2, V3), OUT, {WETH: 100, USDC: 7})
UNWRAP = "setTransactionUnwrapper(address,bytes4,address)"
SCOPE_TARGET, REVOKE_TARGET = "scopeTarget(bytes32,address)", "revokeTarget(bytes32,address)"


def named(calls: list[Inner]) -> list[str]:
    names = (
        "enableModule(address)",
        UNWRAP,
        SET_ALLOWANCE,
        SCOPE_TARGET,
        REVOKE_TARGET,
        SCOPE_FUNCTION,
        ASSIGN,
        APPROVE,
    )
    known = {selector(name): name.partition("(")[0] for name in names}
    return [known[data[:4]] for _, _, data in calls]


def test_give__to_a_bare_modifier__sets_everything_and_the_member_last() -> None:
    calls = GRANT.give(is_enabled=False, is_unwrapped=False)
    expected = ["enableModule", "setTransactionUnwrapper", *["setAllowance"] * 2, *["scopeTarget"] * 4]
    assert named(calls) == [*expected, *["scopeFunction"] * 4, "assignRoles"]
    assert [to for to, _, _ in calls] == [SAFE, *[MODIFIER] * (len(calls) - 1)]
    assert all(value == 0 for _, value, _ in calls)
    assert arguments(UNWRAP, calls[1][2]) == (BATCHER, selector(MULTI_SEND), UNWRAPPER)
    assert arguments(ASSIGN, calls[-1][2]) == (KEY, (ROLE,), (True,))


def test_give__again__leaves_what_is_there() -> None:
    assert named(GRANT.give(is_enabled=True, is_unwrapped=True))[0] == "setAllowance"


def test_give__each_allowance__is_full_and_refills_in_a_day() -> None:
    for token, (_, _, data) in zip(OUT, GRANT.give(is_enabled=True, is_unwrapped=True), strict=False):
        key, balance, most, refill, period, at = arguments(SET_ALLOWANCE, data)
        assert (key, balance, at) == (OUT[token], GRANT.a_day[token], 0)
        found = Allowance(refill, most, period, balance, at)
        assert (found.most(0), found.most(DAY)) == (GRANT.a_day[token], 2 * GRANT.a_day[token])


def test_take__a_role__begins_with_the_member_and_ends_with_what_routers_may_take() -> None:
    standing = {(WETH, V2_ROUTER.address): 5, (USDC, V2_ROUTER.address): 0}
    calls = GRANT.take(standing)
    assert named(calls) == ["assignRoles", *["revokeTarget"] * 4, *["setAllowance"] * 2, "approve"]
    assert arguments(ASSIGN, calls[0][2]) == (KEY, (ROLE,), (False,))
    assert calls[-1] == (WETH.address, 0, calldata(APPROVE, V2_ROUTER.address, 0))
    assert arguments(SET_ALLOWANCE, calls[-2][2]) == (OUT[USDC], 0, 0, 0, 0, 0)
