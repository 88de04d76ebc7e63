"""The keys of a configuration: where each is held, what it is for, and what it has on its way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keeper.app.chains import open_rpc
from keeper.app.journals import has_journal, journal_url
from keeper.chain.nodes.headers import quantity
from keeper.chain.sending.reconcile import OnChain, fetch_senders
from keeper.config import Loaded
from keeper.config.signers import SignerConfig
from keeper.core.drain import drain_scope
from keeper.core.errors import KeeperError
from keeper.core.sending import FINAL, Intent
from keeper.core.units import NATIVE, Address, Token, TokenAmount
from keeper.journal.reader import JournalReader


@dataclass(frozen=True, slots=True)
class Seat:
    """One key on one chain. `coin` and `nonce` are None where no node answers; `trouble` says what is wrong."""

    chain: str
    coin: TokenAmount | None = None
    nonce: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One signer of a configuration."""

    name: str
    address: Address
    kind: str
    """keystore, remote, key_file, or key (a variable)."""
    place: str
    """A file's name, a masked URL, or a variable."""
    files: str
    """What is wrong with its files; empty where nothing is."""
    vaults: tuple[str, ...]
    draining: str
    """Why it starts nothing new; empty where it may."""
    unfinished: int
    """Transactions that are not final yet."""
    seats: tuple[Seat, ...]

    @property
    def state(self) -> str:
        if self.draining:
            return f"draining, {self.unfinished} not final" if self.unfinished else "drained"
        return "in use" if self.vaults else "not used"


def list_keys(loaded: Loaded, *, online: bool) -> list[KeyFacts]:
    """Every signer; with `online` the chains are asked too."""
    reader = JournalReader(journal_url(loaded)) if has_journal(loaded) else None
    try:
        return [_facts(loaded, reader, name, online=online) for name in loaded.config.signers]
    finally:
        if reader is not None:
            reader.close()


def vaults_of(loaded: Loaded, signer: str) -> tuple[str, ...]:
    return tuple(name for name, vault in loaded.config.kept.items() if vault.custody.signer == signer)


def chains_of(loaded: Loaded, signer: str) -> tuple[str, ...]:
    """Where it signs; everywhere where no vault uses it yet."""
    used = dict.fromkeys(loaded.config.kept[vault].chain for vault in vaults_of(loaded, signer))
    return tuple(used or loaded.config.chains)


def unfinished(loaded: Loaded, reader: JournalReader, sender: Address) -> tuple[Intent, ...]:
    """What a reorg, or a block, may still change."""
    ids = [chain.chain_id for chain in loaded.config.chains.values()]
    return tuple(i for chain_id in ids for i in reader.intents_of(chain_id, sender) if i.state not in FINAL)


def fetch_seat(loaded: Loaded, chain: str, sender: Address) -> tuple[OnChain, TokenAmount]:
    """Raises Unreachable, or TransientError where an answer makes no sense."""
    rpc, native = open_rpc(loaded, chain), loaded.config.chains[chain].native
    try:
        found = fetch_senders(rpc, [sender])[sender]
        coin = quantity(rpc.call("eth_getBalance", [sender, "latest"]), "balance")
    finally:
        rpc.close()
    token = Token(loaded.config.chains[chain].chain_id, NATIVE, native.symbol, native.decimals)
    return found, TokenAmount(token, coin)


def _facts(loaded: Loaded, reader: JournalReader | None, name: str, *, online: bool) -> KeyFacts:
    signer = loaded.config.signers[name]
    standing = {halt.scope: halt.reason for halt in reader.halts()} if reader else {}
    return KeyFacts(
        name=name,
        address=signer.address,
        kind=signer.kind,
        place=_place(signer),
        files=next(_missing(signer), ""),
        vaults=vaults_of(loaded, name),
        draining=standing.get(drain_scope(signer.address), ""),
        unfinished=len(unfinished(loaded, reader, signer.address)) if reader else 0,
        seats=tuple(_seat(loaded, chain, signer.address) for chain in chains_of(loaded, name)) if online else (),
    )


def _place(signer: SignerConfig) -> str:
    file = signer.keystore or signer.key_file
    return file.name if file else str(signer.remote or signer.key)


def _missing(signer: SignerConfig) -> Iterator[str]:
    """Loading has refused files that others can read; those that are not there it leaves to whoever signs."""
    for file in filter(None, (signer.keystore, signer.password_file, signer.key_file)):
        if not file.exists():
            yield f"{file.name} is missing"


def _seat(loaded: Loaded, chain: str, sender: Address) -> Seat:
    try:
        found, coin = fetch_seat(loaded, chain, sender)
    except KeeperError as error:
        return Seat(chain, trouble=str(error))
    code = "" if found.code in ("0x", "0x0") else "it has code: whoever made it do so may hold the key"
    return Seat(chain, coin, found.next_nonce, code)


def keys_record(keys: Sequence[KeyFacts]) -> list[dict[str, object]]:
    """For machines; amounts in wei as text."""
    return [
        {
            "name": key.name,
            "address": key.address,
            "kind": key.kind,
            "place": key.place,
            "files": key.files or "ok",
            "vaults": list(key.vaults),
            "state": key.state,
            "not_final": key.unfinished,
            "chains": [
                {
                    "chain": seat.chain,
                    "nonce": seat.nonce,
                    "coin": None if seat.coin is None else str(seat.coin.raw),
                    "trouble": seat.trouble,
                }
                for seat in key.seats
            ],
        }
        for key in keys
    ]
