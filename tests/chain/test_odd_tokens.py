"""Tokens that are not as the standard has it: each is traded with exact accounts, or refused by name before signing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keeper.app.checking import check_chain
from keeper.app.planning import plans
from keeper.app.setting import PERMIT2
from keeper.chain.reading.token_code import SLOTS
from keeper.config.load import load
from keeper.core.abi import calldata, word
from keeper.core.errors import ConfigError
from keeper.local.anvil import run_anvil
from tests.chain.node import Node
from tests.chain.odd_tokens import Fair, take_turn, trade
from tests.chain.solidity import compile_solidity
from tests.chain.uniswap import deploy_uniswap

TAKES_A_FEE = "ODD takes a fee on transfer, or its balances do not follow its transfers: received"
GOT_LESS = "got less than it was sent: the token takes a fee on transfer, or keeps shares"
REFUSES = "the token refuses"

KNOB = 2
"""The slot of `knob`, after the label and the units."""


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fair]:
    with run_anvil() as running:
        yield Fair(deploy_uniswap(Node(running.url)), tmp_path_factory.mktemp("fair"))


def case(mark: pytest.MarkDecorator, *values: object) -> object:
    return pytest.param(*values, marks=mark, id=" ".join(map(str, values[:4])))


TRADED = [
    case(pytest.mark.fault("K8"), "Plain", 18, "v3", "sells"),
    case(pytest.mark.fault("K8"), "Plain", 0, "v3", "buys"),
    case(pytest.mark.fault("K8"), "Plain", 2, "v2", "sells"),
    case(pytest.mark.fault("K8"), "Plain", 6, "v3", "buys"),
    case(pytest.mark.fault("K8"), "Plain", 24, "v3", "sells"),
    case(pytest.mark.fault("K4"), "NoReturn", 6, "v3", "sells"),
    case(pytest.mark.fault("K4"), "NoReturn", 6, "v2", "buys"),
    case(pytest.mark.fault("K5"), "FalseOnFailure", 18, "v3", "sells"),
    case(pytest.mark.fault("K7"), "NoZero", 18, "v3", "sells"),
    case(pytest.mark.fault("K7"), "NoZero", 18, "v2", "buys"),
    case(pytest.mark.fault("K9"), "WordSymbol", 18, "v3", "sells"),
    case(pytest.mark.fault("K13"), "MaxIsAll", 6, "v3", "sells"),
    case(pytest.mark.fault("K16"), "Upgradeable", 6, "v3", "buys"),
]


@pytest.mark.parametrize(("kind", "decimals", "venue", "side"), TRADED)
def test_traded__odd_in_form_only__journal_is_the_chain_to_the_unit(
    fair: Fair, kind: str, decimals: int, venue: str, side: str
) -> None:
    stall = fair.open(kind, side, decimals, venue)
    before = stall.balances()
    with stall.keeper() as keeper:
        turns = trade(keeper)
    assert [turn.record.code for turn in turns] == ["approve", "swap", "in_band"], turns[-1].record.reason
    moved = {token: raw - before[token] for token, raw in stall.balances().items()}
    assert moved == stall.explained()
    assert (moved[stall.odd] < 0) == (side == "sells") and stall.allowances() == {0}


@pytest.mark.fault("K14")
@pytest.mark.parametrize(("venue", "side"), [("v3", "sells"), ("v2", "buys")])
def test_traded__hook_that_calls_back__takes_nothing_and_changes_no_account(fair: Fair, venue: str, side: str) -> None:
    stall = fair.open("Hooked", side, 18, venue)
    meddler = fair.uniswap.node.deploy(compile_solidity("OddTokens.sol")["Meddler"])
    fair.uniswap.node.send(stall.odd.address, calldata("mint(address,uint256)", meddler, 10**18))
    stall.turn(meddler)
    before = stall.balances()
    with stall.keeper() as keeper:
        turns = trade(keeper)
    assert turns[-1].record.code == "in_band", turns[-1].record.reason
    assert word(fair.uniswap.node.call(meddler, calldata("calls()")), 0) > 0
    assert {token: raw - before[token] for token, raw in stall.balances().items()} == stall.explained()


@pytest.mark.fault("K3")
@pytest.mark.parametrize(("venue", "side", "to"), [("v3", "buys", 11), ("v2", "sells", 11)])
def test_traded__balances_rebase_between_cycles__a_flow_and_no_trade(
    fair: Fair, venue: str, side: str, to: int
) -> None:
    """Shares are worth a tenth more, and by an odd figure: transfers then differ from balances by a unit or two."""
    stall = fair.open("Rebasing", side, 18, venue)
    held = stall.balances()[stall.odd]
    stall.turn(10**18 * to // 10 + 7)
    rebased = stall.balances()
    assert rebased[stall.odd] > held
    with stall.keeper() as keeper:
        turns = trade(keeper)
    assert [turn.record.code for turn in turns] == ["approve", "swap", "in_band"], turns[-1].record.reason
    rest = {token: raw - rebased[token] - stall.explained()[token] for token, raw in stall.balances().items()}
    assert abs(rest.pop(stall.odd)) <= 2 and not any(rest.values())


@pytest.mark.fault("K3")
def test_shares__sold_into_a_v3_pool__which_counts_to_the_unit__traded_exactly_or_refused(fair: Fair) -> None:
    """Whether the pool's balance grows by all that was sent, or by a unit less, is a matter of rounding."""
    stall = fair.open("Rebasing")
    stall.turn(11 * 10**17 + 7)
    before = stall.balances()
    with stall.keeper() as keeper:
        last = trade(keeper)[-1].record
    assert last.code == "in_band" or GOT_LESS in last.reason, last.reason
    rest = {token: raw - before[token] - stall.explained().get(token, 0) for token, raw in stall.balances().items()}
    assert abs(rest.pop(stall.odd)) <= 2 and not any(rest.values())


