"""What cannot change is read once, at start: chain id, code, decimals, symbols, pools, feeds.

Every look is a Finding with what was expected and what was found, so that `keeper check` can show all of them and a
start can refuse on the first that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from keeper.chain.nodes.batch import BatchReader
from keeper.chain.nodes.headers import parse_block, quantity, unhex
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.reading.chainlink import DECIMALS, LATEST_ROUND, parse_round
from keeper.chain.reading.token_code import TokenCode, fetch_token_codes, what_changed
from keeper.core.abi import WORD, calldata, word
from keeper.core.chain import Answers, Block, Needs, Read
from keeper.core.pools import Pool, Router
from keeper.core.ports import PoolFacts, PoolPin
from keeper.core.text import trimmed
from keeper.core.units import Address, Token

SYMBOL = calldata("symbol()")
DESCRIPTION = calldata("description()")
MAX_DECIMALS = 36
MAX_LABEL = 32
MOST_QUESTIONS = 6
"""Rounds of answers that one kind may need to recognise a pool."""

Fetch = Callable[[Sequence[Read]], Answers]
"""Reads at one block."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One look at the chain. `path` is where the config says so."""

    path: str
    expected: str
    found: str
    ok: bool
    spares: bool = False
    """A vault does without it: where nothing else is wrong, a start goes on."""
    warns: bool = False
    """Nothing is wrong, and `found` should still be known."""

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class TokenWant:
    """A token as declared. Symbol and decimals are compared only where the config names them."""

    path: str
    address: Address
    symbol: str | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class PoolWant:
    """A pool as declared. `fee_ppm` serves kinds that cannot tell their fee; `router` overrides the factory's."""

    path: str
    address: Address
    factory: Address | None = None
    fee_ppm: int | None = None
    router: Router | None = None
    name: str = ""
    spare: bool = False
    """Its vault can do without it, as long as other pools reach every token."""


@dataclass(frozen=True, slots=True)
class FeedWant:
    """A Chainlink feed as declared; `description` is compared without regard to blanks and case."""

    path: str
    address: Address
    decimals: int | None = None
    description: str | None = None


@dataclass(slots=True)
class Pins:
    """What was found at start. Only what is `ok` ends in tokens, pools and feed_decimals."""

    block: Block
    findings: list[Finding] = field(default_factory=list)
    code_hashes: dict[Address, str] = field(default_factory=dict)
    tokens: dict[Address, Token] = field(default_factory=dict)
    pools: dict[Address, Pool] = field(default_factory=dict)
    feed_decimals: dict[Address, int] = field(default_factory=dict)
    token_codes: Mapping[Address, TokenCode] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    """What is as declared, and should still be known: by its place in the configuration."""

    left_out: dict[str, str] = field(default_factory=dict)
    """Why a pool is not used although it is configured: by its address, or by its place where one vault leaves it."""

    @property
    def wrong(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.ok]

    def leave_out(self, key: str, path: str) -> None:
        """Whatever was found wrong below `path` is spared: the pool is not used, and the reason is kept."""
        mine = [index for index, each in enumerate(self.findings) if not each.ok and each.path.startswith(path)]
        for index in mine:
            self.findings[index] = replace(self.findings[index], spares=True)
        told = [self.findings[index] for index in mine]
        self.left_out[key] = "; ".join(f"expected {each.expected}, found {each.found}" for each in told)

    def note(self, path: str, expected: str, found: str, ok: bool) -> bool:
        self.findings.append(Finding(path, expected, found, ok))
        return ok


