"""Bad days of nodes, transactions and this machine: whatever breaks, the trade takes place once, or not at all."""

from __future__ import annotations

from keeper.core.units import Rounding, ratio_to_int
from keeper.local.deployer import KeyAccount
from keeper.rehearsal.days import LOOKS, Day, Verdict, in_bounds, skipped, stays_still, trades_once
from keeper.rehearsal.node import swapped_words
from keeper.rehearsal.stage import Died, Stage
from keeper.rehearsal.world import FEED_DECIMALS

BEHIND = 15
"""{blocks}"""
NEVER_SENT = Verdict(False, "never sent its trade")


def dropped(stage: Stage) -> Verdict:
    stage.base.pool.ways = "forget"
    if not stage.ride_until_sent():
        return NEVER_SENT
    stage.base.pool.ways = "mine"
    stage.ride_until_traded()
    return trades_once(stage)


def foreign_nonce(stage: Stage) -> Verdict:
    """Somebody else has the key: that is a matter for people."""
    stage.base.pool.ways = "forget"
    if not stage.ride_until_sent():
        return NEVER_SENT
    thief = KeyAccount(stage.base.key)
    thief.send(stage.world.deployer.rpc, {"to": stage.base.account, "value": "0x0", "data": "0x"})
    stage.base.pool.ways = "mine"
    stage.ride(2 * LOOKS)
    if not stage.halts:
        return Verdict(False, "went on, though somebody else used its nonce")
    return stays_still(stage, "after somebody else used its nonce: it halted and waits for people")


def reorg(stage: Stage) -> Verdict:
    if not stage.ride_until_sent():
        return NEVER_SENT
    stage.ride(1)
    chain = stage.world.chain
    swap = next(iter(stage.base.pool.swaps))
    receipt = chain.ask("eth_getTransactionReceipt", swap)
    now = chain.now
    chain.rewind(int(receipt["blockNumber"], 16) - 1)
    chain.mine(timestamp=now + 1)
    chain.mine(blocks=2)
    stage.ride_until_traded()
    found = [entry.intent.mined.hash for entry in stage.swaps if entry.intent.mined]
    if any(chain.ask("eth_getTransactionReceipt", each) is None for each in found):
        return Verdict(False, "takes a trade for done that is on no chain any more")
    return trades_once(stage)


def lagging(stage: Stage) -> Verdict:
    if len(stage.base.nodes) < 2:
        return skipped("one node only: it is max_head_age that watches it, by a clock that stands still here")
    stage.base.nodes[-1].behind = BEHIND
    stage.ride(LOOKS)
    stage.base.nodes[-1].heal()
    stage.ride_until_traded()
    return trades_once(stage)


def lying(stage: Stage) -> Verdict:
    """One node tells prices that are a third too high."""
    told = stage.world.told.values()
    figures = [ratio_to_int(price * 10**FEED_DECIMALS, Rounding.DOWN) for price in told if price != 1]
    stage.base.nodes[0].lie = swapped_words({figure: figure * 4 // 3 for figure in figures})
    stage.ride(LOOKS)
    nodes = len(stage.base.nodes)
    if stage.swaps and nodes < 3:
        return Verdict(False, "traded on a lie" + (": its one node is contradicted by nobody" if nodes == 1 else ""))
    stage.base.nodes[0].heal()
    if not stage.swaps and not stage.halts:
        stage.ride_until_traded()
    return in_bounds(stage, "no trade on a lie" + ("; it went on afterwards" if stage.swaps else ""))


def all_down(stage: Stage) -> Verdict:
    for node in stage.base.nodes:
        node.stop()
    stage.ride(2)
    for node in stage.base.nodes:
        node.start()
    stage.ride_until_traded()
    return trades_once(stage)


def crash(stage: Stage) -> Verdict:
    """The process dies when a node has the swap and the journal does not know it yet."""
    stage.journal.dies = lambda: bool(stage.base.pool.swaps)
    try:
        stage.ride(4 * LOOKS)
    except Died:
        stage.end()
        stage.start()
        stage.ride_until_traded()
        return trades_once(stage)
    return NEVER_SENT


def disk_full(stage: Stage) -> Verdict:
    stage.journal.fill_disk()
    stage.ride(LOOKS)
    if stage.unexplained():
        return Verdict(False, "sent what it could not write down")
    stage.journal.free_disk()
    stage.ride_until_traded()
    return trades_once(stage)


BREAKS = (
    Day("dropped", "transaction dropped", dropped),
    Day("foreign", "replaced by someone's nonce", foreign_nonce),
    Day("reorg", "reorg", reorg),
    Day("lagging", "RPC lagging", lagging),
    Day("lying", "RPC lying", lying),
    Day("down", "RPC down", all_down),
    Day("crash", "crash after broadcast", crash),
    Day("disk", "disk full", disk_full),
)