# --- refused before signing -------------------------------------------------------------------------------------------

REFUSED = [
    case(pytest.mark.fault("K1"), "Fee", 100, "v3", "sells", GOT_LESS),
    case(pytest.mark.fault("K1"), "Fee", 100, "v2", "sells", GOT_LESS),
    case(pytest.mark.fault("K1"), "Fee", 100, "v3", "buys", TAKES_A_FEE),
    case(pytest.mark.fault("K1"), "Fee", 100, "v2", "buys", TAKES_A_FEE),
    case(pytest.mark.fault("K1"), "Fee", 3, "v3", "buys", "3 bps measured, 1 bps allowed"),
    case(pytest.mark.fault("K5"), "FalseOnFailure", 1, "v3", "sells", REFUSES),
    case(pytest.mark.fault("K5"), "FalseOnFailure", 1, "v3", "buys", REFUSES),
    case(pytest.mark.fault("K5"), "AlwaysFalse", 1, "v3", "sells", REFUSES),
    case(pytest.mark.fault("K5"), "AlwaysFalse", 1, "v2", "buys", REFUSES),
    case(pytest.mark.fault("K5"), "Mute", 1, "v3", "sells", GOT_LESS),
    case(pytest.mark.fault("K5"), "Mute", 1, "v2", "buys", "the swap brings none"),
    case(pytest.mark.fault("K5"), "Forgetful", 1, "v3", "sells", "allowance or balance too small"),
    case(pytest.mark.fault("K11"), "Pausable", 1, "v3", "sells", REFUSES),
    case(pytest.mark.fault("K12"), "Blocklist", "holder", "v3", "sells", REFUSES),
    case(pytest.mark.fault("K12"), "Blocklist", "holder", "v2", "buys", REFUSES),
]


@pytest.mark.parametrize(("kind", "knob", "venue", "side", "words"), REFUSED)
def test_refused__odd_since_the_start__says_why_and_signs_nothing(
    fair: Fair, kind: str, knob: int | str, venue: str, side: str, words: str
) -> None:
    """What a start does not see: a token that becomes odd afterwards, or is so to this vault alone."""
    stall = fair.open(kind, side, 18, venue)
    with stall.keeper() as keeper:
        stall.turn(stall.holder if isinstance(knob, str) else knob)
        turns = trade(keeper)
    (record,) = [turn.record for turn in turns]
    assert record.kind == "denied" and words in record.reason, record.reason
    assert stall.sent() == 0 and stall.entries() == []


