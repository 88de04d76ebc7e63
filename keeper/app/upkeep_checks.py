"""`keeper check` of an upkeep: what it says now, and whether the contract lets our sender make the call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keeper.app.chains import Chain
from keeper.app.upkeeps import make_plan
from keeper.chain.nodes.headers import unhex
from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.reading.direct import revert_data
from keeper.chain.reading.pins import Finding
from keeper.core.abi import WORD, address_word, selector
from keeper.core.calls import Calls
from keeper.core.chain import VaultView
from keeper.core.errors import TransientError
from keeper.core.plan import Perform
from keeper.core.units import Address

FORWARDERS = ("s_forwarderAddress()", "s_forwarder()", "getForwarder()", "forwarder()", "dedicatedMsgSender()")
"""Where contracts say who alone may call: names of Chainlink's guides and of Gelato's."""
NOBODY = Address("0x0000000000000000000000000000000000000000")


def check_upkeep(chain: Chain, name: str, view: VaultView) -> Iterator[Finding]:
    """Raises Unreachable where no node answers."""
    path, (target, function) = f"upkeeps.{name}", chain.loaded.config.upkeeps[name].allowed
    plan = make_plan(chain.loaded.config.upkeeps[name]).plan(view)
    yield Finding(path, "an answer to its check", plan.reason, isinstance(plan, Perform) or plan.code == "not_due")
    sender, failure, found = view.sender or view.account, "", "nothing speaks against it while it is not due"
    if isinstance(plan, Perform):
        failure = chain.dry_submitter().simulate(Calls(plan.calls), view).failure
        found = f"caller not allowed, or the call fails for everybody: {failure}" if failure else "simulated ok"
    if failure or not isinstance(plan, Perform):
        # Whether due or not: a contract that asks who calls answers its forwarder otherwise than us.
        data = plan.calls[0].data if isinstance(plan, Perform) else function + bytes(8 * WORD)
        getter, forwarder = find_forwarder(chain.rpc, target)
        if forwarder not in (NOBODY, sender) and tells_apart(chain.rpc, target, data, (sender, forwarder)):
            failure = found = f"caller not allowed: {getter} is {forwarder}: replace it with {sender}"
    yield Finding(f"{path}.target", f"a contract that lets {sender} call", found, not failure)


def find_forwarder(rpc: Rpc, target: Address) -> tuple[str, Address]:
    """The function that tells who may call, and whom it names; an empty text and nobody where there is none."""
    requests = [("eth_call", [{"to": target, "data": "0x" + selector(g).hex()}, "latest"]) for g in FORWARDERS]
    for getter, answer in zip(FORWARDERS, rpc.batch(requests), strict=True):
        data = _ending(answer)
        try:
            if isinstance(answer, str) and len(data) == WORD and (found := address_word(data, 0)) != NOBODY:
                return getter, found
        except ValueError:
            continue
    return "", NOBODY


def tells_apart(rpc: Rpc, target: Address, data: bytes, callers: tuple[Address, Address]) -> bool:
    """Whether the same call ends otherwise for one of the callers than for the other."""
    requests = [("eth_call", [{"from": who, "to": target, "data": "0x" + data.hex()}, "latest"]) for who in callers]
    one, other = rpc.batch(requests)
    return (isinstance(one, RpcError), _ending(one)) != (isinstance(other, RpcError), _ending(other))


def _ending(answer: Any) -> bytes:
    """What a call returned, or what its revert carries."""
    if isinstance(answer, RpcError):
        return revert_data(answer)
    try:
        return unhex(answer, "eth_call")
    except TransientError:
        return b""
