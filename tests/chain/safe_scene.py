"""A vault in a Safe that is out on two sides, and its keeper, turned by hand.

with open_scene(market, folder, in_safe) as scene:
    turn = scene.turn()
    assert scene.settled() == FINAL_OK
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from keeper.app.chains import Chain
from keeper.app.loading import open_config, open_signers
from keeper.config import Loaded
from keeper.core.units import Token
from keeper.cycle import Cycle, Turn
from keeper.journal.past import Entry
from keeper.journal.reader import JournalReader
from keeper.journal.sql import SqlJournal
from tests.chain.daemon_market import GAS_MONEY, Market, fund
from tests.chain.holders import Holder
from tests.unit.chain.lives import Ears

VAULT = "old"
"""Of the market: WETH and USDC through v3, LINK through v2."""
TOO_MUCH = {"WETH": Fraction(24), "LINK": Fraction(1_800), "USDC": Fraction(20_000)}
"""{whole} $72,000, $36,000 and $20,000 at the first prices, for targets of 40, 20 and 40 %: two sells for USDC."""


@dataclass
class Scene:
    """One Safe with funds of its own, its configuration, and a keeper with a journal of its own."""

    market: Market
    holder: Holder
    loaded: Loaded
    chain: Chain
    cycle: Cycle
    ears: Ears = field(default_factory=Ears)

    def turn(self) -> Turn:
        """One cycle. What it sends is in a block at once, but not while it is `later`."""
        (found,) = self.cycle.turn([VAULT])
        return found

    def settled(self) -> Entry:
        """The last transaction, once it is final."""
        for _ in range(3):
            self.market.node.rpc("evm_mine")
            self.cycle.settle()
        with JournalReader(f"sqlite:///{self.loaded.path.parent / 'keeper.db'}") as reader:
            return reader.transactions(VAULT)[-1]

    @contextmanager
    def later(self) -> Iterator[None]:
        """Transactions wait meanwhile, and are mined by price at the end."""
        node = self.market.node
        node.rpc("evm_setAutomine", False)
        try:
            yield
        finally:
            node.rpc("evm_mine")
            node.rpc("evm_setAutomine", True)

    def balances(self) -> Mapping[Token, int]:
        return self.market.balances(VAULT)

    def allowances(self) -> Mapping[tuple[str, str, str], int]:
        return {key: raw for key, raw in self.market.allowances().items() if key[0] == VAULT}


@contextmanager
def open_scene(market: Market, folder: Path, make: Callable[[Market, str], Holder]) -> Iterator[Scene]:
    """With a key that nobody has used. The chain is looked at as at a start: raises ConfigError."""
    market.keys = {**market.keys, VAULT: secrets.token_bytes(32)}
    holder = make(market, VAULT)
    market.holders[VAULT] = holder
    fund(market, holder.account, TOO_MUCH)
    fund(market, market.senders[VAULT], {"ETH": GAS_MONEY})
    loaded = open_config(write(market, folder))
    with SqlJournal(f"sqlite:///{folder / 'keeper.db'}") as journal:
        chain, ears = Chain.open(loaded, "anvil"), Ears()
        cycle = chain.cycle(journal, [VAULT], open_signers(loaded, [VAULT]), ears)
        yield Scene(market, holder, loaded, chain, cycle, ears)


def write(market: Market, folder: Path) -> Path:
    """The market's configuration, of this vault alone."""
    path = market.write_config(folder)
    text = path.read_text("utf-8").replace("${DAEMON_RPC}", market.node.url)
    before, _, rest = text.partition("  new:\n    chain")
    path.write_text(before + rest[rest.index("journal:") :], "utf-8")
    return path
