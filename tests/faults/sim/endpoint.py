"""A node in the place of a URL: below Rpc, so that ids, batches and answers are matched by keeper's own code.

Faults are injected here, request by request, and so are the moments at which a keeper may be killed while it sends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from keeper.chain.nodes.rpc import Rpc, Timer
from keeper.chain.nodes.transport import TransportFault
from tests.faults.sim.node import NodeError, SimNode

SEND = "eth_sendRawTransaction"


class Kind(StrEnum):
    DROP_REQUEST = "drop_request"
    """The node never hears it."""
    DROP_RESPONSE = "drop_response"
    """The node does it, and nobody hears the answer."""
    DELAY = "delay"
    """The node hears it at `deliver`, long after the caller gave up."""
    DUPLICATE = "duplicate"
    """The node hears it twice, and the second answer comes back."""
    ERROR = "error"
    """The node refuses with `text`, and does nothing."""
    ERROR_AFTER = "error_after"
    """The node does it, and says `text`."""
    NULL = "null"
    LIE = "lie"
    """`change` makes another answer of the true one."""


@dataclass(slots=True)
class Fault:
    """Strikes the next `count` requests of `method` ("*": of any)."""

    method: str
    kind: Kind
    text: str = ""
    count: int = 1
    change: Callable[[Any], Any] = lambda answer: answer


@dataclass(slots=True)
class SimEndpoint:
    """What Rpc knows of a URL: `label`, `exchange`, `hide`, `close`."""

    node: SimNode
    label: str = "http://sim"
    faults: list[Fault] = field(default_factory=list)
    down: bool = False
    late: list[tuple[str, Sequence[Any]]] = field(default_factory=list)
    hit: Callable[[str, bytes], None] = lambda moment, raw: None
    """Hears `before` a transaction is sent, and when the node has `taken` it but nothing came back yet."""
    exchanges: int = 0

    def hide(self, text: str) -> str:
        return text

    def close(self) -> None:
        pass

    def exchange(self, body: Any) -> Any:
        """Raises TransportFault."""
        self.exchanges += 1
        bodies = body if isinstance(body, list) else [body]
        sent = [bytes.fromhex(item["params"][0][2:]) for item in bodies if item["method"] == SEND]
        for raw in sent:
            self.hit("before", raw)
        if self.down:
            raise TransportFault(f"{self.label}: connection refused or host unknown")
        try:
            answers = [self._answer(item) for item in bodies]
        finally:
            for raw in sent:
                self.hit("taken", raw)
        return answers if isinstance(body, list) else answers[0]

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        method, params = body["method"], body["params"]
        fault = self._strikes(method)
        head = {"jsonrpc": "2.0", "id": body["id"]}
        if fault is None:
            return head | self._done(method, params)
        if fault.kind in (Kind.DROP_REQUEST, Kind.DELAY):
            if fault.kind is Kind.DELAY:
                self.late.append((method, params))
            raise TransportFault(f"{self.label}: no answer in time")
        if fault.kind is Kind.ERROR:
            return head | {"error": {"code": -32000, "message": fault.text}}
        done = self._done(method, params)
        if fault.kind is Kind.DROP_RESPONSE:
            raise TransportFault(f"{self.label}: connection broke")
        if fault.kind is Kind.DUPLICATE:
            return head | self._done(method, params)
        if fault.kind is Kind.ERROR_AFTER:
            return head | {"error": {"code": -32000, "message": fault.text}}
        if fault.kind is Kind.NULL:
            return head | {"result": None}
        return head | {"result": fault.change(done.get("result"))}

    def _strikes(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.method in (method, "*"):
                fault.count -= 1
                if not fault.count:
                    self.faults.remove(fault)
                return fault
        return None

    def _done(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        try:
            return {"result": self.node.handle(method, params)}
        except NodeError as error:
            told = {"code": error.code, "message": error.message}
            return {"error": told if error.data is None else told | {"data": error.data}}

    def deliver(self) -> None:
        """What was delayed arrives at last."""
        late, self.late = self.late, []
        for method, params in late:
            self._done(method, params)


def sim_rpc(endpoints: Sequence[Any], timer: Timer, quorum: int = 1) -> Rpc:
    """A real Rpc over these endpoints."""
    names = {f"http://sim{at}": endpoint for at, endpoint in enumerate(endpoints)}
    return Rpc("sim", list(names), quorum=quorum, timer=timer, connect=names.__getitem__)