@pytest.mark.parametrize(
    ("kind", "symbol", "words"),
    [
        case(
            pytest.mark.fault("K8"),
            "NoDecimals",
            "ODD",
            "chains.local.tokens.ODD.decimals: expected decimals 0 to 36, found none",
        ),
        case(
            pytest.mark.fault("K10"),
            "Plain",
            "\x1b[31mLIVE\n=cmd|' /C calc'!A0" + "x" * 999,
            "expected ODD, found [31mLIVE=cmd",
        ),
    ],
)
def test_refused__odd_in_what_it_says_of_itself__at_start(fair: Fair, kind: str, symbol: str, words: str) -> None:
    stall = fair.open(kind, symbol=symbol)
    with pytest.raises(ConfigError) as caught, stall.keeper():
        pass
    assert words in str(caught.value) and "\x1b" not in str(caught.value) and len(str(caught.value)) < 400
    assert stall.sent() == 0


@pytest.mark.parametrize(
    ("kind", "knob", "venue", "words"),
    [
        case(pytest.mark.fault("K1"), "Fee", 100, "v3", "ODD takes 1 % on transfer: 15,468.75 ODD of 15,625.00 ODD"),
        case(pytest.mark.fault("K5"), "Mute", 1, "v2", "ODD moves nothing on transfer: 0.00 ODD of 15,625.00 ODD"),
        case(pytest.mark.fault("K1"), "Reflects", 200, "v3", "ODD takes 2 % on transfer: "),
        case(pytest.mark.fault("K1"), "TaxesSales", "pool", "v3", "ODD takes 5 % on transfer to 0x"),
    ],
)
def test_refused__odd_at_the_start__is_one_line(fair: Fair, kind: str, knob: int | str, venue: str, words: str) -> None:
    stall = fair.open(kind, venue=venue)
    stall.turn(stall.pool if isinstance(knob, str) else knob)
    with pytest.raises(ConfigError) as caught, stall.keeper():
        pass
    said = str(caught.value)
    assert f"chains.local.tokens.ODD: expected a plain token, found {words}" in said, said
    assert "; the keeper trades no such token (and 2 more: keeper check)" in said and "\n" not in said
    assert stall.sent() == 0


@pytest.mark.fault("K18")
def test_refused__more_than_any_pool_holds__no_trade_and_no_overflow(fair: Fair) -> None:
    stall = fair.open("Plain")
    fair.uniswap.node.send(stall.odd.address, calldata("mint(address,uint256)", stall.holder, 1 << 200))
    with stall.keeper() as keeper:
        turns = trade(keeper)
    assert turns[-1].record.kind == "unusable" and "is beyond belief" in turns[-1].record.reason
    assert stall.sent() == 0


@pytest.mark.fault("K15")
def test_refused__one_token_at_two_addresses__the_second_is_not_what_its_name_says(fair: Fair) -> None:
    stall = fair.open("Plain")
    path = stall.write()
    twin = fair.deploy("Plain")
    path.write_text(path.read_text("utf-8").replace('ODD: "0x', f'TWIN: "{twin.address}"\n      ODD: "0x'), "utf-8")
    text = path.read_text("utf-8").replace("ODD: 50%, USDC: 50%", "ODD: 30%, TWIN: 20%, USDC: 50%")
    twins = "      TWIN: {sources: {kind: fixed, price: 1 USD}}\n      USDC: {sources"
    path.write_text(text.replace("      USDC: {sources", twins), "utf-8")
    found = [str(finding) for finding in check_chain(load(path, {}), "local") if not finding.ok]
    assert "chains.local.tokens.TWIN.symbol: expected TWIN, found ODD" in found


# --- what a check says ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "knob", "words"),
    [
        case(pytest.mark.fault("K11"), "Pausable", 1, "Pausable: paused"),
        case(pytest.mark.fault("K12"), "Blocklist", "holder", "Blacklistable: account is blacklisted"),
        case(pytest.mark.fault("K3"), "Rebasing", 11 * 10**17 + 7, ""),
        case(pytest.mark.fault("K4"), "NoReturn", 0, ""),
    ],
)
def test_check__token__is_named_with_what_its_transfer_does(fair: Fair, kind: str, knob: int | str, words: str) -> None:
    stall = fair.open(kind)
    stall.turn(stall.holder if isinstance(knob, str) else knob)
    stall.say()
    found = {finding.path: finding for finding in check_chain(load(stall.write(), {}), "local")}
    look = found["vaults.odd: transfer of ODD"]
    assert look.ok == (not words) and words in look.found, look.found
    assert found["vaults.odd: transfer of USDC"].ok


# --- in between -------------------------------------------------------------------------------------------------------


