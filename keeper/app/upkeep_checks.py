"""`keeper check` of an upkeep: what it says now, and whether the contract lets our sender make the call."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.app.chains import Chain
from keeper.app.upkeeps import make_plan
from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.reading.pins import Finding
from keeper.core.abi import address_word, selector
from keeper.core.chain import VaultView
from keeper.core.errors import TransientError
from keeper.core.plan import Calls, Perform
from keeper.core.units import Address

FORWARDERS = ("s_forwarderAddress()", "s_forwarder()", "getForwarder()", "forwarder()", "dedicatedMsgSender()")
"""Where contracts say who alone may call: names of Chainlink's guides and of Gelato's."""
NOBODY = Address("0x0000000000000000000000000000000000000000")


def check_upkeep(chain: Chain, name: str, view: VaultView) -> Iterator[Finding]:
    """Raises Unreachable where no node answers."""
    path, upkeep = f"upkeeps.{name}", chain.loaded.config.upkeeps[name]
    plan = make_plan(upkeep).plan(view)
    yield Finding(path, "an answer to its check", plan.reason, isinstance(plan, Perform) or plan.code == "not_due")
    sender, target = view.sender or view.account, upkeep.allowed[0]
    allowed = f"a contract that lets {sender} call"
    getter, forwarder = find_forwarder(chain.rpc, target)
    if forwarder not in (NOBODY, sender):
        found = f"caller not allowed: {getter} is {forwarder}: replace it with {sender}"
        yield Finding(f"{path}.target", allowed, found, False)
    elif isinstance(plan, Perform):
        failure = chain.dry_submitter().simulate(Calls(plan.calls), view).failure
        found = f"caller not allowed, or the call fails for everybody: {failure}" if failure else "simulated ok"
        yield Finding(f"{path}.target", allowed, found, not failure)
    else:
        known = f"{getter} is it" if getter else "not known before it is due"
        yield Finding(f"{path}.target", allowed, known, True)


def find_forwarder(rpc: Rpc, target: Address) -> tuple[str, Address]:
    """The function that tells who may call, and whom it names; an empty text and nobody where there is none."""
    requests = [("eth_call", [{"to": target, "data": "0x" + selector(g).hex()}, "latest"]) for g in FORWARDERS]
    for getter, answer in zip(FORWARDERS, rpc.batch(requests), strict=True):
        if isinstance(answer, RpcError):
            continue
        try:
            data = unhex(answer, getter)
            if len(data) == 32 and (found := address_word(data, 0)) != NOBODY:
                return getter, found
        except (TransientError, ValueError):
            continue
    return "", NOBODY
