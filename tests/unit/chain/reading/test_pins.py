from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from eth_abi.abi import encode

from keeper.chain.reading.chainlink import DECIMALS, LATEST_ROUND
from keeper.chain.reading.pinned import parse_pins, pins_text
from keeper.chain.reading.pins import (
    DESCRIPTION,
    SYMBOL,
    FeedWant,
    Finding,
    Pinner,
    Pins,
    PoolWant,
    TokenWant,
    parse_label,
)
from keeper.core.chain import Answers, Needs, Read
from keeper.core.pools import Details, Router
from keeper.core.units import Address
from tests.builders import CHAIN, NOW, SWAP_ROUTER, USDC, V2_ROUTER, WETH, address
from tests.unit.chain.fake_node import RUNTIME, FakeNode, words

POOL, FACTORY, FEED = address(0xB001), address(0xFAC), address(0xFEED)
KIND = Read(POOL, b"kind")


@dataclass(frozen=True)
class Facts:
    kind: str = "paired"
    tokens: tuple[Address, ...] = (WETH.address, USDC.address)
    fee_ppm: int | None = 3000
    factory: Address = FACTORY
    spacing: int = 60
    details: Details = ()
    router: Router | None = None
    warning: str = ""


class Paired:
    def __init__(self, facts: Facts = Facts()) -> None:
        self.facts = facts

    def reads(self, at: Address) -> tuple[Read, ...]:
        return (Read(at, b"kind"),)

    def pin(self, at: Address, answers: Answers) -> Facts | Needs | None:
        return self.facts if answers[Read(at, b"kind")] == b"paired" else None


def text(value: str) -> bytes:
    return encode(["string"], [value])


ANSWERS: dict[Read, bytes | None] = {
    Read(WETH.address, DECIMALS): words(18),
    Read(WETH.address, SYMBOL): text("WETH"),
    Read(USDC.address, DECIMALS): words(6),
    Read(USDC.address, SYMBOL): b"USDC".ljust(32, b"\0"),
    KIND: b"paired",
    Read(FEED, DECIMALS): words(8),
    Read(FEED, DESCRIPTION): text("ETH / USD"),
    Read(FEED, LATEST_ROUND): words(1, 3000 * 10**8, NOW, NOW, 1),
}


def begun(node: FakeNode) -> tuple[Pinner, Pins]:
    pinner = Pinner(node, CHAIN, RUNTIME)  # type: ignore[arg-type]
    pins = pinner.begin("chains.local.chain_id")
    assert isinstance(pins, Pins)
    return pinner, pins


def wrong(pins: Pins) -> list[str]:
    return [str(finding) for finding in pins.wrong]


@pytest.mark.fault("R14")
def test_begin__on_the_wrong_chain__is_a_finding_and_nothing_else() -> None:
    found = Pinner(FakeNode({}, chain_id=8453), 1, RUNTIME).begin("chains.mainnet.chain_id")  # type: ignore[arg-type]
    assert found == Finding("chains.mainnet.chain_id", "1", "8453", False)
    assert str(found) == "chains.mainnet.chain_id: expected 1, found 8453"


def test_tokens__as_declared__are_pinned_with_the_chains_own_decimals() -> None:
    pinner, pins = begun(FakeNode(ANSWERS))
    pinner.pin_tokens(
        pins, [TokenWant("tokens.WETH", WETH.address, "WETH", 18), TokenWant("tokens.USDC", USDC.address)]
    )
    assert wrong(pins) == []
    assert [(t.symbol, t.decimals) for t in pins.tokens.values()] == [("WETH", 18), ("USDC", 6)]
    assert all(finding.ok for finding in pins.findings)
    assert set(pins.code_hashes) == {WETH.address, USDC.address}


@pytest.mark.fault("K8")
@pytest.mark.parametrize(
    ("decimals", "declared", "line"),
    [
        (words(6), 18, "tokens.WETH.decimals: expected decimals 18, found 6"),
        (None, 18, "tokens.WETH.decimals: expected decimals 18, found none"),
        (None, None, "tokens.WETH.decimals: expected decimals 0 to 36, found none"),
        (words(37), None, "tokens.WETH.decimals: expected decimals 0 to 36, found none"),
        (b"\x12", None, "tokens.WETH.decimals: expected decimals 0 to 36, found none"),
    ],
)
def test_tokens__with_other_decimals__are_findings_and_not_pinned(
    decimals: bytes | None, declared: int | None, line: str
) -> None:
    pinner, pins = begun(FakeNode(ANSWERS | {Read(WETH.address, DECIMALS): decimals}))
    pinner.pin_tokens(pins, [TokenWant("tokens.WETH", WETH.address, "WETH", declared)])
    assert wrong(pins) == [line]
    assert pins.tokens == {}


