import pytest

from keeper.chain.nodes.sight import native_balance
from keeper.chain.reading.chainlink import LATEST_ROUND
from keeper.chain.reading.views import Decoded, allowance, balance_of, build_view
from keeper.core.chain import Answers, History, Needs, Read, Unusable, VaultView
from keeper.core.units import Wei
from tests.builders import ACCOUNT, ETH, USDC, V2_ROUTER, WETH, address, make_block
from tests.unit.chain.fake_node import words
from tests.unit.chain.worlds import FEEDS, POOL, RESERVES, SENDER, PairedVenue, answers, rule, spec, whole

BLOCK = make_block()
VENUES = {"paired": PairedVenue()}


def view_of(given: Answers, **changes: object) -> VaultView:
    found = build_view(spec(**changes), BLOCK, given, History(seed=7), Wei(2), VENUES)
    assert isinstance(found, VaultView)
    return found


def test_view__of_all_answers__holds_every_figure() -> None:
    view = view_of(answers())
    assert view.holdings == {WETH: whole(WETH, "5"), USDC: whole(USDC, "3000")}
    assert view.balances == {WETH: whole(WETH, "4"), USDC: whole(USDC, "3000")}
    assert (view.native, view.gas_balance) == (whole(ETH, "1.02"), whole(ETH, "0.5"))
    assert view.price(WETH).mid.ratio == 3000
    assert view.native_price == rule_price(view)
    assert view.allowances == {(WETH, V2_ROUTER.address): 7, (USDC, V2_ROUTER.address): 0}
    assert [state.pool for state in view.pools] == [POOL]
    assert (view.left_out, view.tip, view.history.seed, view.sender) == ((), 2, 7, SENDER)


@pytest.mark.fault("S23")
def test_view__tokens_that_somebody_sent__are_neither_asked_for_nor_seen() -> None:
    sent = address(0xA1D)
    asked = spec().account_reads()
    assert asked and {read.to for read in asked} & {sent} == set()
    assert view_of(answers() | {Read(sent, balance_of(WETH, ACCOUNT).data): words(10**30)}) == view_of(answers())


def rule_price(view: VaultView) -> object:
    found = view.native_price
    assert not isinstance(found, Unusable)
    assert (found.token, found.mid.base, found.mid.ratio) == (ETH, ETH, 3000)
    return found


@pytest.mark.parametrize(
    ("changes", "wei", "weth"),
    [
        ({}, 102 * 10**16, "5"),
        ({}, 10**16, "4"),  # below the reserve
        ({"counts_native": False}, 102 * 10**16, "4"),
        ({"wrapped": None, "native_price": rule(WETH)}, 102 * 10**16, "4"),
    ],
)
def test_holdings__with_native_coin__count_what_lies_above_the_reserve(
    changes: dict[str, object], wei: int, weth: str
) -> None:
    given = answers() | {native_balance(ACCOUNT): words(wei)}
    assert view_of(given, **changes).holdings[WETH] == whole(WETH, weth)


@pytest.mark.fault("R12")
@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (balance_of(WETH, ACCOUNT), "WETH balance of"),
        (allowance(USDC, ACCOUNT, V2_ROUTER.address), "USDC allowance of"),
        (native_balance(SENDER), "native balance"),
    ],
)
@pytest.mark.parametrize("answer", [None, b"", b"\1"])
def test_view__without_a_balance__is_unusable_and_never_zero(read: Read, reason: str, answer: bytes | None) -> None:
    found = build_view(spec(), BLOCK, answers() | {read: answer}, History(), None, VENUES)
    assert isinstance(found, Unusable)
    assert found.reason.startswith(reason)
    assert found.reason.endswith("cannot be read")


@pytest.mark.fault("K18")
def test_view__of_an_absurd_balance__is_unusable() -> None:
    found = build_view(spec(), BLOCK, answers() | {balance_of(WETH, ACCOUNT): words(2**200)}, History(), None, VENUES)
    assert isinstance(found, Unusable)
    assert "beyond belief" in found.reason


@pytest.mark.fault("M1")
def test_view__with_a_stale_feed__has_no_price_and_says_why() -> None:
    view = view_of(answers() | {Read(FEEDS[WETH], LATEST_ROUND): words(1, 3000 * 10**8, 5, 5, 1)})
    assert [line.split(": ")[0] for line in view.unusable()] == ["WETH"]
    assert isinstance(view.native_price, Unusable)
    assert view.price(USDC).mid.ratio == 1


def test_view__of_a_token_without_sources__says_so() -> None:
    assert view_of(answers(), prices={USDC: rule(USDC)}).prices[WETH] == Unusable("WETH: no price source")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(None, "reserves cannot be read"), (b"", "answers cannot be decoded: expected 2 words")],
)
def test_pools__that_cannot_be_decoded__are_left_out_with_reason(answer: bytes | None, reason: str) -> None:
    view = view_of(answers() | {RESERVES: answer})
    assert (view.pools, view.left_out) == ((), ((POOL, reason),))


def test_pools__that_need_more_or_have_no_venue__are_left_out() -> None:
    needy = {"paired": PairedVenue(more=(Read(address(9), b"more"),))}
    view = build_view(spec(), BLOCK, answers(), History(), None, needy)
    assert isinstance(view, VaultView)
    assert view.left_out == ((POOL, "needs 1 more reads than one tick allows"),)
    bare = build_view(spec(), BLOCK, answers(), History(), None, {})
    assert isinstance(bare, VaultView)
    assert bare.left_out == ((POOL, "no venue for paired"),)


def test_decoded__shared_by_vaults__decodes_a_pool_once_and_changes_nothing() -> None:
    venue = PairedVenue()
    shared = Decoded(BLOCK, answers(), {"paired": venue})
    views = [build_view(spec(), BLOCK, answers(), History(), None, {"paired": venue}, shared) for _ in range(3)]
    assert venue.decoded == 1
    assert views == [build_view(spec(), BLOCK, answers(), History(), None, VENUES)] * 3
    assert not isinstance(shared.pool(POOL), Needs)


def test_spec__with_native_coin_as_a_token__cannot_be_made() -> None:
    with pytest.raises(ValueError, match="native coin is held as its wrapped token"):
        spec(tokens=(ETH, USDC))
