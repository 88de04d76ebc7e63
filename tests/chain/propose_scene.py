"""A vault in a Safe whose owners sign what the keeper writes down: the keeper turned by hand, and people played.

with open_proposing(market, folder, owned) as scene:
    scene.turn()
    scene.execute(scene.open_one())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from eth_account import Account

from keeper.app.chains import Chain
from keeper.app.loading import open_config, open_signers
from keeper.app.proposal_files import ProposalFiles, safe_tx
from keeper.app.proposing import Queue, SafeProposer
from keeper.config import Loaded
from keeper.core.abi import calldata, word
from keeper.core.chain import History
from keeper.core.proposals import Fate
from keeper.core.records import Proposal
from keeper.core.units import Address, Token
from keeper.custody.multi_send import Operation, bundle
from keeper.custody.roles import role_key
from keeper.custody.safe import EXECUTE, NOBODY, SafeOwner
from keeper.custody.safe_tx import SafeTx, signed_by
from keeper.cycle import Cycle, Turn
from keeper.journal.past import Entry
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.chain.daemon_market import GAS_MONEY, PRICES, Market, fund
from tests.chain.holders import Holder
from tests.chain.keeper_process import keeper
from tests.chain.safe_holders import ASSIGN, ROLE, safes_of
from tests.chain.safe_scene import TOO_MUCH, VAULT, write
from tests.unit.chain.lives import Ears

OWNERS = tuple(Account.from_key(bytes([n]) * 32) for n in (0x41, 0x42, 0x43))
HASH = "getTransactionHash(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)"


def owned(market: Market, vault: str, version: str = "1.4.1") -> Holder:
    """Two of three people must sign."""
    safes = safes_of(market.node, version)
    account = safes.create([Address(owner.address) for owner in OWNERS], threshold=2)
    return Holder(
        account, f'{{kind: propose, safe: "{account}", multi_send: "{safes.multi_send}", version: {version}}}'
    )


@dataclass
class ProposeScene:
    """One Safe, its configuration, a keeper with a journal and a directory for proposals."""

    market: Market
    holder: Holder
    loaded: Loaded
    journal: SqlJournal
    files: ProposalFiles
    ears: Ears = field(default_factory=Ears)
    owners: Sequence[Any] = OWNERS
    cycle: Cycle = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self, queues: Mapping[Address, Queue] = MappingProxyType({})) -> None:
        """Raises ConfigError where the chain is not as configured."""
        chain = Chain.open(self.loaded, "anvil")
        finality = chain.config.finality.depth
        proposer = SafeProposer(chain.rpc, self.journal, chain.config.chain_id, finality, self.files, self.ears, queues)
        signers = open_signers(self.loaded, [VAULT])
        self.cycle = chain.cycle(self.journal, [VAULT], signers, self.ears, proposer)

    @contextmanager
    def away(self) -> Iterator[None]:
        """This keeper ends, and another one begins with what it left: the journal and the files."""
        self.journal.close()
        try:
            yield
        finally:
            self.journal = SqlJournal(self._url)
        self.start()

    @property
    def _url(self) -> str:
        return f"sqlite:///{self.loaded.path.parent / 'keeper.db'}"

    # --- the keeper --------------------------------------------------------------------------------------------------

    def turn(self) -> Turn:
        (found,) = self.cycle.turn([VAULT])
        return found

    def settle(self) -> None:
        """Until what is in a block is final."""
        for _ in range(3):
            self.market.node.rpc("evm_mine")
        self.cycle.settle()

    def keeper(self, command: str, *words: str) -> str:
        """What `python -m keeper` says, as a process of its own."""
        place = ("-c", self.loaded.path) if command in ("explain", "replay") else (self.loaded.path,)
        done = keeper(command, *words, *place, env={"COLUMNS": "200"})
        assert done.code == 0, done.err
        return done.out

    def open_one(self) -> Proposal:
        (found,) = [p for p in self.journal.waiting(self.market.node.chain_id) if p.fate is Fate.OPEN]
        return found

    def fates(self) -> list[Fate]:
        with JournalReader(self._url) as reader:
            return [proposal.fate for proposal in reader.proposals(VAULT)]

    def history(self) -> History:
        return self.journal.history(VAULT, self.now())

    def transactions(self) -> list[Entry]:
        with JournalReader(self._url) as reader:
            return reader.transactions(VAULT)

    # --- people ------------------------------------------------------------------------------------------------------

    def execute(self, proposal: Proposal) -> None:
        """Two owners sign the hash, and somebody pays the gas. Raises NodeError where the Safe refuses."""
        self.sign_and_execute(safe_tx(proposal.proposed.new, proposal.proposed.nonce))

    def sign_and_execute(self, tx: SafeTx) -> None:
        signers = self.owners[:2]
        signatures = {Address(owner.address): bytes(owner.unsafe_sign_hash(tx.hash).signature) for owner in signers}
        done = tx.operation
        what = done.to, done.value, done.data, done.kind
        self.market.node.send(tx.safe, calldata(EXECUTE, *what, 0, 0, 0, NOBODY, NOBODY, signed_by(signatures)))

    def execute_alone(self, proposal: Proposal) -> None:
        """As the one owner, whose account the node has unlocked, of a Safe with threshold 1."""
        safe, owner = self.holder.account, self.market.node.deployer
        operation = safe_tx(proposal.proposed.new, proposal.proposed.nonce).operation
        self.market.node.send(safe, SafeOwner(safe, owner).seal(operation), sender=owner)

    def hand_over(self) -> None:
        """From the node's deployer and the vault's key to the three people, two of whom must sign."""
        safe, deployer, key = self.holder.account, self.market.node.deployer, self.market.senders[VAULT]
        safes = safes_of(self.market.node, "1.4.1")
        people = [Address(owner.address) for owner in OWNERS]
        for new in people:
            safes.add_owner(safe, deployer, new)
        # A Safe lists its newest owner first, and wants to know who stands before the one that goes.
        for before, gone, threshold in ((deployer, key, 1), (people[0], deployer, 2)):
            data = calldata("removeOwner(address,address,uint256)", before, gone, threshold)
            safes.execute(safe, deployer, safe, data)

    def take_role(self, *, back: bool = False) -> None:
        """From the key, by the owner of the modifier; or gives it back."""
        assert self.holder.between is not None
        data = calldata(ASSIGN, self.market.senders[VAULT], [role_key(ROLE)], [back])
        self.market.node.send(self.holder.between, data)

    def hash_on_chain(self, payload: Mapping[str, Any]) -> str:
        """What the Safe itself says owners sign."""
        data = bytes.fromhex(payload["data"][2:])
        asked = payload["to"], int(payload["value"]), data, payload["operation"]
        return "0x" + self._ask(calldata(HASH, *asked, 0, 0, 0, NOBODY, NOBODY, payload["nonce"])).hex()

    def nonce(self) -> int:
        return word(self._ask(calldata("nonce()")), 0)

    def bundled_otherwise(self, batch: Mapping[str, Any]) -> Operation:
        """The same calls, and one that does nothing before them."""
        calls = [(Address(c["to"]), int(c["value"]), bytes.fromhex(c["data"][2:])) for c in batch["transactions"]]
        nothing = (self.market.node.deployer, 0, b"")
        return bundle([nothing, *calls], safes_of(self.market.node, "1.4.1").multi_send)

    def fill_up(self) -> None:
        """Somebody sends the dollars that are missing: as many as there is ether, and the vault is at its targets."""
        missing = TOO_MUCH["WETH"] * PRICES["WETH"] - TOO_MUCH["USDC"]
        fund(self.market, self.holder.account, {"USDC": missing})

    # --- the chain ---------------------------------------------------------------------------------------------------

    def balances(self) -> Mapping[Token, int]:
        return self.market.balances(VAULT)

    def allowances(self) -> Mapping[tuple[str, str, str], int]:
        return {key: raw for key, raw in self.market.allowances().items() if key[0] == VAULT}

    def now(self) -> int:
        return int(self.market.node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def pass_time(self, seconds: int) -> None:
        """And the feeds say their prices again."""
        self.market.node.rpc("evm_increaseTime", seconds)
        self.market.move_quietly(WETH=self.market.prices["WETH"], LINK=self.market.prices["LINK"], USDC=1)

    def _ask(self, data: bytes) -> bytes:
        return self.market.node.call(self.holder.account, data)


@contextmanager
def open_proposing(
    market: Market, folder: Path, make: Callable[[Market, str], Holder], more: str = ""
) -> Iterator[ProposeScene]:
    """`more` stands in the vault's configuration."""
    holder = make(market, VAULT)
    market.holders[VAULT] = holder
    fund(market, holder.account, TOO_MUCH)
    fund(market, market.senders[VAULT], {"ETH": GAS_MONEY})
    path = write(market, folder)
    text = path.read_text("utf-8").replace("    confirmations:", "    clock: chain\n    confirmations:", 1)
    path.write_text(text.replace("    breakers:", f"    {more}\n    breakers:", 1) if more else text, "utf-8")
    loaded = open_config(path)
    scene = ProposeScene(
        market, holder, loaded, SqlJournal(f"sqlite:///{folder / 'keeper.db'}"), ProposalFiles(folder / "proposals")
    )
    try:
        yield scene
    finally:
        scene.journal.close()
