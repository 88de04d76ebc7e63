"""One provider: its URL, whether it may be asked now, and whether it may be believed.

Three ways to be left out, each with its reason and its end: it fails (breaker.py), it is behind or on another fork
(a short rest), it was outvoted (quarantine: it has no vote until it has said the same as the others again).
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from keeper.chain.nodes.breaker import Breaker
from keeper.chain.nodes.limits import TokenBucket
from keeper.chain.nodes.messages import Request, RpcError, answers_of, bodies, result_of
from keeper.chain.nodes.transport import TransportFault

CHECK = 60.0
"""{s} How often each provider is asked for its chain id, and how often those that nobody needs are looked at."""
SHORT_REST = 15.0
"""{s} For a node that is behind or on another fork: a block or two, after which it usually has caught up."""
FORKS = 4
"""Rests for another fork in a row that make a lie: honest forks of the head last a block or two."""
FIRST_TERM, LONGEST_TERM = 600.0, 21_600.0
"""{s} Of a quarantine, four times as long with each further one."""
TRIES = 3
PAUSE = 0.1
"""{s} Before a read is tried again, doubling."""
MOST_WAIT = 2.0
"""{s} A read waits so long for its turn; beyond it another provider, or the next tick, is the better answer."""


class Wire(Protocol):
    """A URL that takes a JSON body and gives one back: transport.Endpoint, or a test's own."""

    @property
    def label(self) -> str: ...

    def exchange(self, body: Any) -> Any: ...

    def hide(self, text: str) -> str: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Timer:
    """Seconds that only go forward, seconds of the world, and how to wait. `share` is a part from 1/2 to 1."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    share: Callable[[], float] = lambda: 0.5 + secrets.randbelow(1_000) / 2_000


Tell = Callable[[str, str, bool], None]
"""Key, text, and whether that is good news, of what a person must hear."""


class Provider:
    """Guarantees that it never asks faster than its rate, and that every answer is of the expected chain as far as the
    last check knows. Does not guarantee that an answer is true."""

    def __init__(
        self,
        name: str,
        wire: Wire,
        timer: Timer,
        tell: Tell,
        *,
        chain_id: int | None = None,
        bucket: TokenBucket | None,
    ) -> None:
        """`name` is what people read of it, unique within its chain. Without a `chain_id` none is asked for."""
        self.name, self.wire = name, wire
        self._time, self._tell, self._chain_id, self._bucket = timer, tell, chain_id, bucket
        self.breaker = Breaker()
        self.requests_made = 0
        self.looked_at = timer.now()
        """When it last said the same as the others."""
        self._checked_at = timer.now()
        self._resting_until, self._why_resting = 0.0, ""
        self._term_ends, self._why_quarantined, self._offences, self._forks = 0.0, "", 0, 0
        self._is_paged = False
        self._ids, self._lock = itertools.count(1), threading.Lock()

    # --- standing ----------------------------------------------------------------------------------------------------

    def why_not(self, now: float) -> str:
        """Why it must not be asked now, or an empty string."""
        if self.breaker.is_open(now):
            return f"{self.breaker.reason} (asked again in {self.breaker.rests_until - now:.0f} s)"
        if now < self._resting_until:
            return f"{self._why_resting} (asked again in {self._resting_until - now:.0f} s)"
        if now < self._term_ends:
            return f"{self.name}: in quarantine: {self._why_quarantined} (for another {self._term_ends - now:.0f} s)"
        return ""

    @property
    def is_quarantined(self) -> bool:
        """It has no vote. Once its term is over it is asked, and voted on, but not counted."""
        return bool(self._why_quarantined)

    def rest(self, reason: str) -> None:
        self._resting_until, self._why_resting = self._time.now() + SHORT_REST, f"{self.name}: {reason}"

    def forked(self, reason: str) -> None:
        """It has another block than the others, at the same height."""
        self._forks += 1
        if self._forks >= FORKS:
            self.quarantine(reason)
        else:
            self.rest(reason)

    def quarantine(self, reason: str) -> None:
        """It said what the others contradict."""
        term = min(FIRST_TERM * 4 ** min(self._offences, 8), LONGEST_TERM)
        self._offences += 1
        self._forks = 0
        self._term_ends, self._why_quarantined = self._time.now() + term, reason
        self._tell(f"provider:{self.name}", f"{self.name} is not believed for {term:.0f} s: {reason}", False)

    def agreed(self) -> None:
        """It said the same as the others."""
        self._forks, self.looked_at = 0, self._time.now()
        if self._why_quarantined:
            self._why_quarantined = ""
            self._tell(f"provider:{self.name}", f"{self.name} says the same as the others again, and is believed", True)

    # --- asking ------------------------------------------------------------------------------------------------------

    def read(self, requests: Sequence[Request], *, single: bool = False, tries: int = 1) -> list[Any]:
        """Results in order, None for null, RpcError values for errors. Raises TransportFault.

        A read whose kept-alive connection was closed under us is asked once more; one that met a passing trouble of
        the server (5xx) up to `tries` times in all.
        """
        for left in reversed(range(tries)):
            try:
                try:
                    return self._exchange(requests, single=single)
                except TransportFault as fault:
                    if not fault.dropped:
                        raise
                    return self._exchange(requests, single=single)
            except TransportFault as fault:
                if not left or not _is_passing(fault) or self.breaker.is_open(self._time.now()):
                    raise
            self._time.sleep(PAUSE * 2 ** (tries - 1 - left) * self._time.share())
        raise AssertionError("a provider is asked at least once")

    def send(self, request: Request) -> Any:
        """One attempt and no other. Raises TransportFault, which never means that it was not taken."""
        if self._bucket is not None:
            self._bucket.take(1, self._time.now())
        return self._counted([request], single=True)[0]

    def _exchange(self, requests: Sequence[Request], *, single: bool) -> list[Any]:
        now = self._time.now()
        is_due = now >= self._checked_at + CHECK or self.is_quarantined
        is_check = self._chain_id is not None and is_due
        asked = [*requests, ("eth_chainId", [])] if is_check else requests
        self._wait_for_turn(len(asked), now)
        answers = self._counted(asked, single=single and not is_check)
        if is_check:
            self._check_chain(answers.pop())
        return answers

    def _wait_for_turn(self, calls: int, now: float) -> None:
        if self._bucket is None:
            return
        with self._lock:
            wait = self._bucket.wait(calls, now)
            if wait <= MOST_WAIT:
                self._bucket.take(calls, now)
        if wait > MOST_WAIT:
            raise TransportFault(f"{self.name}: its rate allows the next {calls} calls in {wait:.0f} s")
        if wait:
            self._time.sleep(wait)

    def _counted(self, requests: Sequence[Request], *, single: bool) -> list[Any]:
        """One HTTP request, which the breaker hears of."""
        with self._lock:
            self.requests_made += 1
            ids = [next(self._ids) for _ in requests]
        wanted = bodies(requests, ids)
        try:
            answer = self.wire.exchange(wanted[0] if single else wanted)
            if single:
                found = [result_of(answer, ids[0], self.wire.label, self.wire.hide)]
            else:
                found = answers_of(answer, ids, self.wire.label, self.wire.hide)
        except TransportFault as fault:
            times = self._time
            if page := self.breaker.failed(fault, times.now(), times.wall(), times.share()):
                self._is_paged = True
                self._tell(f"provider:{self.name}", page, False)
            raise
        self.breaker.answered()
        if self._is_paged:
            self._is_paged = False
            self._tell(f"provider:{self.name}", f"{self.name} answers again", True)
        return found

    def _check_chain(self, answer: Any) -> None:
        if isinstance(answer, RpcError) or answer is None:
            return  # it is asked again with the next batch
        self._checked_at = self._time.now()
        try:
            found = int(answer, 16)
        except (TypeError, ValueError):
            found = -1
        if found != self._chain_id:
            said = found if found >= 0 else "no figure"
            reason = f"chain id: expected {self._chain_id}, was {said}"
            self.quarantine(reason)
            raise TransportFault(f"{self.name}: {reason}")


def _is_passing(fault: TransportFault) -> bool:
    return fault.status is not None and fault.status >= 500
