"""The live keeper on a fork of its own chain: real parts and real contracts, and nobody's key."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from keeper.app.chains import Chain, open_rpc
from keeper.app.claims import Claims
from keeper.app.composition import vaults_on
from keeper.app.pinning import pin, require
from keeper.app.schedules import make_looks
from keeper.app.telling import keep_account
from keeper.chain.nodes.clock import ChainClock
from keeper.chain.nodes.headers import quantity
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.reading.pins import Finding, Pins
from keeper.config import Loaded
from keeper.config.custody import WalletConfig
from keeper.config.prices import ChainlinkConfig, feeds, leaves
from keeper.config.signers import SignerConfig
from keeper.core.errors import ConfigError, JournalError, KeeperError
from keeper.core.pools import Pool
from keeper.core.units import Address
from keeper.cycle import Turn
from keeper.daemon import ChainLoop
from keeper.journal.sql import SqlJournal
from keeper.local.anvil import Anvil
from keeper.local.forked import open_unlocked, run_fork
from keeper.local.moves import move_pools
from keeper.local.stand_in import stand_in
from keeper.local.unlocked import UnlockedSigner

FILE = "fork.db"
MOST_STEPS = 64
"""Blocks within which what one look sent is mined and confirmed, or is left to the next look."""


@dataclass(slots=True)
class Voice:
    """Alerts and troubles of a fork, for whoever watches it; nobody else hears of them."""

    said: list[str] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def alert(self, key: str, text: str) -> None:
        if key not in self._known:
            self._known.add(key)
            self.said.append(text)

    def began(self) -> None:
        pass

    def ticked(self, chain: str, turns: Sequence[Turn]) -> None:
        pass

    def kept_pace(self, chain: str, took: float, skipped: int) -> None:
        pass

    def trouble(self, chain: str, error: KeeperError) -> None:
        self.alert(str(error), f"{chain}: {error}")


@dataclass(slots=True)
class Fork:
    """A fork with a keeper on it. `block` is the origin's last one that it shares."""

    loaded: Loaded
    node: Anvil
    block: int
    chain: Chain
    journal: SqlJournal
    loop: ChainLoop
    voice: Voice

    def now(self) -> int:
        return self.chain.clock.now()

    def is_up(self) -> bool:
        """Whether its node still answers."""
        try:
            self.chain.rpc.call("eth_chainId", [])
        except KeeperError:
            return False
        return True

    def move(self, factors: Mapping[str, Fraction]) -> Iterator[tuple[Pool, Fraction]]:
        """Trades every pool of these tokens, by symbol, to its price times the factor. Raises as `move_pools`."""
        yield from move_pools(self.chain.rpc, list(self.chain.pins.pools.values()), factors)

    def hold_feeds(self, factors: Mapping[str, Fraction]) -> tuple[Address, ...]:
        """From now on every feed says what it said last, times its token's factor. Returns the feeds."""
        prices = [self.loaded.config.prices_of(vault) for vault in self.chain.vaults]
        found = sorted(set().union(*(feeds(price) for price in prices)))
        moved: dict[Address, Fraction] = {}
        for symbol, factor in factors.items():
            for source in (source for price in prices if symbol in price for source in price[symbol].sources):
                # Of a product the first factor moves: the others are other tokens' prices.
                leaf = leaves(source)[0]
                if isinstance(leaf, ChainlinkConfig):
                    moved[leaf.feed] = 1 / factor if leaf.invert else factor
        stand_in(self.chain.rpc, found, moved)
        return tuple(found)

    def live_through(self, seconds: int) -> Iterator[Turn]:
        """Turns every vault by its schedule for so much of the chain's time. Blocks come when they are needed: at each
        look, and at the chain's pace while a transaction is on its way."""
        self.chain.rpc.call("evm_setAutomine", [False], nullable=True)
        pace = max(1, math.ceil(self.chain.config.block_time))
        looked: dict[str, int] = {}
        now = self.now()
        ends = now + seconds
        while now <= ends:
            for _ in range(MOST_STEPS):
                for turn in self.loop.tick():
                    looked[turn.record.vault] = now
                    yield turn
                if not self.loop.is_awaiting:
                    break
                now = self._mine(now + pace)
            wanted = [
                make_looks(self.loaded.config.kept[vault], float(self.chain.config.block_time)).next_at(
                    looked.get(vault, now)
                )
                for vault in self.chain.vaults
            ]
            if (then := max(min(wanted), now + 1)) > ends:
                break
            now = self._mine(then)

    def _mine(self, at: int) -> int:
        self.chain.rpc.call("evm_setNextBlockTimestamp", [hex(at)], nullable=True)
        self.chain.rpc.call("evm_mine", [], nullable=True)
        return at


@contextmanager
def open_fork(
    loaded: Loaded, folder: Path, *, vault: str | None = None, block: int | None = None, symbols: Collection[str] = ()
) -> Iterator[Fork]:
    """Forks the chain of `vault`, or of all vaults, and puts the live keeper on it; its journal is `folder`/fork.db,
    begun anew. `symbols` are tokens that are to be moved: they must be known.

    Raises ConfigError where that cannot be done, Unreachable where no node answers, JournalError where the journal's
    place is taken.
    """
    name, names = _chosen(loaded, vault)
    _check_symbols(loaded, name, symbols)
    origin = open_rpc(loaded, name)
    try:
        at = _fork_block(loaded, name, origin, block)
        config = loaded.config.chains[name]
        with run_fork(origin, config.chain_id, at) as node:
            rpc = open_unlocked(name, node)
            try:
                forked = _forked(loaded, name, names)
                with _new_journal(folder, ChainClock(rpc)) as journal:
                    journal.keep_config(loaded.hash, loaded.canonical)
                    fork = _compose(forked, name, rpc, journal, node, at)
                    _check_pools(fork.chain, symbols)
                    yield fork
            finally:
                rpc.close()
    finally:
        origin.close()


