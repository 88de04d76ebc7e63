"""What a screen is given of each vault, and what is odd about one of them stays with that one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from keeper.chain.reading.observer import ChainObserver
from keeper.chain.reading.views import VaultSpec
from keeper.core.chain import Answers, History, Read, Unusable, VaultView
from keeper.core.pools import Pool
from tests.builders import CHAIN, NOW, WETH, address
from tests.unit.chain.fake_node import RUNTIME, FakeNode, words
from tests.unit.chain.reading.test_observer import Now
from tests.unit.chain.worlds import FEEDS, LATEST_ROUND, PairedVenue, answers, spec

DIRECT = Read(address(0xC0FFEE), b"\x6e\x04\xff\x0d")


def observer(*specs: VaultSpec, venue: Any = None, past: Mapping[str, int] | None = None) -> ChainObserver:
    def marks(names: Sequence[str]) -> Mapping[str, object]:
        return {name: (past or {}).get(name, 0) for name in names}

    venues, history = {"paired": venue or PairedVenue()}, lambda _vault, _now: History()
    node: Any = FakeNode(answers())
    return ChainObserver(node, CHAIN, specs, venues, history, RUNTIME, Now(NOW + 2), 60, marks=marks)


def test_glance__two_vaults_of_the_same_tokens__share_their_quotes_and_nothing_else() -> None:
    snapshot = observer(spec("a"), spec("b"), past={"b": 7}).observe(["a", "b"])
    first, second = snapshot.glances["a"], snapshot.glances["b"]
    assert first.quotes is second.quotes is not None
    assert first.own == second.own == tuple(answers()[read] for read in spec("a").account_reads())
    assert (first.past, second.past) == (0, 7)


def test_glance__prices_as_they_were__are_the_same_object_and_others_are_not() -> None:
    watching = observer(spec("a"))
    node: Any = watching._rpc
    first, second = (watching.observe(["a"]).glances["a"].quotes for _ in range(2))
    assert first is second is not None
    price = Read(FEEDS[WETH], LATEST_ROUND)
    node.answers = node.answers | {price: words(2, 3_001 * 10**8, NOW, NOW, 2)}
    third = watching.observe(["a"]).glances["a"].quotes
    assert third is not None and third != first
    node.answers = node.answers | {price: words(3, 3_000 * 10**8, NOW, NOW, 3)}
    assert watching.observe(["a"]).glances["a"].quotes == first


def test_glance__what_is_read_by_itself_or_has_no_price__is_not_glanced_at() -> None:
    called, unpriced = (
        replace(spec("called"), direct=(DIRECT,)),
        replace(spec("unpriced"), prices={}, native_price=None),
    )
    snapshot = observer(called, unpriced, spec("a")).observe(["called", "unpriced", "a"])
    assert list(snapshot.glances) == ["a"]


def test_glance__nobody_names_pasts__there_is_none() -> None:
    node: Any = FakeNode(answers())
    venues, history = {"paired": PairedVenue()}, lambda _vault, _now: History()
    blind = ChainObserver(node, CHAIN, [spec()], venues, history, RUNTIME, Now(NOW + 2), 60)
    assert blind.observe(["treasury"]).glances == {}


class Puzzled(PairedVenue):
    """Meets an answer that it did not think of."""

    def decode(self, pool: Pool, answers: Answers) -> Any:
        raise IndexError("tick 7 of 6")


def test_observe__a_decoder_fails__its_pool_is_left_out_and_says_why() -> None:
    view = observer(spec(), venue=Puzzled()).observe(["treasury"]).vaults["treasury"].view
    assert isinstance(view, VaultView)
    ((_, reason),) = view.left_out
    assert reason == "answers cannot be decoded: IndexError: tick 7 of 6"


@dataclass(frozen=True)
class Faulty:
    """A price source that meets what it did not think of."""

    name: str = "odd"

    def reads(self) -> tuple[Read, ...]:
        return ()

    def price(self, answers: Answers, now: int) -> Any:
        raise ZeroDivisionError("supply 0")


def test_observe__a_price_source_fails__its_vaults_have_no_price_and_the_others_theirs() -> None:
    token, rule = next(iter(spec().prices.items()))
    odd = replace(spec("odd"), prices={**spec().prices, token: replace(rule, sources=(Faulty(),))})
    snapshot = observer(odd, spec("a")).observe(["odd", "a"])
    views = [snapshot.vaults[name].view for name in ("odd", "a")]
    assert [isinstance(view, VaultView) and len(view.unusable()) for view in views] == [1, 0]
    assert (snapshot.glances["odd"].quotes, snapshot.glances["a"].quotes is None) == (None, False)


def test_observe__one_view_cannot_be_made__that_vault_is_unusable_and_the_others_are_not() -> None:
    odd: Any = replace(spec("odd"), gas_reserve="one")  # type: ignore[arg-type]
    snapshot = observer(odd, spec("a")).observe(["odd", "a"])
    found = snapshot.vaults["odd"].view
    assert isinstance(found, Unusable)
    assert found.reason.startswith("its view cannot be made: TypeError: ")
    assert isinstance(snapshot.vaults["a"].view, VaultView)
