"""What only the owners of a Safe may do: proposed, signed by two of three, executed by people, and seen by the keeper.

Safe 1.4.1 and 1.3.0, MultiSendCallOnly and Uniswap are the real ones, from npm.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from keeper.app.proposal_files import safe_tx
from keeper.core.proposals import Fate
from keeper.core.sending import State
from keeper.core.units import Address
from keeper.custody.multi_send import CALL, Operation
from keeper.custody.safe import NOBODY
from keeper.custody.safe_tx import SafeTx
from keeper.local.anvil import run_anvil
from tests.chain.daemon_market import Market, open_market
from tests.chain.node import Node, NodeError
from tests.chain.propose_scene import VAULT, ProposeScene, open_proposing, owned
from tests.chain.safe_holders import in_role, in_safe, safes_of

DAY = 86_400


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with run_anvil() as anvil:
        yield open_market(Node(anvil.url))


@pytest.fixture(autouse=True)
def unchanged(market: Market) -> Iterator[None]:
    """Whatever a test does to the market, the next one finds it as it was."""
    taken, prices = market.node.rpc("evm_snapshot"), dict(market.prices)
    yield
    market.node.rpc("evm_revert", taken)
    market.prices = prices
    safes_of.cache_clear()


@pytest.fixture
def scene(market: Market, tmp_path: Path) -> Iterator[ProposeScene]:
    with open_proposing(market, tmp_path, owned) as scene:
        yield scene


@pytest.mark.parametrize("version", ["1.4.1", "1.3.0"])
def test_propose__two_of_three_sign_and_execute__is_seen_and_counts(
    market: Market, tmp_path: Path, version: str
) -> None:
    with open_proposing(market, tmp_path, lambda m, v: owned(m, v, version)) as scene:
        turn = scene.turn()
        assert (turn.record.kind, turn.intent) == ("proposed", None), turn.record.reason
        proposal = scene.open_one()
        assert scene.history().trades == ()
        before = scene.balances()
        scene.execute(proposal)
        after = scene.balances()
        assert after[market.tokens["WETH"]] < before[market.tokens["WETH"]]
        assert after[market.tokens["USDC"]] > before[market.tokens["USDC"]]
        assert not scene.allowances()
        # Not final yet: it is no trade, and the vault waits.
        assert "was used" in scene.turn().record.reason
        assert scene.history().trades == ()
        scene.settle()
        (entry,) = scene.transactions()
        assert (entry.intent.state, entry.intent.sender) == (State.FINAL_OK, scene.holder.account)
        assert entry.outcome is not None and entry.outcome.fill is not None
        assert {a.token.symbol for a in entry.outcome.fill.sold} == {"WETH", "LINK"}
        (trade,) = scene.history().trades
        assert trade.notional == entry.expect.value_sold
        assert trade.gas_cost.raw == 0
        assert scene.turn().record.code == "in_band"
        assert scene.fates() == [Fate.EXECUTED]


def test_propose__its_files__are_what_people_sign_and_what_safes_tools_read(scene: ProposeScene) -> None:
    scene.turn()
    proposal = scene.open_one()
    builder, service = scene.files.places(proposal)
    payload = json.loads(service.read_text("utf-8"))
    assert payload["contractTransactionHash"] == proposal.hash == scene.hash_on_chain(payload)
    batch = json.loads(builder.read_text("utf-8"))
    assert [call["to"] for call in batch["transactions"]] == [step.to for step in proposal.proposed.new.call.steps]
    assert batch["meta"]["createdFromSafeAddress"] == scene.holder.account
    assert [stat.S_IMODE(path.stat().st_mode) & 0o137 for path in (builder, service)] == [0, 0]
    assert any(proposal.hash in said and str(builder) in said for _, said in scene.ears.heard.items())


def test_propose__while_it_is_open__nothing_is_proposed_again_not_even_after_a_restart(scene: ProposeScene) -> None:
    scene.turn()
    first = scene.open_one()
    for _ in range(3):
        turn = scene.turn()
        assert (turn.record.kind, turn.record.code) == ("wait", "proposed")
    with scene.away():
        for place in scene.files.places(first):
            place.unlink()
    assert scene.turn().record.code == "proposed"
    assert all(place.exists() for place in scene.files.places(first))
    assert scene.open_one() == first
    assert scene.fates() == [Fate.OPEN]


def test_propose__the_price_moves__is_replaced_at_the_same_nonce_and_the_old_file_is_marked(
    scene: ProposeScene, market: Market
) -> None:
    scene.turn()
    first = scene.open_one()
    market.move_quietly(WETH=3_100)
    turn = scene.turn()
    assert turn.record.kind == "proposed" and "in place of" in turn.record.reason, turn.record.reason
    second = scene.open_one()
    assert second.proposed.nonce == first.proposed.nonce and second.hash != first.hash
    assert not any(place.exists() for place in scene.files.places(first))
    assert all(place.with_name(f"{place.name}.superseded").exists() for place in scene.files.places(first))
    # Both may still be executed, and one at most is.
    scene.execute(second)
    with pytest.raises(NodeError):
        scene.execute(first)
    scene.settle()
    assert scene.fates() == [Fate.OVERTAKEN, Fate.EXECUTED]
    assert len(scene.history().trades) == 1


def test_propose__people_use_the_nonce__is_overtaken_and_proposed_at_the_next(scene: ProposeScene) -> None:
    scene.turn()
    first = scene.open_one()
    scene.sign_and_execute(SafeTx(scene.market.node.chain_id, scene.holder.account, Operation(NOBODY, 0, b"", CALL), 0))
    assert scene.turn().record.kind == "wait"
    scene.settle()
    assert scene.turn().record.kind == "proposed"
    assert scene.open_one().proposed.nonce == first.proposed.nonce + 1
    assert scene.fates() == [Fate.OVERTAKEN, Fate.OPEN]
    assert scene.history().trades == ()


def test_propose__its_time_is_over__is_dead_on_chain_and_another_one_takes_its_place(scene: ProposeScene) -> None:
    scene.turn()
    first = scene.open_one()
    scene.pass_time(DAY + 60)
    with pytest.raises(NodeError):
        scene.execute(first)
    turn = scene.turn()
    assert turn.record.kind == "proposed", turn.record.reason
    assert scene.open_one().proposed.nonce == first.proposed.nonce
    assert scene.fates() == [Fate.EXPIRED, Fate.OPEN]


def test_propose__another_tools_file_of_the_same_calls__counts_too(scene: ProposeScene) -> None:
    """The Transaction Builder makes a transaction of its own of the batch: with another hash, and the same effects."""
    scene.turn()
    proposal = scene.open_one()
    batch = json.loads(scene.files.places(proposal)[0].read_text("utf-8"))
    done = safe_tx(proposal.proposed.new, proposal.proposed.nonce)
    other = SafeTx(done.chain_id, done.safe, scene.bundled_otherwise(batch), done.nonce)
    assert other.hash != done.hash
    scene.sign_and_execute(other)
    scene.settle()
    assert scene.fates() == [Fate.EXECUTED]
    assert len(scene.history().trades) == 1


def test_once_live__a_vault_that_only_proposes__needs_no_key_and_writes_its_files(scene: ProposeScene) -> None:
    for key in scene.loaded.path.parent.glob("*.key"):
        key.unlink()
    with scene.away():
        scene.keeper("once", "--live")
        assert "1 decision repeated: 1 the same" in scene.keeper("replay")
    proposal = scene.open_one()
    assert all(place.exists() for place in scene.files.places(proposal))
    scene.execute(proposal)
    scene.settle()
    assert scene.fates() == [Fate.EXECUTED]


def test_check__a_safe_that_is_only_proposed_to__says_how_many_sign(scene: ProposeScene) -> None:
    told = scene.keeper("check")
    assert "threshold 2" in told or "owners who sign" in told


def test_commands__of_a_proposal_and_of_its_execution__tell_hash_files_and_fate(scene: ProposeScene) -> None:
    number = scene.turn().number
    proposal = scene.open_one()
    builder, service = map(str, scene.files.places(proposal))
    told = scene.keeper("proposals")
    assert proposal.hash in told and builder in told and service in told
    assert "waits for signatures" in scene.keeper("status")
    explained = scene.keeper("explain", str(number))
    assert "PROPOSED" in explained and proposal.hash in explained and "only the owners of its Safe" in explained
    scene.execute(proposal)
    scene.settle()
    (record,) = json.loads(scene.keeper("proposals", "--all", "--json"))
    assert (record["hash"], record["state"], record["files"]) == (proposal.hash, "executed", [builder, service])
    assert "TRADED" in scene.keeper("explain", str(number))


@pytest.mark.fault("P17")
def test_propose__files_that_cannot_be_written__is_told_and_nothing_is_lost(scene: ProposeScene) -> None:
    scene.files.directory.write_text("in the way", "utf-8")
    scene.turn()
    proposal = scene.open_one()
    told = [said for key, said in scene.ears.heard.items() if key == f"files:{VAULT}"]
    assert len(told) == 1 and "cannot be written" in told[0] and "\n" not in told[0]
    scene.files.directory.unlink()
    scene.turn()
    assert all(place.exists() for place in scene.files.places(proposal))
    assert scene.fates() == [Fate.OPEN]


def test_propose__people_have_queued_others__is_told_beside_it(scene: ProposeScene) -> None:
    asked: list[tuple[Address, int]] = []

    def queue(safe: Address, nonce: int, mine: Collection[str]) -> str:
        assert len(mine) == 1
        asked.append((safe, nonce))
        return "people have queued other transactions of this Safe, at nonce 0"

    scene.start({scene.holder.account: queue})
    scene.turn()
    assert asked == [(scene.holder.account, 0)]
    told = scene.ears.heard[f"proposal:{scene.open_one().hash}"]
    assert told.endswith("people have queued other transactions of this Safe, at nonce 0")


def test_propose__in_band_again__nobody_should_sign_it(scene: ProposeScene, market: Market) -> None:
    scene.turn()
    proposal = scene.open_one()
    scene.fill_up()
    assert scene.turn().record.code == "in_band"
    assert scene.fates() == [Fate.SUPERSEDED]
    assert any(key == f"withdrawn:{proposal.hash}" for key, _ in scene.ears.heard.items())


# --- escalation -------------------------------------------------------------------------------------------------------


def test_escalate__a_key_that_is_no_owner_any_more__is_written_down_and_executes_when_signed(
    market: Market, tmp_path: Path
) -> None:
    with open_proposing(market, tmp_path, in_safe) as scene:
        scene.hand_over()
        turn = scene.turn()
        assert turn.record.kind == "proposed", turn.record.reason
        assert turn.decision.asks.endswith(f"is no owner of Safe {scene.holder.account}")
        proposal = scene.open_one()
        scene.execute(proposal)
        scene.settle()
        assert scene.fates() == [Fate.EXECUTED]
        assert len(scene.history().trades) == 1


def test_escalate__above_what_the_key_may_do_alone__is_written_down_and_nothing_is_sent(
    market: Market, tmp_path: Path
) -> None:
    with open_proposing(market, tmp_path, in_safe, "execution: {escalate_above: 1000 USD}") as scene:
        turn = scene.turn()
        assert (turn.record.kind, turn.intent) == ("proposed", None), turn.record.reason
        assert "people sign what is worth more than $1,000.00" in turn.decision.asks
        scene.execute_alone(scene.open_one())
        scene.settle()
        assert scene.fates() == [Fate.EXECUTED]


def test_escalate__what_the_role_does_not_allow__is_asked_of_the_owners(market: Market, tmp_path: Path) -> None:
    with open_proposing(market, tmp_path, in_role) as scene:
        scene.take_role()
        turn = scene.turn()
        assert turn.record.kind == "proposed", turn.record.reason
        assert "NoMembership" in turn.decision.asks
        scene.execute_alone(scene.open_one())
        scene.settle()
        assert scene.fates() == [Fate.EXECUTED]
        assert len(scene.history().trades) == 1


def test_escalate__the_key_gets_its_right_back__waits_as_long_as_owners_may_execute(
    market: Market, tmp_path: Path
) -> None:
    with open_proposing(market, tmp_path, in_role) as scene:
        scene.take_role()
        scene.turn()
        scene.take_role(back=True)
        turn = scene.turn()
        assert (turn.record.kind, turn.record.code, turn.intent) == ("wait", "proposed", None)
        scene.pass_time(DAY + 60)
        turn = scene.turn()
        assert turn.record.kind == "intended", turn.record.reason
        assert turn.intent is not None
        assert scene.fates() == [Fate.EXPIRED]
