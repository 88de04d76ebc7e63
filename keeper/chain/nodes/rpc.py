"""JSON-RPC over one or more URLs of a chain: ids matched, nulls refused, errors typed, secrets kept.

With a quorum of one, reads go to the URL that answered last and fail over to the others. With a larger one, that many
nodes must say the same (quorum.py). A send goes to every URL exactly once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from keeper.chain.nodes.agreement import Disagreement
from keeper.chain.nodes.health import TRIES, Provider, Tell, Timer, Wire
from keeper.chain.nodes.limits import TokenBucket
from keeper.chain.nodes.messages import Request, RpcError
from keeper.chain.nodes.quorum import HEADER, Freshness, Quorum
from keeper.chain.nodes.transport import Endpoint, TransportFault
from keeper.core.errors import ConfigError, Unreachable

__all__ = ["Disagreement", "Freshness", "Request", "Rpc", "RpcError", "SendAnswer", "Timer", "TransportFault"]

MOST_UNTOLD = 20


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """What one URL said to a transaction: a hash (not yet compared with ours), an error, or nothing usable."""

    url: str
    """Masked."""
    result: str | RpcError | TransportFault


class Rpc:
    """The nodes of one chain. Safe to use from several threads; a call is one HTTP request to each provider asked."""

    def __init__(
        self,
        name: str,
        urls: Sequence[str],
        *,
        timeout: float = 10.0,
        quorum: int = 1,
        chain_id: int | None = None,
        rate: tuple[int, float] | None = None,
        freshness: Freshness | None = None,
        timer: Timer | None = None,
        connect: Callable[[str], Wire] | None = None,
    ) -> None:
        """`timeout` is in seconds, for a whole exchange. `quorum` nodes must say the same before it is believed.
        `chain_id` is asked for once a minute where given. `rate` is JSON-RPC calls and the seconds they may be spent
        in, for each provider. Raises ConfigError where a URL is unusable, or the quorum is larger than their number."""
        if not urls:
            raise ConfigError("chains", f"{name}.rpc", "at least one URL", "none")
        if not 1 <= quorum <= len(urls):
            raise ConfigError("chains", f"{name}.quorum", f"1 to {len(urls)}, the number of URLs", str(quorum))
        self.name = name
        self._time = timer or Timer()
        self._untold: deque[tuple[str, str, bool]] = deque(maxlen=MOST_UNTOLD)
        self._heard: Tell | None = None
        connect = connect or (lambda url: Endpoint(url, timeout=timeout))
        wires = [connect(url) for url in urls]
        self._providers = [
            Provider(
                label,
                wire,
                self._time,
                self._tell,
                chain_id=chain_id,
                bucket=TokenBucket(*rate, self._time.now()) if rate else None,
            )
            for label, wire in zip(_unique([wire.label for wire in wires]), wires, strict=True)
        ]
        self._freshness = freshness or Freshness()
        self._quorum = None if quorum == 1 else Quorum(name, self._providers, quorum, self._freshness, self._time)
        self._first = 0
        self._threads: ThreadPoolExecutor | None = None

    def __repr__(self) -> str:
        return f"Rpc({self.name}: {', '.join(self.urls)})"

    @property
    def urls(self) -> list[str]:
        """Masked."""
        return [provider.name for provider in self._providers]

    @property
    def requests_made(self) -> int:
        """HTTP requests, failed ones included."""
        return sum(provider.requests_made for provider in self._providers)

    def close(self) -> None:
        if self._quorum is not None:
            self._quorum.close()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        for provider in self._providers:
            provider.wire.close()

    def listen(self, tell: Tell) -> None:
        """From now on `tell` hears of providers that are dead, unpaid or not believed, and when that is over."""
        self._heard = tell
        while self._untold:
            tell(*self._untold.popleft())

    def _tell(self, key: str, text: str, is_good: bool) -> None:
        self._untold.append((key, f"{self.name}: {text}", is_good))
        if self._heard is not None:
            self.listen(self._heard)

    # --- reading -----------------------------------------------------------------------------------------------------

    def call(self, method: str, params: list[Any], *, nullable: bool = False) -> Any:
        """The result. Raises RpcError where the node says no, Unreachable where none answers, Disagreement where
        they contradict each other.

        A null result is a fault, never None, unless the caller knows what null would mean (`nullable`).
        """
        requests = [(method, params)]

        def ask(provider: Provider, tries: int) -> list[Any]:
            answers = provider.read(requests, single=True, tries=tries)
            if answers[0] is None and not nullable:
                raise TransportFault(f"{provider.name}: {method}: result was null")
            return answers

        answer = (self._read(requests, ask) if self._quorum is None else self._quorum.ask(requests, single=True))[0]
        if isinstance(answer, RpcError):
            raise answer
        if answer is None and not nullable:
            raise Unreachable(f"{self.name}: {method}: result was null")
        return answer

    def batch(self, requests: Sequence[Request], *, nullable: bool = False) -> list[Any]:
        """Results in order, from one HTTP request; an item that failed is an RpcError value.

        A null item is an RpcError too unless `nullable`. Raises Unreachable, and Disagreement.
        """
        if not requests:
            return []
        if self._quorum is None:
            answers = self._read(requests, lambda provider, tries: provider.read(requests, tries=tries))
        else:
            answers = self._quorum.ask(requests)
        if nullable:
            return answers
        return [
            RpcError(None, f"{method}: result was null") if answer is None else answer
            for (method, _), answer in zip(requests, answers, strict=True)
        ]

    def ask_each(self, method: str, params: list[Any]) -> list[tuple[str, Any]]:
        """What each provider says by itself, with its name: a result, an RpcError or a TransportFault."""

        def ask(provider: Provider) -> tuple[str, Any]:
            try:
                return provider.name, provider.read([(method, params)], single=True)[0]
            except TransportFault as fault:
                return provider.name, fault

        return self._in_parallel(ask, self._providers)

    def _read(self, requests: Sequence[Request], ask: Callable[[Provider, int], list[Any]]) -> list[Any]:
        """From one provider: the one that answered last, else the next."""
        faults, first, now = [], self._first, self._time.now()
        stuck: list[Any] | None = None
        tries = TRIES if len(self._providers) == 1 else 1
        for step in range(len(self._providers)):
            at = (first + step) % len(self._providers)
            provider = self._providers[at]
            if why_not := provider.why_not(now):
                faults.append(why_not)
                continue
            try:
                answers = ask(provider, tries)
            except TransportFault as fault:
                faults.append(fault.text)
                continue
            if len(self._providers) > 1 and (why := self._stuck(requests, answers)):
                provider.rest(why)
                faults.append(f"{provider.name}: {why}")
                stuck = stuck or answers
                continue
            provider.agreed()
            self._first = at
            return answers
        if stuck is not None:
            return stuck  # whoever asked says what is wrong with the head
        raise Unreachable(f"{self.name}: no node answers: {'; '.join(faults)}")

    def _stuck(self, requests: Sequence[Request], answers: Sequence[Any]) -> str:
        if HEADER not in requests:
            return ""
        return self._freshness.objection(answers[list(requests).index(HEADER)], self._time.wall())

    # --- sending -----------------------------------------------------------------------------------------------------

    def send_raw(self, raw: bytes) -> list[SendAnswer]:
        """Offers a signed transaction to every URL, once each and never again. Raises nothing: every answer counts.

        One that rests is left out as long as another one does not: what it would say can only be late.
        """
        request: Request = ("eth_sendRawTransaction", ["0x" + raw.hex()])
        ours = "0x" + keccak(raw).hex()

        def offer(provider: Provider) -> SendAnswer:
            try:
                answer = provider.send(request)
            except TransportFault as fault:
                return SendAnswer(provider.name, fault)
            if isinstance(answer, RpcError):
                return SendAnswer(provider.name, answer)
            if not isinstance(answer, str):
                return SendAnswer(provider.name, TransportFault(f"{provider.name}: expected a hash, found none"))
            said = provider.wire.hide(answer)
            if answer.lower() != ours:
                provider.quarantine(f"it took {ours} and said {said[:80]}")
            return SendAnswer(provider.name, said)

        now = self._time.now()
        awake = [provider for provider in self._providers if not provider.breaker.is_open(now)]
        return self._in_parallel(offer, awake or self._providers)

    def _in_parallel(self, ask: Callable[[Provider], Any], providers: Sequence[Provider]) -> list[Any]:
        """At once, so that a dead URL does not hold the living back; by threads that stay, as a start takes a while."""
        if len(providers) == 1:
            return [ask(providers[0])]
        if self._threads is None:
            self._threads = ThreadPoolExecutor(2 * len(self._providers), thread_name_prefix=f"{self.name} rpc")
        return list(self._threads.map(ask, providers))


def _unique(labels: Sequence[str]) -> list[str]:
    """Two keys of one host are two providers."""
    seen: dict[str, int] = {}
    names = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        names.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return names
