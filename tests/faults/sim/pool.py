"""Which transactions a node takes: geth's rules, in each client's own words."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.faults.sim.ledger import INTRINSIC, Ledger, Tx, decode_tx
from tests.faults.sim.texts import TEXTS, Refusal

PRICE_BUMP = 10
"""{%} geth's txpool.pricebump, wanted on both fees."""
ACCOUNT_SLOTS = 16
QUEUE_SLOTS = 64
MAX_SLOTS = 5_120
MAX_GAP = {"besu": 200}
"""How far ahead of the state a nonce may be; without limit elsewhere."""


class Refused(Exception):
    """The node's text."""


@dataclass(slots=True)
class Pool:
    """One node's. `waiting` holds executable and queued transactions alike: by sender, by nonce."""

    client: str
    chain_id: int
    gas_limit: int
    floor: int = 1
    """{wei} The least tip."""
    waiting: dict[str, dict[int, Tx]] = field(default_factory=dict)
    hashes: dict[str, Tx] = field(default_factory=dict)
    slots: int = MAX_SLOTS

    def add(self, raw: bytes, ledger: Ledger) -> Tx:
        """Raises Refused."""
        try:
            tx = decode_tx(raw)
        except (ValueError, KeyError):
            raise self._no(Refusal.DECODE) from None
        self._check(tx, ledger)
        mine = self.waiting.setdefault(tx.sender, {})
        if (before := mine.get(tx.nonce)) is not None:
            # geth: both fees at least 10 % above, integers, and strictly above
            least = [fee * (100 + PRICE_BUMP) // 100 for fee in (before.cap, before.tip)]
            above = tx.cap > before.cap and tx.tip > before.tip
            if not above or tx.cap < least[0] or tx.tip < least[1]:
                raise self._no(Refusal.REPLACEMENT)
            del self.hashes[before.hash]
        elif len(self.hashes) >= self.slots or len(mine) >= ACCOUNT_SLOTS + QUEUE_SLOTS:
            raise self._no(Refusal.FULL)
        mine[tx.nonce] = tx
        self.hashes[tx.hash] = tx
        return tx

    def _check(self, tx: Tx, ledger: Ledger) -> None:
        state, balance = ledger.nonces.get(tx.sender, 0), ledger.native.get(tx.sender, 0)
        cost = tx.gas * tx.cap + tx.value
        if tx.hash in self.hashes:
            raise self._no(Refusal.KNOWN)
        if tx.chain_id != self.chain_id:
            raise self._no(Refusal.CHAIN_ID, have=tx.chain_id, want=self.chain_id)
        if tx.gas > self.gas_limit:
            raise self._no(Refusal.GAS_LIMIT)
        if tx.tip > tx.cap:
            raise self._no(Refusal.TIP)
        if tx.gas < INTRINSIC:
            raise self._no(Refusal.INTRINSIC, gas=tx.gas)
        if tx.nonce < state:
            raise self._no(Refusal.NONCE_LOW, state=state, nonce=tx.nonce)
        if tx.nonce - state > MAX_GAP.get(self.client, 1 << 60):
            raise self._no(Refusal.NONCE_HIGH)
        if tx.tip < self.floor:
            raise self._no(Refusal.UNDERPRICED, tip=tx.tip, floor=self.floor)
        if balance < cost:
            raise self._no(Refusal.FUNDS, balance=balance, cost=cost, over=cost - balance)

    def _no(self, refusal: Refusal, **figures: int) -> Refused:
        texts = TEXTS[self.client]
        return Refused(texts.get(refusal, texts[Refusal.NONCE_LOW]).format(**figures))

    def executable(self, ledger: Ledger, base_fee: int) -> list[Tx]:
        """What a block may hold now: no gap, and the cap pays the base fee."""
        found = []
        for sender, mine in self.waiting.items():
            nonce = ledger.nonces.get(sender, 0)
            while (tx := mine.get(nonce)) is not None and tx.cap >= base_fee:
                found.append(tx)
                nonce += 1
        return found

    def settle(self, ledger: Ledger) -> None:
        """A new head: what it holds, and what it outdates, leaves."""
        for sender in list(self.waiting):
            next_nonce = ledger.nonces.get(sender, 0)
            for nonce in [nonce for nonce in self.waiting[sender] if nonce < next_nonce]:
                del self.hashes[self.waiting[sender].pop(nonce).hash]
            if not self.waiting[sender]:
                del self.waiting[sender]

    def put_back(self, tx: Tx) -> None:
        """After a reorg, what the old blocks held: it must outbid nobody, as nobody else has its nonce there."""
        mine = self.waiting.setdefault(tx.sender, {})
        if tx.nonce not in mine:
            mine[tx.nonce] = self.hashes[tx.hash] = tx

    def drop(self, tx_hash: str) -> None:
        if (tx := self.hashes.pop(tx_hash, None)) is not None:
            del self.waiting[tx.sender][tx.nonce]

    def clear(self) -> None:
        self.waiting.clear()
        self.hashes.clear()
