"""What people are asked to sign, from a decision to its proposal, with plain fakes at every seam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from keeper.core.chain import History, VaultView
from keeper.core.plan import Draft, Hold
from keeper.core.proposals import OpenProposal
from keeper.core.records import NewIntent
from keeper.core.verdicts import Deny, Verdict
from keeper.deciding import Vault
from tests.builders import NOW, USDC, WETH, units
from tests.unit.test_cycle import Book, Opinion, Parts, Sender, turn, vault, view

SAME = OpenProposal("0x" + "ab" * 32, 7, NOW + 3_600, ((units(WETH, 1), units(USDC, 2_980)),))
OTHER = replace(SAME, bargains=((units(WETH, 5), units(USDC, 14_900)),))


@dataclass
class Scribe:
    """A proposer that writes nothing and remembers everything."""

    proposed: list[NewIntent] = field(default_factory=list)
    withdrawn: list[tuple[str, str]] = field(default_factory=list)

    def propose(self, new: NewIntent, view: VaultView) -> None:
        self.proposed.append(new)

    def withdraw(self, vault: str, why: str) -> None:
        self.withdrawn.append((vault, why))


@dataclass(frozen=True)
class NoRight:
    """A guard that finds that the key may not; of other kinds of reason where it is told so."""

    for_people: bool = True

    def check(self, draft: Draft, view: VaultView) -> Verdict:
        return Deny("allow_list", "the key is no owner", "no", "an owner", for_people=self.for_people)


def proposing(scribe: Scribe, sender: Sender, parts: Parts | None = None, *, armed: bool = True) -> Vault:
    made = vault("treasury", parts or Parts(), sender, armed=armed)
    return replace(made, asks="its owners sign", proposer=scribe)


def standing(proposal: OpenProposal | None) -> Mapping[str, VaultView]:
    return {"treasury": replace(view("treasury"), history=History(proposal=proposal))}


@pytest.mark.parametrize(
    ("proposal", "armed", "kind", "said"),
    [
        (None, True, "proposed", "WETH is out"),
        (None, False, "dry", "WETH is out"),
        (SAME, True, "wait", "proposal 0xabababab… at nonce 7 of the Safe may be signed for another 1h"),
        (SAME, False, "dry", "WETH is out"),
        (OTHER, True, "proposed", "in place of proposal 0xabababab… at nonce 7 of the Safe: it sells 5.00000 WETH"),
        (replace(SAME, withdrawn="in band again"), True, "proposed", "at nonce 7 of the Safe: in band again"),
        (replace(SAME, deadline=NOW - 1), True, "proposed", "it is past its deadline"),
    ],
)
def test_turn__only_owners_may_act__proposes_once_and_anew_where_that_is_stale(
    proposal: OpenProposal | None, armed: bool, kind: str, said: str
) -> None:
    scribe, sender = Scribe(), Sender()
    (found,) = turn([proposing(scribe, sender, armed=armed)], standing(proposal), sender, Book())
    assert found.record.kind == kind
    assert said in found.record.reason
    assert [new.asks for new in scribe.proposed] == (["its owners sign"] if kind == "proposed" else [])
    assert sender.submitted == []


def test_turn__the_key_has_no_right__asks_people_with_the_reason_and_the_account_as_sender() -> None:
    scribe, sender = Scribe(), Sender()
    made = vault("treasury", Parts(), sender)
    people = replace(made, guards=(Opinion(),))
    alone = replace(made, guards=(NoRight(),), people=people, proposer=scribe)
    (found,) = turn([alone], standing(None), sender, Book())
    assert (found.record.kind, found.intent) == ("proposed", None)
    (new,) = scribe.proposed
    assert (new.asks, new.sender) == ("the key is no owner", new.account)
    assert found.record.guards == ("allow_list",)
    assert sender.submitted == []


@pytest.mark.parametrize("guards", [(NoRight(for_people=False),), (NoRight(), Opinion(denies=True))])
def test_turn__anything_else_speaks_against_it__nobody_is_asked(guards: tuple[NoRight | Opinion, ...]) -> None:
    scribe, sender = Scribe(), Sender()
    made = vault("treasury", Parts(), sender)
    alone = replace(made, guards=guards, people=replace(made, guards=(Opinion(),)), proposer=scribe)
    (found,) = turn([alone], standing(None), sender, Book())
    assert found.record.kind == "denied"
    assert scribe.proposed == []


def test_turn__people_would_be_denied_too__is_denied_as_before() -> None:
    scribe, sender = Scribe(), Sender()
    made = vault("treasury", Parts(), sender)
    people = replace(made, guards=(Opinion(denies=True),))
    (found,) = turn(
        [replace(made, guards=(NoRight(),), people=people, proposer=scribe)], standing(None), sender, Book()
    )
    assert (found.record.kind, found.record.code) == ("denied", "allow_list")
    assert scribe.proposed == []


@pytest.mark.parametrize("proposal", [SAME, OTHER, replace(SAME, withdrawn="in band again")])
def test_turn__a_key_that_may_act__waits_while_owners_could_still_execute(proposal: OpenProposal) -> None:
    sender = Sender()
    (found,) = turn([vault("treasury", Parts(), sender)], standing(proposal), sender, Book())
    assert (found.record.kind, found.record.code) == ("wait", "proposed")
    assert sender.submitted == []


@pytest.mark.parametrize(
    ("code", "proposal", "expected"),
    [
        ("in_band", SAME, [("treasury", "the vault is in band again")]),
        ("in_band", None, []),
        ("in_band", replace(SAME, withdrawn="in band again"), []),
        ("no_price", SAME, []),
    ],
)
def test_turn__in_band_again__withdraws_what_is_open_once(
    code: str, proposal: OpenProposal | None, expected: list[tuple[str, str]]
) -> None:
    scribe, sender = Scribe(), Sender()
    parts = Parts(Hold(code, "nothing to do"))
    turn([proposing(scribe, sender, parts)], standing(proposal), sender, Book())
    assert scribe.withdrawn == expected


def test_turn__something_of_its_own_is_live__proposes_nothing() -> None:
    scribe = Scribe()
    sender = Sender(busy={"treasury": "nonce 7 of its Safe was used"})
    (found,) = turn([proposing(scribe, sender)], standing(None), sender, Book())
    assert (found.record.kind, found.record.code) == ("wait", "live")
    assert scribe.proposed == []
