"""Everything that may happen to a keeper, in any order: the rules of the stateful model.

After each rule the invariants are checked against the chain (truth.py). At the end the faults stop, blocks go on, and
everything that ever began must end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from keeper.chain.sending.wishes import ACTIONS
from keeper.core.chain import Unusable
from keeper.core.sending import FINAL, LIVE, State
from keeper.journal.memory import MemoryJournal
from tests.builders import CHAIN
from tests.faults.sim.endpoint import Fault, Kind
from tests.faults.sim.keeper_in_sim import SimKeeper, World
from tests.faults.sim.ledger import Ledger, decode_tx, encode_tx
from tests.faults.sim.network import GWEI, Fate
from tests.faults.sim.treasury import VAULTS
from tests.faults.sim.truth import Truth, require

CLIENTS = ("geth", "reth", "erigon", "nethermind", "besu", "anvil")
METHODS = (
    "eth_sendRawTransaction",
    "eth_sendRawTransaction",
    "eth_getTransactionReceipt",
    "eth_getTransactionCount",
    "eth_getBlockByNumber",
    "eth_getTransactionByHash",
    "eth_call",
    "eth_simulateV1",
    "eth_feeHistory",
    "*",
)
TEXTS = (
    "internal error",
    "rate limit exceeded",
    "header not found",
    "nonce too low",
    "already known",
    "replacement transaction underpriced",
    "transaction underpriced",
    "txpool is full",
    "insufficient funds for gas * price + value",
    "execution reverted",
    "request timed out",
)
NAMES = tuple(VAULTS)
STEPS = {"made": 0}
"""How many rules have run in this process, beside the first block of each example."""


class Model(RuleBasedStateMachine):
    """Two keepers may share the journal: the second instance that a lock should have prevented."""

    def __init__(self) -> None:
        super().__init__()
        self._begin(("geth",), 1)

    def _begin(self, clients: Sequence[str], confirmations: int) -> None:
        self.world = World.open(clients)
        self.journal = MemoryJournal()
        self.confirmations = confirmations
        self.keeper = self._keeper()
        self.twin: SimKeeper | None = None
        self.truth = Truth(self.world, self.journal)
        self.shadowed = False

    def _keeper(self) -> SimKeeper:
        return SimKeeper(self.world, self.journal, confirmations=self.confirmations)

    @initialize(
        clients=st.one_of(
            st.tuples(st.sampled_from(CLIENTS)), st.lists(st.sampled_from(CLIENTS), min_size=2, max_size=2)
        ),
        confirmations=st.integers(1, 4),
        price=st.sampled_from((2_400, 2_700, 3_300, 3_600)),
    )
    def begin(self, clients: Sequence[str], confirmations: int, price: int) -> None:
        self._begin(clients, confirmations)
        self.world.mine(acts=[_price(price)])

    def _step(self) -> None:
        STEPS["made"] += 1

    # --- the keeper --------------------------------------------------------------------------------------------------

    @rule()
    def tick(self) -> None:
        self._step()
        self.keeper.tick()

    @rule(price=st.sampled_from((2_400, 2_700, 3_000, 3_300, 3_600)), blocks=st.integers(0, 3))
    def market_moves_and_we_look(self, price: int, blocks: int) -> None:
        self._step()
        self.world.mine(acts=[_price(price)])
        self.keeper.tick()
        for _ in range(blocks):
            self.world.mine()
            self.keeper.tick()

    @rule()
    def mine_and_tick(self) -> None:
        self._step()
        self.world.mine()
        self.keeper.tick()

    @rule()
    def settle(self) -> None:
        self._step()
        self.keeper.settle()

    @rule()
    def crash_and_restart(self) -> None:
        """11: nothing but the journal survives."""
        self._step()
        self.keeper = self._keeper()

    @rule()
    def second_instance(self) -> None:
        self._step()
        self.twin = self.twin or self._keeper()
        self.twin.tick()

    @rule(name=st.sampled_from(NAMES), on=st.sampled_from((False, False, True)))
    def pause(self, name: str, on: bool) -> None:
        self._step()
        self.keeper.pause(name, on)

    @rule(name=st.sampled_from(NAMES), action=st.sampled_from(ACTIONS))
    def wish(self, name: str, action: str) -> None:
        """A person wants it quicker, or gone."""
        self._step()
        if any(intent.vault == name and intent.state in LIVE for intent in self.journal.intents):
            self.journal.ask(action, name, "test", "test", self.world.network.head.timestamp)

    @rule(name=st.sampled_from(NAMES))
    def decide_twice(self, name: str) -> None:
        """10: the same snapshot gives the same plan."""
        self._step()
        try:
            view = self.keeper.observer.observe([name]).vaults[name].view
        except Exception as error:  # noqa: BLE001  whatever a faulty node makes of it
            require("Error" in type(error).__name__ or "Unreachable" in type(error).__name__, f"10: {error!r}")
            return
        if isinstance(view, Unusable):
            return
        plan = self.keeper.parts[name].strategy
        require(plan.plan(view) == plan.plan(view), "10: one view, two plans")

    # --- the chain ---------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from((1, 12, 12, 60)))
    def mine(self, seconds: int) -> None:
        self._step()
        self.world.mine(seconds=seconds)
        self.world.clock = self.world.network.head.timestamp

    @rule(count=st.integers(1, 12))
    def mine_many(self, count: int) -> None:
        self._step()
        self.world.mine(count)

    @rule()
    def mine_nothing(self) -> None:
        self._step()
        self.world.mine(txs=())

    @rule(pick=st.integers(0, 7))
    def mine_a_rival(self, pick: int) -> None:
        """T12, T22: a miner kept an attempt that was replaced since."""
        self._step()
        rivals = self.world.network.rivals()
        self.world.mine(txs=[rivals[pick % len(rivals)]] if rivals else ())

    @rule(pick=st.integers(0, 7))
    def drop(self, pick: int) -> None:
        self._step()
        for endpoint in self.world.endpoints:
            pool = endpoint.node.view.pool
            if pool.hashes:
                pool.drop(sorted(pool.hashes)[pick % len(pool.hashes)])

    @rule(depth=st.integers(1, 7), fate=st.sampled_from(Fate))
    def reorg(self, depth: int, fate: Fate) -> None:
        self._step()
        self.world.network.reorg(depth, fate)

    @rule(price=st.integers(2_000, 4_500))
    def move_price(self, price: int) -> None:
        self._step()
        self.world.mine(acts=[_price(price)])

    @rule(bps=st.integers(1, 120))
    def trade_before_us(self, bps: int) -> None:
        """T15: what we were quoted is not there any more."""
        self._step()
        self.world.mine(acts=[_skim(bps)])

    @rule(gwei=st.sampled_from((1, 10, 10, 30, 90, 150, 500)))
    def base_fee(self, gwei: int) -> None:
        self._step()
        self.world.network.base_fee = gwei * GWEI

    @rule(gwei=st.sampled_from((1, 1, 3, 30)))
    def going_tip(self, gwei: int) -> None:
        self._step()
        self.world.network.tip = gwei * GWEI

    # --- nodes -------------------------------------------------------------------------------------------------------

    @rule(
        method=st.sampled_from(METHODS),
        kind=st.sampled_from([kind for kind in Kind if kind is not Kind.LIE]),
        text=st.sampled_from(TEXTS),
        count=st.integers(1, 3),
    )
    def node_fault(self, method: str, kind: Kind, text: str, count: int) -> None:
        self._step()
        self.world.endpoints[-1].faults.append(Fault(method, kind, text, count))

    @rule(at=st.integers(0, 1), down=st.sampled_from((False, False, True)))
    def node_down(self, at: int, down: bool) -> None:
        self._step()
        self.world.endpoints[at % len(self.world.endpoints)].down = down

    @rule(at=st.integers(0, 1), lag=st.sampled_from((0, 0, 1, 3)))
    def node_lags(self, at: int, lag: int) -> None:
        self._step()
        self.world.endpoints[at % len(self.world.endpoints)].node.view.lag = lag

    @rule()
    def deliver_late(self) -> None:
        self._step()
        self.truth.delivering = True
        for endpoint in self.world.endpoints:
            endpoint.deliver()
        self.truth.delivering = False

    @rule()
    def gossip(self) -> None:
        self._step()
        self.world.network.gossip()

    @rule(client=st.sampled_from(CLIENTS))
    def another_client(self, client: str) -> None:
        """The same URL, another machine behind it, with an empty pool."""
        self._step()
        view = self.world.endpoints[0].node.view
        view.pool.client = client
        view.pool.clear()

    # --- the rest of the world ---------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from((-3_600, 3_600, 315_360_000, -315_360_000)))
    def clock_jump(self, seconds: int) -> None:
        """P24, 18: this machine's clock is wrong, until it is right again."""
        self._step()
        true = self.world.network.head.timestamp
        self.world.clock = true if self.world.clock != true else true + seconds

    @precondition(lambda self: not self.shadowed)
    @rule(name=st.sampled_from(NAMES), chance=st.integers(0, 9))
    def foreign_transaction(self, name: str, chance: int) -> None:
        """Somebody else uses our key: at most once in an example, or everything would stand halted."""
        self._step()
        if chance:
            return
        self.shadowed = True
        account, _ = VAULTS[name]
        fields: dict[str, Any] = {
            "chainId": CHAIN, "nonce": self.world.network.ledger.nonces.get(account.lower(), 0), "to": account,
            "value": 0, "data": b"", "gas": 21_000, "maxFeePerGas": 150 * GWEI, "maxPriorityFeePerGas": 19 * GWEI,
        }  # fmt: skip
        tx = decode_tx(encode_tx(account, fields | {"memo": "not ours"}))
        self.truth.foreign.add(tx.hash)
        self.world.mine(txs=[tx])

    # --- judging -----------------------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        self.truth.check()

    def teardown(self) -> None:
        """6: the faults end, and so does everything that began."""
        for endpoint in self.world.endpoints:
            endpoint.faults.clear()
            endpoint.down, endpoint.node.view.lag = False, 0
        network = self.world.network
        network.base_fee, network.tip = 10 * GWEI, GWEI
        for name in NAMES:
            self.keeper.pause(name, True)
        for _ in range(90):
            self.world.clock = network.head.timestamp
            self.world.mine(3)
            self.keeper.settle()
            self.truth.check()
            if all(intent.state in FINAL for intent in self.journal.intents):
                break
        self.truth.check_settled()
        external = [intent for intent in self.journal.intents if intent.state is State.EXTERNAL]
        require(not external or bool(self.truth.foreign), "8: a nonce is EXTERNAL, and there was no stranger")


def _price(price: int) -> Any:
    def act(ledger: Ledger) -> None:
        ledger.move_price(price * 10**8)

    return act


def _skim(bps: int) -> Any:
    def act(ledger: Ledger) -> None:
        ledger.skim(bps)

    return act
