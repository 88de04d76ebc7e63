"""JSON-RPC over one or more URLs of a chain: ids matched, nulls refused, errors typed, secrets kept.

Reads go to the URL that answered last and fail over to the others; a send goes to every URL exactly once. Which
provider to believe is not decided here.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from keeper.chain.transport import Endpoint, TransportFault
from keeper.core.errors import ConfigError, TransientError, Unreachable

__all__ = ["Request", "Rpc", "RpcError", "SendAnswer", "TransportFault"]

Request = tuple[str, list[Any]]
"""Method and parameters."""


class RpcError(TransientError):
    """A node answered with an error. `code` is whatever it sent: codes clash between clients, and some are strings."""

    def __init__(self, code: int | str | None, message: str, data: Any = None) -> None:
        super().__init__(f"{message} (code {code})" if code is not None else message)
        self.code, self.message, self.data = code, message, data


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """What one URL said to a transaction: a hash (not yet compared with ours), an error, or nothing usable."""

    url: str
    """Masked."""
    result: str | RpcError | TransportFault


class Rpc:
    """The nodes of one chain. Safe to use from several threads; each call is one HTTP request, or one per URL tried."""

    def __init__(self, name: str, urls: Sequence[str], *, timeout: float = 10.0) -> None:
        """`timeout` is in seconds, for a whole exchange. Raises ConfigError where a URL is unusable."""
        if not urls:
            raise ConfigError("chains", f"{name}.rpc", "at least one URL", "none")
        self.name = name
        self._endpoints = [Endpoint(url, timeout=timeout) for url in urls]
        self._first = 0
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self.requests_made = 0
        """HTTP requests, failed ones included."""

    def __repr__(self) -> str:
        return f"Rpc({self.name}: {', '.join(self.urls)})"

    @property
    def urls(self) -> list[str]:
        """Masked."""
        return [endpoint.label for endpoint in self._endpoints]

    def close(self) -> None:
        for endpoint in self._endpoints:
            endpoint.close()

    def call(self, method: str, params: list[Any], *, nullable: bool = False) -> Any:
        """The result. Raises RpcError where the node says no, Unreachable where none answers.

        A null result is a fault, never None, unless the caller knows what null would mean (`nullable`).
        """

        def ask(endpoint: Endpoint) -> Any:
            answer = self._exchange(endpoint, [(method, params)], single=True)[0]
            if answer is None and not nullable:
                raise TransportFault(f"{endpoint.label}: {method}: result was null")
            return answer

        answer = self._read(ask)
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, requests: Sequence[Request], *, nullable: bool = False) -> list[Any]:
        """Results in order, from one HTTP request; an item that failed is an RpcError value.

        A null item is an RpcError too unless `nullable`. Raises Unreachable.
        """
        if not requests:
            return []
        answers: list[Any] = self._read(lambda endpoint: self._exchange(endpoint, requests, single=False))
        if nullable:
            return answers
        return [
            RpcError(None, f"{method}: result was null") if answer is None else answer
            for (method, _), answer in zip(requests, answers, strict=True)
        ]

    def send_raw(self, raw: bytes) -> list[SendAnswer]:
        """Offers a signed transaction to every URL, once each and never again. Raises nothing: every answer counts."""

        def offer(endpoint: Endpoint) -> SendAnswer:
            try:
                request = ("eth_sendRawTransaction", ["0x" + raw.hex()])
                answer = self._exchange(endpoint, [request], single=True)[0]
            except TransportFault as fault:
                return SendAnswer(endpoint.label, fault)
            if isinstance(answer, RpcError):
                return SendAnswer(endpoint.label, answer)
            if not isinstance(answer, str):
                return SendAnswer(endpoint.label, TransportFault(f"{endpoint.label}: expected a hash, found none"))
            return SendAnswer(endpoint.label, endpoint.hide(answer))

        if len(self._endpoints) == 1:
            return [offer(self._endpoints[0])]
        # At once, so that a dead URL does not hold the transaction back from the living.
        with ThreadPoolExecutor(max_workers=len(self._endpoints)) as pool:
            return list(pool.map(offer, self._endpoints))

    def _read(self, ask: Callable[[Endpoint], Any]) -> Any:
        faults = []
        first = self._first
        for step in range(len(self._endpoints)):
            at = (first + step) % len(self._endpoints)
            endpoint = self._endpoints[at]
            try:
                try:
                    answer = ask(endpoint)
                except TransportFault as fault:
                    if not fault.dropped:
                        raise
                    # A kept-alive connection may have been closed under us; a read may simply ask again, once.
                    answer = ask(endpoint)
            except TransportFault as fault:
                faults.append(fault.text)
                continue
            self._first = at
            return answer
        raise Unreachable(f"{self.name}: no node answers: {'; '.join(faults)}")

    def _exchange(self, endpoint: Endpoint, requests: Sequence[Request], *, single: bool) -> list[Any]:
        """One HTTP request to one URL; answers in the order of the requests."""
        with self._lock:
            self.requests_made += 1
            ids = [next(self._ids) for _ in requests]
        bodies = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in zip(ids, requests, strict=True)
        ]
        answer = endpoint.exchange(bodies[0] if single else bodies)
        if single:
            return [_result(endpoint, answer, ids[0])]
        if isinstance(answer, dict):
            # A node that refuses the batch as a whole says so once, with a null id.
            refusal = _error(endpoint, answer)
            if refusal is None or answer.get("id") is not None:
                raise TransportFault(f"{endpoint.label}: expected {len(ids)} answers, found one object")
            return [refusal] * len(ids)
        return _matched(endpoint, answer, ids)


def _matched(endpoint: Endpoint, answers: list[Any], ids: list[int]) -> list[Any]:
    """Answers in the order of `ids`, each id exactly once. Raises TransportFault."""
    by_id = {answer["id"]: answer for answer in answers if isinstance(answer, dict) and type(answer.get("id")) is int}
    if len(answers) != len(ids) or by_id.keys() != set(ids):
        raise TransportFault(f"{endpoint.label}: batch ids: expected {len(ids)} known ones once each, found others")
    return [_result(endpoint, by_id[number], number) for number in ids]


def _result(endpoint: Endpoint, answer: Any, expected: int) -> Any:
    """A result, None for null, or an RpcError value. Raises TransportFault where this is no answer to `expected`."""
    if not isinstance(answer, dict):
        raise TransportFault(f"{endpoint.label}: expected one answer, found a list")
    error = _error(endpoint, answer)
    number = answer.get("id")
    # A node that could not read the request answers with a null id (JSON-RPC 2.0, section 5).
    if not (type(number) is int and number == expected) and not (error is not None and number is None):
        raise TransportFault(f"{endpoint.label}: answer id: expected {expected}, was another")
    if error is not None:
        return error
    if "result" not in answer:
        raise TransportFault(f"{endpoint.label}: answer has neither result nor error")
    return answer["result"]


def _error(endpoint: Endpoint, answer: dict[str, Any]) -> RpcError | None:
    """The error of an answer, however it is written: an object with or without code, or a bare string."""
    error = answer.get("error")
    if error is None:
        return None
    if not isinstance(error, dict):
        return RpcError(None, endpoint.hide(str(error)))
    code = error.get("code")
    message = error.get("message")
    return RpcError(
        code if type(code) in (int, str) else None,
        endpoint.hide(message if isinstance(message, str) and message else "error without a message"),
        error.get("data"),
    )