class Pinner:
    """Looks at one chain, at one block. Raises Unreachable and TransientError; whatever else is wrong is a Finding."""

    def __init__(self, rpc: Rpc, chain_id: int, runtime: bytes) -> None:
        self._rpc, self._chain_id = rpc, chain_id
        self._reader = BatchReader(rpc, chain_id, runtime)

    def begin(self, path: str) -> Pins | Finding:
        """The chain must be the one declared, before anything else is looked at."""
        found = quantity(self._rpc.call("eth_chainId", []), "chain id")
        if found != self._chain_id:
            return Finding(path, str(self._chain_id), str(found), False)
        header = self._rpc.call("eth_getBlockByNumber", ["latest", False])
        pins = Pins(parse_block(header, self._chain_id))
        pins.note(path, str(self._chain_id), str(found), True)
        return pins

    def fetch(self, pins: Pins, reads: Sequence[Read]) -> Answers:
        return self._reader.fetch(tuple(dict.fromkeys(reads)), pins.block)

    # --- code --------------------------------------------------------------------------------------------------------

    def look_for_code(self, pins: Pins, places: Mapping[Address, str]) -> None:
        """`places` says at which path each address stands. Fills `code_hashes`."""
        wanted = [address for address in places if address not in pins.code_hashes]
        answers = self._rpc.batch([("eth_getCode", [address, "latest"]) for address in wanted])
        for address, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, RpcError):
                raise answer
            code = unhex(answer, "code")
            if code:
                pins.code_hashes[address] = code_hash(code)
            pins.note(
                places[address], f"a contract at {address}", f"{len(code)} bytes" if code else "no code", bool(code)
            )

    def look_for_changes(self, pools: Iterable[Pool]) -> list[Finding]:
        """Pools whose code is not what was pinned: migrated, killed or upgraded, and a person must look."""
        pools = [pool for pool in pools if pool.code_hash]
        answers = self._rpc.batch([("eth_getCode", [pool.address, "latest"]) for pool in pools])
        findings = []
        for pool, answer in zip(pools, answers, strict=True):
            if isinstance(answer, RpcError):
                raise answer
            found = code_hash(unhex(answer, "code"))
            findings.append(Finding(f"{pool.label}: code", pool.code_hash, found, found == pool.code_hash))
        return [finding for finding in findings if not finding.ok]

    def look_for_upgrades(self, tokens: Iterable[Token], pinned: Mapping[Address, TokenCode]) -> dict[Address, Finding]:
        """Tokens that run another code than was pinned, or count in other units, and a person must look."""
        known = [token for token in tokens if token.address in pinned]
        found, changed = fetch_token_codes(self._rpc, [token.address for token in known]), {}
        for token in known:
            if other := what_changed(pinned[token.address], found[token.address]):
                what, expected, now = other
                changed[token.address] = Finding(f"{token.symbol} {token.address}: {what}", expected, now, False)
        return changed

    # --- tokens ------------------------------------------------------------------------------------------------------

    def pin_tokens(self, pins: Pins, wants: Iterable[TokenWant]) -> None:
        wants = list(wants)
        self.look_for_code(pins, {want.address: want.path for want in wants})
        wants = [want for want in wants if want.address in pins.code_hashes]
        answers = self.fetch(pins, [Read(want.address, data) for want in wants for data in (DECIMALS, SYMBOL)])
        for want in wants:
            decimals = small_figure(answers.get(Read(want.address, DECIMALS)), MAX_DECIMALS)
            expected = f"decimals {want.decimals if want.decimals is not None else f'0 to {MAX_DECIMALS}'}"
            found = "none" if decimals is None else str(decimals)
            ok = decimals is not None and want.decimals in (None, decimals)
            pins.note(f"{want.path}.decimals", expected, found, ok)
            symbol = parse_label(answers.get(Read(want.address, SYMBOL)))
            if want.symbol is not None and symbol:
                ok = pins.note(f"{want.path}.symbol", want.symbol, symbol, symbol == want.symbol) and ok
            if ok and decimals is not None:
                name = want.symbol or symbol or f"{want.address[:6]}…{want.address[-4:]}"
                pins.tokens[want.address] = Token(self._chain_id, want.address, name, decimals)

    # --- pools -------------------------------------------------------------------------------------------------------

    def pin_pools(
        self,
        pins: Pins,
        wants: Iterable[PoolWant],
        kinds: Mapping[str, PoolPin],
        routers: Mapping[Address, Router],
        fees: Mapping[Address, int] | None = None,
        families: Mapping[Address, str] | None = None,
    ) -> None:
        """Recognises each pool by asking every kind; `routers` maps a factory to the router of its pools, `fees` to
        their fee in ppm, where a pool cannot tell its own, and `families` to their kind, where that is declared.

        Tokens that no list declares are pinned on the way.
        """
        given = wants = list(wants)
        self.look_for_code(pins, {want.address: want.path for want in wants})
        wants = [want for want in wants if want.address in pins.code_hashes]
        facts = self._recognise(pins, [want.address for want in wants], kinds)
        found = {address: fact for address, fact in facts.items() if fact is not None}
        missing = {token for fact in found.values() for token in fact.tokens if token not in pins.tokens}
        paths = {token: want.path for want in wants if want.address in found for token in found[want.address].tokens}
        self.pin_tokens(pins, [TokenWant(f"{paths[token]}: token", token) for token in sorted(missing)])
        for want in wants:
            fact = facts[want.address]
            kind = " or ".join(kinds) if fact is None else (families or {}).get(fact.factory, fact.kind)
            is_it = fact is not None and fact.kind == kind
            if pins.note(want.path, f"a pool of kind {kind}", _kind(fact), is_it) and fact is not None:
                self._pin_pool(pins, want, fact, routers, fees or {})
        for want in given:
            if want.spare and want.address not in pins.pools:
                pins.leave_out(want.address, want.path)

    def _recognise(
        self, pins: Pins, addresses: Sequence[Address], kinds: Mapping[str, PoolPin]
    ) -> dict[Address, PoolFacts | None]:
        """Each pool as the first kind that knows it, once it has been told all that it asks for."""
        answers = dict(
            self.fetch(pins, [read for at in addresses for kind in kinds.values() for read in kind.reads(at)])
        )
        for _ in range(MOST_QUESTIONS):
            found = {at: recognise(at, kinds, answers) for at in addresses}
            wanted = [read for facts in found.values() if isinstance(facts, Needs) for read in facts.reads]
            if not wanted:
                break
            answers |= self.fetch(pins, wanted)
        return {at: None if isinstance(facts, Needs) else facts for at, facts in found.items()}

    def _pin_pool(
        self,
        pins: Pins,
        want: PoolWant,
        facts: PoolFacts,
        routers: Mapping[Address, Router],
        fees: Mapping[Address, int],
    ) -> None:
        ok = True
        if want.factory is not None:
            ok = pins.note(f"{want.path}.factory", want.factory, facts.factory, want.factory == facts.factory)
        declared = fees.get(facts.factory) if want.fee_ppm is None else want.fee_ppm
        fee = declared if facts.fee_ppm is None else facts.fee_ppm
        if declared is not None and facts.fee_ppm is not None:
            ok = pins.note(f"{want.path}.fee", _fee(declared), _fee(facts.fee_ppm), declared == fee) and ok
        if fee is None:
            ok = pins.note(f"{want.path}.fee", "a declared fee, as this pool cannot tell its own", "none", False)
        router = want.router or facts.router or routers.get(facts.factory)
        if router is None:
            ok = pins.note(f"{want.path}.router", f"a router for factory {facts.factory}", "none", False)
        tokens = [pins.tokens[token] for token in facts.tokens if token in pins.tokens]
        if not ok or fee is None or router is None or len(tokens) != len(facts.tokens):
            return
        pins.pools[want.address] = Pool(
            chain_id=self._chain_id,
            kind=facts.kind,
            address=want.address,
            tokens=tuple(tokens),
            fee=Fraction(fee, 1_000_000),
            factory=facts.factory,
            router=router,
            name=want.name,
            spacing=facts.spacing,
            code_hash=pins.code_hashes[want.address],
            details=facts.details,
        )
        if facts.warning:
            pins.warnings[want.path] = f"{pins.pools[want.address].label}: {facts.warning}"

    # --- feeds -------------------------------------------------------------------------------------------------------

    def pin_feeds(self, pins: Pins, wants: Iterable[FeedWant]) -> None:
        wants = list(wants)
        self.look_for_code(pins, {want.address: want.path for want in wants})
        wants = [want for want in wants if want.address in pins.code_hashes]
        asked = (DECIMALS, DESCRIPTION, LATEST_ROUND)
        answers = self.fetch(pins, [Read(want.address, data) for want in wants for data in asked])
        for want in wants:
            self._pin_feed(pins, want, *(answers.get(Read(want.address, data)) for data in asked))

    def _pin_feed(
        self, pins: Pins, want: FeedWant, decimals: bytes | None, description: bytes | None, latest: bytes | None
    ) -> None:
        figure = small_figure(decimals, MAX_DECIMALS)
        expected = f"decimals {want.decimals if want.decimals is not None else f'0 to {MAX_DECIMALS}'}"
        ok = figure is not None and want.decimals in (None, figure)
        pins.note(f"{want.path}.decimals", expected, "none" if figure is None else str(figure), ok)
        if want.description is not None:
            found = parse_label(description)
            same = _plain(found) == _plain(want.description)
            ok = pins.note(f"{want.path}.description", want.description, found or "none", same) and ok
        answers = parse_round(latest) is not None
        ok = pins.note(want.path, "an answer", "one" if answers else "none", answers) and ok
        if ok and figure is not None:
            pins.feed_decimals[want.address] = figure