@pytest.mark.fault("K1")
def test_fee_in_between__beside_a_direct_pool__is_left_out_by_name_and_the_trade_is_filled_as_quoted(
    fair: Fair,
) -> None:
    """As a plain token it is the better way, and taken; with a fee the vault trades directly."""
    stall, middle = fair.open("Plain"), fair.deploy("Fee", symbol="USDF")
    stall.detour(middle)
    said = "expected plain tokens, found USDF takes 1 % on transfer: 154,687.50 USDF of 156,250.00 USDF arrived"
    stall.say()
    ((plain, _),) = plans(load(stall.write(), {}))
    (leg,) = plain["trades"][0]["legs"]
    assert plain["left_out"] == [] and [leg["address"], leg["then"][0]["address"]] == list(stall.more)
    fair.uniswap.node.send(middle.address, calldata("turn(uint256)", 100))
    ((record, _),) = plans(load(stall.write(), {}))
    assert [(pool["address"], pool["reason"]) for pool in record["left_out"]] == [(at, said) for at in stall.more]
    assert [leg["address"] for leg in record["trades"][0]["legs"]] == [stall.pool]
    before = stall.balances()
    with stall.keeper() as keeper:
        turns = trade(keeper)
        assert [turn.record.code for turn in turns] == ["approve", "swap", "in_band"], turns[-1].record.reason
    quotes = [swap.quote for entry in stall.entries() for swap in entry.expect.swaps]
    assert [stall.balances()[stall.usdc] - before[stall.usdc]] == [quote.raw for quote in quotes]


@pytest.mark.fault("K1")
@pytest.mark.fault("K3")
@pytest.mark.parametrize(
    ("declared", "knob", "words"),
    [("", 100, "USDF takes 1 % on transfer: "), ("rebasing: true", 0, "USDF is declared rebasing: ")],
)
def test_fee_in_between__without_another_pool__is_one_line(fair: Fair, declared: str, knob: int, words: str) -> None:
    stall, middle = fair.open("Plain"), fair.deploy("Fee", symbol="USDF")
    stall.detour(middle)
    fair.uniswap.node.send(middle.address, calldata("turn(uint256)", knob))
    path = stall.write()
    text = path.read_text("utf-8").replace(f'["{stall.pool}", ', "[")
    if declared:
        text = text.replace("      ODD:", f'      USDF: {{address: "{middle.address}", {declared}}}\n      ODD:', 1)
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        list(plans(load(path, {})))
    said = str(caught.value)
    assert f"vaults.odd.pools[0]: expected plain tokens, found {words}" in said and "\n" not in said
    assert said.endswith("(and 2 more: keeper check)")


@pytest.mark.fault("K2")
def test_fee_in_between__switched_on_while_it_runs__halts_at_the_next_look(fair: Fair) -> None:
    stall, middle = fair.open("Plain"), fair.deploy("Fee", symbol="USDF")
    stall.detour(middle)
    with stall.keeper() as keeper:
        (loop,) = keeper.loops
        loop.verify(1)
        assert not keeper.journal.halted("odd")
        fair.uniswap.node.send(middle.address, calldata("turn(uint256)", 100))
        loop.verify(2)
        assert "USDF takes 1 % on transfer: " in keeper.journal.halted("odd")


# --- what changes later -----------------------------------------------------------------------------------------------


@pytest.mark.fault("K2")
def test_fee_switched_on__while_the_swap_waits__noticed_after_it_and_halted(fair: Fair) -> None:
    stall, node = fair.open("Fee", "buys"), fair.uniswap.node
    before = stall.balances()
    with stall.keeper() as keeper:
        assert take_turn(keeper).record.code == "approve"
        node.rpc("evm_setAutomine", False)
        try:
            assert take_turn(keeper).record.code == "swap"
            node.rpc("anvil_setStorageAt", stall.odd.address, hex(KNOB), "0x" + (100).to_bytes(32, "big").hex())
            node.rpc("evm_mine")
        finally:
            node.rpc("evm_setAutomine", True)
        after = take_turn(keeper).record
    assert (after.kind, after.code) == ("wait", "halted") and "less than min_out" in after.reason, after.reason
    assert {token: raw - before[token] for token, raw in stall.balances().items()} == stall.explained()


