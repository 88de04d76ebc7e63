"""Funds in Safes of real bytecode: two legs in one transaction, all or nothing, by a key that may do what it was given.

Safe 1.4.1 and 1.3.0, MultiSendCallOnly and Uniswap come from npm. Zodiac's Roles modifier does not: a contract of ours
with its interface and its errors stands in for it (tests/contracts/Roles.sol).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from keeper.app.custodies import custody_notes
from keeper.core.abi import calldata
from keeper.core.calls import Purpose
from keeper.core.chain import History, VaultView
from keeper.core.errors import ConfigError
from keeper.core.plan import Rebalance
from keeper.core.sending import State
from keeper.core.units import Address
from keeper.custody.roles import role_key
from keeper.local.anvil import run_anvil
from keeper.report.plan import render_plan
from tests.builders import address
from tests.chain.daemon_market import Market, open_market
from tests.chain.holders import Holder
from tests.chain.node import Node
from tests.chain.safe_holders import (
    ASSIGN,
    ROLE,
    as_module,
    in_role,
    in_safe,
    safes_of,
    set_allowance,
    through_module,
)
from tests.chain.safe_scene import VAULT, Scene, open_scene

Make = Callable[[Market, str], Holder]
OLD = "1.3.0"
KINDS: dict[str, Make] = {
    "safe 1.4.1": in_safe,
    "safe 1.3.0": partial(in_safe, version=OLD),
    "module 1.4.1": as_module,
    "module 1.3.0": partial(through_module, version=OLD),
    "roles 1.4.1": in_role,
    "roles 1.3.0": partial(in_role, version=OLD),
}
QUIET = {"module 1.4.1", "module 1.3.0"}
"""They fail without reverting."""
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with run_anvil() as anvil:
        yield open_market(Node(anvil.url))


@pytest.fixture(autouse=True)
def unchanged(market: Market) -> Iterator[None]:
    """Whatever a test does to the market, the next one finds it as it was."""
    taken = market.node.rpc("evm_snapshot")
    yield
    market.node.rpc("evm_revert", taken)
    safes_of.cache_clear()


# --- all or nothing ---------------------------------------------------------------------------------------------------


@each_kind
def test_rebalance__two_legs__are_one_transaction_that_leaves_no_allowance(
    market: Market, tmp_path: Path, kind: str
) -> None:
    with open_scene(market, tmp_path, KINDS[kind]) as scene:
        before = scene.balances()
        turn = scene.turn()
        assert turn.record.kind == "intended", turn.record.reason
        entry = scene.settled()
        assert entry.intent.state is State.FINAL_OK
        assert [step.purpose for step in entry.intent.call.inner].count(Purpose.SWAP) == 2
        assert market.nonces()[VAULT] == 1
        assert scene.allowances() == {}
        assert entry.outcome is not None and entry.outcome.fill is not None
        fill = entry.outcome.fill
        assert ({each.token.symbol for each in fill.sold}, [each.token.symbol for each in fill.received]) == (
            {"WETH", "LINK"},
            ["USDC"],
        )
        changed = {token: raw - before[token] for token, raw in scene.balances().items() if raw != before[token]}
        assert changed == fill.changes, "the Safe's balances moved by the fill, and its coin not at all"
        assert max(abs(drift) for drift in market.drifts(VAULT).values()) <= 25, "both are back at 20 bps"
        assert scene.turn().record.kind == "hold"


@pytest.mark.fault("T31")
@each_kind
def test_rebalance__the_second_leg_fails_in_its_block__nothing_of_the_first_happens(
    market: Market, tmp_path: Path, kind: str
) -> None:
    with open_scene(market, tmp_path, KINDS[kind]) as scene:
        before = scene.balances()
        with scene.later():
            assert scene.turn().record.kind == "intended"
            _crash_link(market)
        entry = scene.settled()
        assert entry.intent.state is State.FINAL_REVERTED
        assert entry.intent.mined is not None and entry.intent.mined.status == 0
        receipt = market.node.rpc("eth_getTransactionReceipt", entry.intent.mined.hash)
        assert receipt["status"] == ("0x1" if kind in QUIET else "0x0")
        assert scene.balances() == before
        assert scene.allowances() == {}
        assert entry.outcome is not None and entry.outcome.fill is None
        expected = "without reverting" if kind in QUIET else "failed inside" if "roles" in kind else "GS013"
        assert expected in entry.outcome.reason


def _crash_link(market: Market) -> None:
    """Somebody sells 60,000 LINK first, for a price that goes ahead of ours."""
    signature = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    path = [market.tokens["LINK"].address, market.tokens["USDC"].address]
    data = calldata(signature, 60_000 * 10**18, 0, path, market.node.deployer, 1 << 40)
    message = {"from": market.node.deployer, "to": market.old.v2_router, "data": "0x" + data.hex(), "gas": hex(500_000)}
    fees = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**12)}
    market.node.rpc("eth_sendTransaction", message | fees)


@each_kind
@pytest.mark.parametrize("has_simulate", [True, False], ids=["eth_simulateV1", "probe"])
def test_simulate__a_leg_that_cannot_be_filled__says_which_step_and_why(
    market: Market, tmp_path: Path, kind: str, has_simulate: bool
) -> None:
    with open_scene(market, tmp_path, KINDS[kind]) as scene:
        simulator = scene.chain._simulator()
        simulator._has_simulate = has_simulate
        view = _view(scene)
        decision = scene.turn().decision
        assert decision.draft is not None and isinstance(decision.plan, Rebalance) and decision.order is not None
        vault = scene.chain.vault(VAULT, scene.chain.dry_submitter(), armed=False)
        first, second = decision.order.legs
        greedy = replace(second, quote_floor=second.leg.quote + second.leg.quote)
        for legs, fails in (((first, second), False), ((first, greedy), True)):
            encoded = [
                vault.venues[leg.leg.pool.kind].encode(leg, view.account, decision.order.deadline) for leg in legs
            ]
            found = simulator.simulate(vault.custody.wrap(encoded, view), view)
            assert bool(found.failure) == fails, found.failure
            if fails:
                assert "step 4 of 6, " in found.failure
                assert "less than min_out" in found.failure
            else:
                assert found.deltas[second.leg.buy] > first.min_out.raw + second.min_out.raw


def _view(scene: Scene) -> VaultView:
    view = scene.chain.observer(lambda _vault, _now: History()).observe([VAULT]).vaults[VAULT].view
    assert isinstance(view, VaultView)
    return view


# --- what is left over, and what was taken away -----------------------------------------------------------------------


def test_tidy__allowances_that_somebody_left__are_revoked_in_one_transaction(market: Market, tmp_path: Path) -> None:
    with open_scene(market, tmp_path, in_safe) as scene:
        scene.turn()
        scene.settled()
        for symbol, router in (("WETH", market.old.swap_router), ("LINK", market.old.v2_router)):
            token, data = market.tokens[symbol].address, calldata("approve(address,uint256)", router, 7)
            safes_of(market.node, "1.4.1").execute(scene.holder.account, market.node.deployer, token, data)
        assert len(scene.allowances()) == 2
        assert scene.turn().record.kind == "intended"
        entry = scene.settled()
        assert (entry.intent.state, entry.intent.call.purpose) == (State.FINAL_OK, Purpose.REVOKE)
        assert (scene.allowances(), market.nonces()[VAULT]) == ({}, 2)


def _remove_owner(scene: Scene) -> None:
    # The list of owners is linked: whoever comes first is pointed to by 1.
    owners = [scene.market.node.deployer, scene.market.senders[VAULT]]
    data = calldata("removeOwner(address,address,uint256)", owners[0], owners[1], 1)
    _by_owner(scene, scene.holder.account, data)


def _raise_threshold(scene: Scene) -> None:
    _by_owner(scene, scene.holder.account, calldata("changeThreshold(uint256)", 2))


def _disable(scene: Scene) -> None:
    module = scene.holder.between or scene.market.senders[VAULT]
    first = Address("0x0000000000000000000000000000000000000001")
    _by_owner(scene, scene.holder.account, calldata("disableModule(address,address)", first, module))


def _by_owner(scene: Scene, to: Address, data: bytes) -> None:
    safes_of(scene.market.node, "1.4.1").execute(scene.holder.account, scene.market.node.deployer, to, data)


def _at_modifier(scene: Scene, data: bytes) -> None:
    assert scene.holder.between is not None
    scene.market.node.send(scene.holder.between, data)


def _take_role(scene: Scene) -> None:
    _at_modifier(scene, calldata(ASSIGN, scene.market.senders[VAULT], [role_key(ROLE)], [False]))


TAKEN: tuple[tuple[Make, Callable[[Scene], None], str], ...] = (
    (in_safe, _remove_owner, "is no owner of Safe"),
    (in_safe, _raise_threshold, "threshold: expected 1, was 2"),
    (as_module, _disable, "is no enabled module of Safe"),
    (through_module, _disable, "is no enabled module of Safe"),
    (in_role, _disable, "is no enabled module of Safe"),
    (
        in_role,
        lambda s: _at_modifier(s, calldata("disable(address)", s.market.senders[VAULT])),
        "is no member at Roles",
    ),
    (in_role, _take_role, "NoMembership(): the key is no member of the role"),
    (in_role, lambda s: _at_modifier(s, set_allowance(0)), "allowance: 0.00 WETH may still be sold"),
    (
        in_role,
        lambda s: _at_modifier(s, calldata("setTransactionUnwrapper(address,bytes4,address)", *_unwrapped(s), NOBODY)),
        "has no unwrapper for multiSend",
    ),
)
NOBODY = Address("0x0000000000000000000000000000000000000000")


def _unwrapped(scene: Scene) -> tuple[Address, bytes]:
    return safes_of(scene.market.node, "1.4.1").multi_send, bytes.fromhex("8d80ff0a")


@pytest.mark.parametrize(("make", "take", "expected"), TAKEN, ids=range(len(TAKEN)))
def test_turn__the_key_has_lost_its_right__is_denied_with_the_reason_and_sends_nothing(
    market: Market, tmp_path: Path, make: Make, take: Callable[[Scene], None], expected: str
) -> None:
    with open_scene(market, tmp_path, make) as scene:
        take(scene)
        turn = scene.turn()
        assert turn.record.kind == "denied"
        assert expected in " ".join(denial.reason for denial in turn.decision.denials)
        assert market.nonces()[VAULT] == 0


def test_turn__part_of_an_allowance_is_left__trades_that_part(market: Market, tmp_path: Path) -> None:
    with open_scene(market, tmp_path, in_role) as scene:
        _at_modifier(scene, set_allowance(2 * 10**18))
        assert scene.turn().record.kind == "intended"
        entry = scene.settled()
        assert entry.outcome is not None and entry.outcome.fill is not None
        assert entry.outcome.fill.changes[market.tokens["WETH"]] == -2 * 10**18
        (note,) = custody_notes(scene.chain.setting(VAULT))(_view(scene))
        assert note.startswith("0.00 WETH may still be sold")


# --- at start ---------------------------------------------------------------------------------------------------------


def _changed(old: str, new: str, make: Make = in_safe) -> Make:
    """A holder of whom the configuration says something else."""

    def made(market: Market, vault: str) -> Holder:
        holder = make(market, vault)
        assert old in holder.text
        return holder._replace(text=holder.text.replace(old, new))

    return made


def _with(change: Callable[[Market, Holder], object], make: Make) -> Make:
    """A holder at whom something is other than the configuration says."""

    def made(market: Market, vault: str) -> Holder:
        holder = make(market, vault)
        change(market, holder)
        return holder

    return made


def _owned_by_others(market: Market, vault: str) -> Holder:
    holder = in_safe(market, vault)
    safe = safes_of(market.node, "1.4.1").create(
        [market.node.deployer, market.node.accounts[5], market.node.accounts[6]]
    )
    return Holder(safe, holder.text.replace(holder.account, safe))


def _of_two(market: Market, vault: str) -> Holder:
    holder = in_safe(market, vault)
    safe = safes_of(market.node, "1.4.1").create([market.node.deployer, market.senders[vault]], threshold=2)
    return Holder(safe, holder.text.replace(holder.account, safe))


def _send(data: bytes) -> Callable[[Market, Holder], object]:
    return lambda market, holder: market.node.send(holder.between, data)  # type: ignore[arg-type]


def _elsewhere(market: Market, vault: str) -> Holder:
    holder, batcher = in_safe(market, vault), safes_of(market.node, "1.4.1").multi_send
    return holder._replace(text=holder.text.replace(batcher, ELSEWHERE))


ELSEWHERE = address(0xA11CE)

WRONG: tuple[tuple[Make, str], ...] = (
    (_changed("version: 1.4.1", "version: 1.3.0"), "custody.version: expected 1.3.0, found 1.4.1"),
    (_owned_by_others, "custody.signer: expected {key} among the owners of {safe}, found no"),
    (_of_two, "custody.safe: expected threshold 1, found threshold 2"),
    (_elsewhere, "custody.multi_send: expected a contract at {elsewhere}, found no code"),
    (_changed("kind: safe,", "kind: safe_module,"), "custody.safe: expected {key} enabled as a module of {safe}"),
    (
        _with(_send(calldata("setTarget(address)", ELSEWHERE)), in_role),
        "custody.modifier: expected target {safe}, found",
    ),
    (_changed(f"role: {ROLE}", "role: another", in_role), "custody.role: expected {key} a member of role another"),
)


@pytest.mark.parametrize(("make", "expected"), WRONG, ids=range(len(WRONG)))
def test_start__the_chain_says_otherwise__is_refused_in_one_line(
    market: Market, tmp_path: Path, make: Make, expected: str
) -> None:
    with pytest.raises(ConfigError) as refused, open_scene(market, tmp_path, make):
        pass
    key, holder = market.senders[VAULT], market.holders[VAULT]
    assert expected.format(key=key, safe=holder.account, elsewhere=ELSEWHERE) in str(refused.value)
    assert "\n" not in str(refused.value)


# --- what people see --------------------------------------------------------------------------------------------------


def test_plan__in_a_role__shows_the_call_and_what_is_left_of_the_allowance(market: Market, tmp_path: Path) -> None:
    with open_scene(market, tmp_path, in_role) as scene:
        decision = scene.turn().decision
        record = scene.chain.describer.describe(decision)
        page = render_plan(record, now=0).plain(200)
        assert f"· roles {scene.holder.account[:6]}…{scene.holder.account[-4:]} ·" in page
        assert "call     Roles → MultiSend[approve, approve, swap, swap, approve 0, approve 0]" in page
        assert "1,000.00 WETH may still be sold, 100.000 WETH more every 1d up to 1,000.00 WETH" in page