def code_hash(code: bytes) -> str:
    return "0x" + keccak(code).hex()


def recognise(address: Address, kinds: Mapping[str, PoolPin], answers: Answers) -> PoolFacts | Needs | None:
    """The first kind that knows this pool as one of its own, or that must ask more to tell."""
    return next((facts for kind in kinds.values() if (facts := kind.pin(address, answers)) is not None), None)


def small_figure(answer: bytes | None, highest: int) -> int | None:
    """One word that is no larger than `highest`; None for anything else."""
    if answer is None or len(answer) < WORD:
        return None
    figure = word(answer, 0)
    return figure if figure <= highest else None


def parse_label(answer: bytes | None) -> str:
    """A symbol or description: a string, or bytes32 as old tokens have it. Cleaned, capped, and never an identity."""
    if not answer:
        return ""
    if len(answer) == WORD:
        text = answer.rstrip(b"\0").decode("utf-8", "replace")
    else:
        try:
            (raw,) = decode(["bytes"], answer)
        except (DecodingError, OverflowError):
            return ""
        text = raw[: 4 * MAX_LABEL].decode("utf-8", "replace")
    return "".join(char for char in text if char.isprintable())[:MAX_LABEL].strip()


def _plain(text: str) -> str:
    return "".join(text.split()).lower()


def _kind(facts: Any) -> str:
    return "none" if facts is None else facts.kind


def _fee(ppm: int) -> str:
    return f"a fee of {trimmed(Fraction(ppm, 10_000), 4)} %"
