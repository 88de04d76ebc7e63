"""Another key in the place of one: what must hold before, what is waited for, and what a person does afterwards.

The old key drains (see `core/drain.py`). Only when all that it ever sent is final and explained does the configuration
name the new one; a keeper that is started with it too early refuses (`draining.require_drained`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.app.accounts import verify_senders
from keeper.app.journals import journal_url
from keeper.app.keys import chains_of, fetch_seat, unfinished, vaults_of
from keeper.app.loading import open_signer
from keeper.chain.sending.remote_signer import RemoteSigner
from keeper.config import Loaded
from keeper.core import text
from keeper.core.errors import ConfigError, Halted
from keeper.core.sending import Intent
from keeper.core.units import Address
from keeper.journal.reader import JournalReader


@dataclass(frozen=True, slots=True)
class Rotation:
    """From one signer of a configuration to another."""

    loaded: Loaded
    old: str
    new: str

    def __post_init__(self) -> None:
        """Raises ConfigError where the two cannot change places."""
        known = self.loaded.config.signers
        for what, name in (("OLD", self.old), ("NEW", self.new)):
            if name not in known:
                raise ConfigError("command", what, f"a signer ({', '.join(known) or 'none is configured'})", name)
        if self.old == self.new:
            raise ConfigError("command", "NEW", f"another signer than {self.old}", self.new)
        if not self.vaults:
            raise ConfigError("command", "OLD", "a signer that a vault uses", f"{self.old}, which none does")
        config = self.loaded.config
        own = [name for name in config.vaults if config.account_of(name) == self.successor]
        if own and any(config.account_of(name) == self.sender for name in config.vaults):
            found = f"{self.new}, whose account holds those of {own[0]}"
            raise ConfigError("command", "NEW", "a signer whose account holds no vault's funds", found)

    @property
    def vaults(self) -> tuple[str, ...]:
        return vaults_of(self.loaded, self.old)

    @property
    def sender(self) -> Address:
        return self.loaded.config.signers[self.old].address

    @property
    def successor(self) -> Address:
        return self.loaded.config.signers[self.new].address

    def check_successor(self) -> Iterator[str]:
        """Opens the new key and looks at its account on each chain; says what it found.

        Raises ConfigError where the key cannot be opened or its account cannot send, SubmitError where a remote signer
        does not answer, Unreachable where a chain does not.
        """
        chains = chains_of(self.loaded, self.old)
        ids = frozenset(self.loaded.config.chains[chain].chain_id for chain in chains)
        signer = open_signer(self.loaded, self.new, ids)
        place = f"signers.{self.new}"
        if isinstance(signer, RemoteSigner) and self.successor.lower() not in signer.accounts():
            raise ConfigError(str(self.loaded.path), place, f"a remote signer that has {self.successor}", "others")
        for chain in chains:
            found, coin = fetch_seat(self.loaded, chain, self.successor)
            if found.code not in ("0x", "0x0"):
                raise ConfigError(str(self.loaded.path), place, f"an account without code on {chain}", "code")
            if not coin:
                raise ConfigError(str(self.loaded.path), place, f"coin for gas on {chain}", "none")
            past = f", and has sent {found.next_nonce} transactions before" if found.next_nonce else ""
            yield f"{self.new} {self.successor} opens; on {chain} it holds {text.amount(coin)}{past}"

    # --- waiting -----------------------------------------------------------------------------------------------------

    def left(self) -> tuple[Intent, ...]:
        """What the old key has on its way, or could still lose to a reorg."""
        with JournalReader(journal_url(self.loaded)) as reader:
            return unfinished(self.loaded, reader, self.sender)

    def require_idle(self) -> Iterator[str]:
        """Says for each chain that the old key has nothing on its way.

        Raises Halted where the chain knows of something that the journal does not.
        """
        with JournalReader(journal_url(self.loaded)) as reader:
            for account in verify_senders(self.loaded, reader):
                if account.sender != self.sender:
                    continue
                found, _ = fetch_seat(self.loaded, account.chain, self.sender)
                if account.unexplained or found.pending > found.next_nonce:
                    raise Halted(
                        f"{self.sender} on {account.chain}: expected nothing but what the journal knows, found "
                        "transactions of somebody else: keeper verify. Do not start the new key before you know whose"
                    )
                yield f"{self.old} {self.sender} is idle on {account.chain}: {found.next_nonce} nonces used, all final"

    # --- afterwards --------------------------------------------------------------------------------------------------

    def next_steps(self) -> Iterator[str]:
        """What only a person can do, in order."""
        config, path = self.loaded.config, self.loaded.path
        for vault in self.vaults:
            account, kind = config.account_of(vault), config.kept[vault].custody.kind
            if vault in config.upkeeps:
                target = config.upkeeps[vault].target
                yield f"{vault}: where {target} lets only {self.sender} call, let {self.successor} call in its place"
            elif account == self.sender:
                yield f"{vault}: its funds lie in the old key's own account: move them to {self.successor}"
            else:
                yield (
                    f"{vault}: let {self.successor} do at {kind} {account} what {self.sender} may do now, and take the "
                    "right from the old one"
                )
        for vault in self.vaults:
            yield f"in {path.name}: {config.signer_place(vault)}: {self.new} in place of {self.old}"
        yield f"keeper check {path}, stop the keeper, and start it again: keeper run {path} --live"
        yield f"when that trades: remove signers.{self.old} and send what coin is left there to where it belongs"


def waits_for(left: tuple[Intent, ...]) -> str:
    parts = [f"{i.call.purpose} of {i.vault} (nonce {i.nonce}) is {i.state}" for i in left]
    return f"waiting until all is final: {', '.join(parts)}"
