"""The senders of a configuration, and the account of every nonce they used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.app.chains import open_rpc
from keeper.chain.sending.accounting import Account, account, fetch_count, fetch_mined
from keeper.config import Loaded
from keeper.core.errors import ConfigError, Halted
from keeper.core.units import Address
from keeper.journal.adoption import Adoption
from keeper.journal.reader import JournalReader


@dataclass(frozen=True, slots=True)
class SenderAccount:
    """One sender on one chain."""

    chain: str
    chain_id: int
    sender: Address
    nonces: tuple[Account, ...]

    @property
    def unexplained(self) -> tuple[Account, ...]:
        return tuple(nonce for nonce in self.nonces if not nonce.explained)


def senders_of(loaded: Loaded) -> list[tuple[str, Address]]:
    """Chain and address of every key that a vault or an upkeep names; those that are only watched have none."""
    named = [(vault.chain, loaded.config.sender_of(name)) for name, vault in loaded.config.kept.items()]
    return sorted({(chain, sender) for chain, sender in named if sender is not None})


def verify_senders(loaded: Loaded, reader: JournalReader) -> Iterator[SenderAccount]:
    """Raises Unreachable where a chain does not answer."""
    for chain, sender in senders_of(loaded):
        chain_id, rpc = loaded.config.chains[chain].chain_id, open_rpc(loaded, chain)
        intents, adopted = reader.intents_of(chain_id, sender), reader.adopted(chain_id, sender)
        count, mined = fetch_count(rpc, sender), fetch_mined(rpc, intents)
        below = adopted.next_nonce if adopted else 0
        who = f"{adopted.by}: {adopted.reason}" if adopted else ""
        yield SenderAccount(chain, chain_id, sender, tuple(account(intents, below, who, count, mined)))


def adoptions_of(loaded: Loaded, target: str) -> list[Adoption]:
    """What a person would adopt for the sender `target`: the chain's own next nonce, on each of its chains.

    Raises ConfigError where no vault sends from it, Halted while something of it waits in a node's pool: whether that
    will be mined, nobody knows.
    """
    found = [(chain, sender) for chain, sender in senders_of(loaded) if sender.lower() == target.lower()]
    if not found:
        known = ", ".join(sorted({sender for _, sender in senders_of(loaded)})) or "none is configured"
        raise ConfigError("command", "--adopt", f"a sender ({known})", target)
    adoptions = []
    for chain, sender in found:
        count = fetch_count(open_rpc(loaded, chain), sender)
        if count.pending > count.latest:
            waits = f"expected nothing pending before an adoption, found nonces {count.latest} to {count.pending - 1}"
            raise Halted(f"{sender} on {chain}: {waits}: wait until they are mined, or replace them by hand")
        if count.latest:
            adoptions.append(Adoption(loaded.config.chains[chain].chain_id, sender, count.latest))
    return adoptions