def _compose(forked: Loaded, name: str, rpc: Rpc, journal: SqlJournal, node: Anvil, block: int) -> Fork:
    pins = pin(rpc, Claims(forked.config, name, vaults_on(forked.config, name)))
    require(forked, [pins] if isinstance(pins, Finding) else pins.findings)
    assert isinstance(pins, Pins)
    chain, voice = Chain(forked, name, pins, rpc, ChainClock(rpc)), Voice()
    signers = {
        address: UnlockedSigner(address) for vault in chain.vaults if (address := forked.config.sender_of(vault))
    }
    loop = ChainLoop(
        chain=name,
        chain_id=chain.config.chain_id,
        cycle=chain.cycle(journal, chain.vaults, signers, voice),
        schedules=chain.schedules(),
        clock=chain.clock,
        journal=journal,
        teller=voice,
        note=keep_account(journal),
        block_time=float(chain.config.block_time),
        answer=lambda _request: "nothing is asked of a fork",
        verify=lambda _now: None,
    )
    return Fork(forked, node, block, chain, journal, loop, voice)


def _chosen(loaded: Loaded, vault: str | None) -> tuple[str, tuple[str, ...]]:
    """The chain to fork and what is kept on it. A shadow never sends, on a fork neither."""
    kept = loaded.config.kept
    if vault is not None and vault not in kept:
        raise ConfigError("command", "--vault", f"one of {', '.join(kept)}", vault)
    names = tuple(
        name for name, body in kept.items() if vault in (None, name) and getattr(body, "mode", "") != "shadow"
    )
    chains = tuple(dict.fromkeys(kept[name].chain for name in names))
    if len(chains) != 1:
        found = f"vaults on {', '.join(chains)}" if chains else "only shadows"
        raise ConfigError("command", "--vault", "a vault: a fork is of one chain", found)
    return chains[0], names


def _check_symbols(loaded: Loaded, name: str, symbols: Collection[str]) -> None:
    known = loaded.config.chains[name].tokens
    for symbol in symbols:
        if symbol not in known:
            raise ConfigError("command", "--move", f"a token of {name} ({', '.join(known)})", symbol)


def _check_pools(chain: Chain, symbols: Collection[str]) -> None:
    pools = chain.pins.pools.values()
    for symbol in symbols:
        if not any(symbol in (token.symbol for token in pool.tokens) for pool in pools):
            raise ConfigError("command", "--move", f"a token of {', '.join(pool.label for pool in pools)}", symbol)


def _fork_block(loaded: Loaded, name: str, origin: Rpc, wanted: int | None) -> int:
    """The block that is shared: `wanted`, or the origin's head. Raises ConfigError for another chain's URL."""
    expected = loaded.config.chains[name].chain_id
    for url, answer in origin.ask_each("eth_chainId", []):
        if isinstance(answer, str) and answer != hex(expected):
            found = f"chain {int(answer, 16)}" if answer.startswith("0x") else "another answer"
            raise ConfigError(str(loaded.path), f"chains.{name}.rpc", f"chain {expected} at {url}", found)
    head = quantity(origin.call("eth_getBlockByNumber", ["latest", False])["number"], "number")
    if wanted is not None and wanted > head:
        raise ConfigError("command", "--block", f"a block up to {head}, the head of {name}", str(wanted))
    return head if wanted is None else wanted


def _forked(loaded: Loaded, name: str, names: Collection[str]) -> Loaded:
    """The same configuration with nothing but this chain's vaults, all of them live; no relay may hear of them."""
    config = loaded.config
    chain = config.chains[name].model_copy(
        update={"clock": "chain", "max_head_age": None, "relay": None, "quorum": None, "rpc_rate": None}
    )
    signers, vaults = dict(config.signers), {}
    for vault in (vault for vault in config.vaults if vault in names):
        body = config.vaults[vault].model_copy(update={"mode": "live"})
        if isinstance(body.custody, WalletConfig) and body.custody.signer is None:
            # Nobody's key is known, and none is needed: the account itself sends.
            signers[vault] = SignerConfig(address=config.account_of(vault))
            body = body.model_copy(update={"custody": body.custody.model_copy(update={"signer": vault})})
        vaults[vault] = body
    upkeeps = {
        upkeep: body.model_copy(update={"mode": "live"}) for upkeep, body in config.upkeeps.items() if upkeep in names
    }
    return replace(
        loaded,
        config=config.model_copy(
            update={"chains": {name: chain}, "signers": signers, "vaults": vaults, "upkeeps": upkeeps}
        ),
    )


@contextmanager
def _new_journal(folder: Path, clock: ChainClock) -> Iterator[SqlJournal]:
    """Raises JournalError where the file is there and is no fork's, or belongs to a fork that still runs."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(f"journal {folder}: {error.strerror}") from None
    path = folder / FILE
    url = f"sqlite:///{path.resolve()}"
    if path.exists():
        SqlJournal(url, fork=True).close()
        for old in folder.glob(f"{FILE}*"):
            if not old.name.endswith(".lock"):
                old.unlink(missing_ok=True)
    with SqlJournal(url, now=clock.now, fork=True) as journal:
        yield journal