@pytest.mark.fault("K17")
@pytest.mark.fault("C3")
def test_tokens__without_code__are_findings() -> None:
    pinner, pins = begun(FakeNode(ANSWERS))
    nobody = address(0xDEAD)
    pinner.pin_tokens(pins, [TokenWant("tokens.GHOST", nobody, "GHOST", 18)])
    assert wrong(pins) == [f"tokens.GHOST: expected a contract at {nobody}, found no code"]


def test_tokens__with_another_symbol__are_findings() -> None:
    pinner, pins = begun(FakeNode(ANSWERS))
    pinner.pin_tokens(pins, [TokenWant("tokens.DAI", WETH.address, "DAI")])
    assert wrong(pins) == ["tokens.DAI.symbol: expected DAI, found WETH"]


@pytest.mark.fault("K9")
@pytest.mark.fault("K10")
@pytest.mark.parametrize(
    ("answer", "label"),
    [
        (text("USD₮0"), "USD₮0"),
        (b"MKR".ljust(32, b"\0"), "MKR"),
        (text("\x1b[31mEVIL\n\u202eLIVE"), "[31mEVILLIVE"),
        (text("A" * 100_000), "A" * 32),
        (encode(["bytes"], [b"\xff\xfeX"]), "\ufffd\ufffdX"),
        (b"\xff" * 96, ""),
        (words(32, 2**255, 1), ""),
        (b"", ""),
        (None, ""),
    ],
)
def test_label__of_a_stranger__is_tolerated_cleaned_and_capped(answer: bytes | None, label: str) -> None:
    assert parse_label(answer) == label


def pools_of(facts: Facts, want: PoolWant, answers: Answers = ANSWERS, routers: bool = True) -> Pins:
    pinner, pins = begun(FakeNode(answers))
    pinner.pin_pools(pins, [want], {"paired": Paired(facts)}, {FACTORY: V2_ROUTER} if routers else {})
    return pins


WANT = PoolWant("pools.main", POOL, FACTORY)


def test_pools__recognised__are_pinned_with_tokens_fee_and_router() -> None:
    pins = pools_of(Facts(), WANT)
    assert wrong(pins) == []
    pool = pins.pools[POOL]
    assert (pool.kind, pool.fee, pool.factory, pool.router, pool.spacing) == (
        "paired", Fraction(3, 1000), FACTORY, V2_ROUTER, 60,
    )  # fmt: skip
    assert [token.symbol for token in pool.tokens] == ["WETH", "USDC"]
    assert pool.code_hash == pins.code_hashes[POOL]
    assert len(pool.code_hash) == 66


def test_pools__with_a_router_of_their_own__keep_it() -> None:
    assert pools_of(Facts(), replace(WANT, router=SWAP_ROUTER)).pools[POOL].router == SWAP_ROUTER


def test_pools__that_cannot_tell_their_fee__take_the_declared_one() -> None:
    assert pools_of(Facts(fee_ppm=None), replace(WANT, fee_ppm=2500)).pools[POOL].fee == Fraction(25, 10_000)


@pytest.mark.parametrize(
    ("facts", "want", "answers", "routers", "lines"),
    [
        (Facts(), WANT, {KIND: b"else"}, True, ["pools.main: expected a pool of kind paired, found none"]),
        (
            Facts(factory=address(0xBAD)), WANT, {}, True,
            [
                f"pools.main.factory: expected {FACTORY}, found {address(0xBAD)}",
                f"pools.main.router: expected a router for factory {address(0xBAD)}, found none",
            ],
        ),
        (Facts(), WANT, {}, False, [f"pools.main.router: expected a router for factory {FACTORY}, found none"]),
        (
            Facts(), replace(WANT, fee_ppm=500), {}, True,
            ["pools.main.fee: expected a fee of 0.05 %, found a fee of 0.3 %"],
        ),
        (
            Facts(fee_ppm=None), WANT, {}, True,
            ["pools.main.fee: expected a declared fee, as this pool cannot tell its own, found none"],
        ),
        (
            Facts(), WANT, {Read(USDC.address, DECIMALS): None}, True,
            ["pools.main: token.decimals: expected decimals 0 to 36, found none"],
        ),
    ],
)  # fmt: skip
def test_pools__that_are_not_as_declared__are_findings_and_not_pinned(
    facts: Facts, want: PoolWant, answers: Answers, routers: bool, lines: list[str]
) -> None:
    pins = pools_of(facts, want, {**ANSWERS, **answers}, routers)
    assert wrong(pins) == lines
    assert pins.pools == {}