@pytest.mark.fault("K16")
@pytest.mark.fault("K17")
@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("Upgradeable", "upgrade", ": implementation: expected 0x"),
        ("Plain", "replace", ": code: expected 0x"),
        ("Plain", "destroy", ", found none"),
    ],
)
def test_code_changes__after_the_start__vault_is_halted(fair: Fair, kind: str, change: str, words: str) -> None:
    stall, node = fair.open(kind), fair.uniswap.node
    with stall.keeper() as keeper:
        (loop,) = keeper.loops
        loop.verify(1)
        assert take_turn(keeper).record.kind == "intended"
        if change == "upgrade":
            logic = "0x" + bytes(12).hex() + fair.deploy("Fee").address[2:].lower()
            node.rpc("anvil_setStorageAt", stall.odd.address, SLOTS[0], logic)
        else:
            node.rpc("anvil_setCode", stall.odd.address, "0x" if change == "destroy" else "0x6000")
        loop.verify(2)
        assert words in keeper.journal.halted("odd")
        assert take_turn(keeper).record.kind in ("wait", "unusable")
    assert stall.sent() == 1, "only the approval of before"


# --- allowances -------------------------------------------------------------------------------------------------------


@pytest.mark.fault("K19")
@pytest.mark.fault("K20")
def test_allowances__left_to_any_known_spender__told_by_check_and_revoked(fair: Fair) -> None:
    """A person once used a front end with this key: another router, and Permit2, have allowances without end."""
    stall, node = fair.open("NoReturn", "buys", 6), fair.uniswap.node
    left = [(stall.odd, PERMIT2.address), (stall.usdc, fair.uniswap.v2_router), (stall.odd, fair.uniswap.swap_router02)]
    node.rpc("anvil_impersonateAccount", stall.holder)
    for token, spender in left:
        node.send(token.address, calldata("approve(address,uint256)", spender, (1 << 256) - 1), sender=stall.holder)
    stall.say()
    found = {finding.path for finding in check_chain(load(stall.write(), {}), "local") if not finding.ok}
    assert {f"vaults.odd: allowance of {token.symbol} to {spender}" for token, spender in left} <= found
    with stall.keeper(adopt=True) as keeper:
        turns = trade(keeper, most=8)
    codes = [turn.record.code for turn in turns]
    assert codes.count("revoke") == 3 and "swap" in codes and codes[-1] == "in_band", codes
    assert stall.allowances() == {0}
    permit2 = node.call(stall.odd.address, calldata("allowance(address,address)", stall.holder, PERMIT2.address))
    assert word(permit2, 0) == 0


@pytest.mark.fault("K6")
def test_allowance__left_over_where_zero_must_come_first__reset_and_approved_in_two_steps(fair: Fair) -> None:
    stall, node = fair.open("NoReturn", "sells", 6), fair.uniswap.node
    node.rpc("anvil_impersonateAccount", stall.holder)
    data = calldata("approve(address,uint256)", fair.uniswap.swap_router02, 5)
    node.send(stall.odd.address, data, sender=stall.holder)
    before = stall.balances()
    with stall.keeper(adopt=True) as keeper:
        turns = trade(keeper)
    assert [turn.record.code for turn in turns] == ["revoke", "approve", "swap", "in_band"]
    assert {token: raw - before[token] for token, raw in stall.balances().items()} == stall.explained()


@pytest.mark.fault("K7")
def test_allowance__left_over_where_zero_is_refused__says_so_and_signs_nothing(fair: Fair) -> None:
    """Zero is asked for only where something is left; a person then uses the rest up, or approves the next sum."""
    stall, node = fair.open("NoZero"), fair.uniswap.node
    node.rpc("anvil_impersonateAccount", stall.holder)
    data = calldata("approve(address,uint256)", fair.uniswap.swap_router02, 5)
    node.send(stall.odd.address, data, sender=stall.holder)
    with stall.keeper(adopt=True) as keeper:
        (turn,) = trade(keeper)
    assert turn.record.kind == "denied" and "zero approval" in turn.record.reason
    assert stall.sent() == 1


@pytest.mark.fault("K16")
def test_upgraded__while_the_keeper_was_stopped__told_at_the_next_start(fair: Fair) -> None:
    stall, node = fair.open("Upgradeable"), fair.uniswap.node
    told = []
    for _ in range(2):
        with stall.keeper() as keeper:
            told.append([key for key in keeper.alerts._told if key.startswith("upgraded")])
        logic = "0x" + bytes(12).hex() + fair.deploy("Plain").address[2:].lower()
        node.rpc("anvil_setStorageAt", stall.odd.address, SLOTS[0], logic)
    assert told == [[], [f"upgraded:{stall.odd.address}"]]