def feeds_of(want: FeedWant, answers: Answers) -> Pins:
    pinner, pins = begun(FakeNode({**ANSWERS, **answers}))
    pinner.pin_feeds(pins, [want])
    return pins


def test_feeds__as_declared__are_pinned() -> None:
    pins = feeds_of(FeedWant("prices.WETH", FEED, 8, "eth/usd"), {})
    assert wrong(pins) == []
    assert pins.feed_decimals == {FEED: 8}


@pytest.mark.fault("C19")
@pytest.mark.fault("M4")
@pytest.mark.parametrize(
    ("want", "answers", "line"),
    [
        (FeedWant("f", FEED, 8, "BTC / USD"), {}, "f.description: expected BTC / USD, found ETH / USD"),
        (FeedWant("f", FEED, 18), {}, "f.decimals: expected decimals 18, found 8"),
        (FeedWant("f", FEED), {Read(FEED, DECIMALS): None}, "f.decimals: expected decimals 0 to 36, found none"),
        (FeedWant("f", FEED), {Read(FEED, LATEST_ROUND): None}, "f: expected an answer, found none"),
        (FeedWant("f", FEED, 8, "X"), {Read(FEED, DESCRIPTION): None}, "f.description: expected X, found none"),
    ],
)
def test_feeds__that_are_not_as_declared__are_findings(want: FeedWant, answers: Answers, line: str) -> None:
    pins = feeds_of(want, answers)
    assert wrong(pins) == [line]
    assert pins.feed_decimals == {}


class Asking(Paired):
    """Tells its details only once it has been told what `KIND` says."""

    def pin(self, at: Address, answers: Answers) -> Facts | Needs | None:
        if Read(at, MORE) not in answers:
            return Needs((Read(at, MORE),))
        return replace(self.facts, details=(("said", (answers[Read(at, MORE)] or b"").hex()),), warning="is old")


MORE = b"more"


def test_pools__of_a_kind_that_asks_again__are_pinned_with_what_it_was_told() -> None:
    pinner, pins = begun(FakeNode({**ANSWERS, Read(POOL, MORE): b"\x01\x02"}))
    pinner.pin_pools(pins, [WANT], {"asking": Asking()}, {FACTORY: SWAP_ROUTER})
    assert pins.pools[POOL].detail("said") == "0102"
    assert list(pins.warnings) == [WANT.path]
    assert pins.warnings[WANT.path].endswith("is old")


def test_pools__that_a_vault_can_do_without__are_left_out_with_every_reason() -> None:
    pinner, pins = begun(FakeNode(ANSWERS))
    spare = replace(WANT, factory=address(0xBAD), spare=True)
    pinner.pin_pools(pins, [spare], {"paired": Paired(Facts())}, {})
    assert pins.pools == {}
    assert all(finding.spares for finding in pins.wrong)
    assert pins.left_out == {
        POOL: f"expected {address(0xBAD)}, found {FACTORY}; expected a router for factory {FACTORY}, found none"
    }
    assert parse_pins(pins_text(pins), pins.block).left_out == pins.left_out


@pytest.mark.parametrize(("declared", "ok"), [(3_000, True), (2_500, False)])
def test_pool__whose_router_takes_another_fee_than_its_factory_declares__is_named(declared: int, ok: bool) -> None:
    pinner, pins = begun(FakeNode(ANSWERS))
    pinner.pin_pools(pins, [WANT], {"paired": Paired(Facts())}, {FACTORY: V2_ROUTER}, {FACTORY: declared})
    assert (POOL in pins.pools) is ok
    told = [str(finding) for finding in pins.wrong]
    assert told == ([] if ok else ["pools.main.fee: expected a fee of 0.25 %, found a fee of 0.3 %"])
