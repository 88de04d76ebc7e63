"""One batch asked of several nodes at once, and believed only where enough of them say the same.

While all have the same head a tick is one HTTP request to each of `quorum` nodes. Where heads differ, they are asked
again at the highest block that `quorum` of them have; where they still contradict each other, the remaining nodes are
asked too. Whoever is outvoted is put aside with the reason. Once a minute the nodes that are not needed take part as
well, so that a bad one is known before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from keeper.chain.nodes.agreement import Disagreement, Tally, head_number, head_time, is_unanimous, tally
from keeper.chain.nodes.health import CHECK, TRIES, Provider, Timer
from keeper.chain.nodes.messages import Request
from keeper.chain.nodes.transport import TransportFault
from keeper.core.errors import Unreachable

HEADER: Request = ("eth_getBlockByNumber", ["latest", False])

Ballots = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Freshness:
    """{s} How old a head may be by our clock (None: any), how far ahead of it, and how far behind the other nodes."""

    max_age: int | None = None
    max_ahead: int = 30
    max_lag: int = 60

    def objection(self, header: Any, wall: float) -> str:
        """Why this head is none, or an empty string. A header that cannot be read is for others to refuse."""
        at = head_time(header)
        if at is None or self.max_age is None:
            return ""
        age = int(wall) - at
        if age > self.max_age:
            return f"its head is {age} s old, allowed {self.max_age} s"
        if -age > self.max_ahead:
            return f"its head is {-age} s ahead of this clock, allowed {self.max_ahead} s"
        return ""


@dataclass(slots=True)
class _Panel:
    """Who is asked in one round of questions: voters count, watchers are only compared, spares wait."""

    voters: list[Provider]
    watchers: list[Provider]
    spares: list[Provider]
    faults: list[str] = field(default_factory=list)

    def drop(self, provider: Provider, why: str) -> None:
        """Leaves it out from here on, and calls up a spare for it."""
        if provider in self.watchers:
            self.watchers.remove(provider)
            return
        self.voters.remove(provider)
        self.faults.append(why)
        if self.spares:
            self.voters.append(self.spares.pop(0))

    def ballots(self, found: Mapping[str, list[Any]]) -> Ballots:
        return {voter.name: found[voter.name] for voter in self.voters if voter.name in found}


class Quorum:
    """Guarantees that whatever it returns was said by `quorum` nodes, as far as nodes must agree at all
    (agreement.py). Does not protect against `quorum` nodes that lie alike: the price guards bound that."""

    def __init__(
        self, chain: str, providers: Sequence[Provider], quorum: int, freshness: Freshness, timer: Timer
    ) -> None:
        self._chain, self._providers, self._quorum = chain, list(providers), quorum
        self._freshness, self._time = freshness, timer
        self._threads: ThreadPoolExecutor | None = None

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def ask(self, requests: Sequence[Request], *, single: bool = False) -> list[Any]:
        """Answers in order. Raises Unreachable where fewer than `quorum` nodes answer, Disagreement where too few say
        the same."""
        panel = self._panel()
        asked, head = _with_head(requests)
        single = single and len(asked) == 1
        found = self._collect(panel, asked, single=single)
        if head is not None:
            found = self._without_stuck(panel, asked, found, head)
            if is_unanimous(asked, found):
                for provider in (*panel.voters, *panel.watchers):
                    provider.agreed()
                return list(tally(asked, panel.ballots(found), self._quorum).answers[: len(requests)])
            self._call_up(panel, asked, found, head)
            asked = _pinned(asked, self._height(panel.ballots(found), head))
            found = self._collect(panel, asked, single=single)
        count = tally(asked, panel.ballots(found), self._quorum)
        if count.open and panel.spares:
            panel.voters += panel.spares
            panel.spares = []
            found |= self._collect(panel, asked, single=single, known=found)
            count = tally(asked, panel.ballots(found), self._quorum)
        self._judge(panel, asked, found, count)
        if count.split:
            raise Disagreement(f"{self._chain}: {count.split}")
        return list(count.answers[: len(requests)])

    # --- who is asked ------------------------------------------------------------------------------------------------

    def _panel(self) -> _Panel:
        now = self._time.now()
        out = {provider.name: why for provider in self._providers if (why := provider.why_not(now))}
        able = [provider for provider in self._providers if provider.name not in out]
        trusted = [provider for provider in able if not provider.is_quarantined]
        if len(trusted) < self._quorum:
            raise self._too_few(len(trusted), list(out.values()))
        needed, others = trusted[: self._quorum], trusted[self._quorum :]
        # Those that nobody needs vote once a minute too: one more opinion, and a look at them.
        due = [provider for provider in others if now >= provider.looked_at + CHECK]
        spares = [provider for provider in others if provider not in due]
        return _Panel([*needed, *due], [provider for provider in able if provider.is_quarantined], spares)

    def _too_few(self, count: int, reasons: Sequence[str]) -> Unreachable:
        told = f": {'; '.join(reasons)}" if reasons else ""
        return Unreachable(f"{self._chain}: expected answers of {self._quorum} nodes, found {count}{told}")

    def _collect(
        self, panel: _Panel, asked: Sequence[Request], *, single: bool = False, known: Mapping[str, Any] | None = None
    ) -> Ballots:
        """Everybody's answers; whoever fails is replaced as long as there are spares. Raises Unreachable."""
        found: Ballots = {}
        while missing := [
            provider
            for provider in (*panel.voters, *panel.watchers)
            if provider.name not in found and provider.name not in (known or {})
        ]:
            tries = 1 if panel.spares else TRIES
            answers = self._each(missing, lambda provider: provider.read(asked, single=single, tries=tries))  # noqa: B023  read at once
            for provider, answer in zip(missing, answers, strict=True):
                if isinstance(answer, TransportFault):
                    panel.drop(provider, answer.text)
                else:
                    found[provider.name] = answer
        if len(panel.voters) < self._quorum:
            raise self._too_few(len(panel.voters), panel.faults)
        return found

    def _each(self, providers: Sequence[Provider], ask: Callable[[Provider], list[Any]]) -> list[Any]:
        """In parallel, so that a tick takes as long as the slowest of them, not as all of them."""

        def one(provider: Provider) -> list[Any] | TransportFault:
            try:
                return ask(provider)
            except TransportFault as fault:
                return fault

        if len(providers) == 1:
            return [one(providers[0])]
        if self._threads is None:
            self._threads = ThreadPoolExecutor(max_workers=2 * len(self._providers), thread_name_prefix=self._chain)
        return list(self._threads.map(one, providers))

    # --- the same head -----------------------------------------------------------------------------------------------

    def _without_stuck(self, panel: _Panel, asked: Sequence[Request], found: Ballots, head: int) -> Ballots:
        """Leaves out whose head is too old or ahead of all clocks. Raises Unreachable where too few remain."""
        wall = self._time.wall()
        while stuck := {
            provider: why
            for provider in (*panel.voters, *panel.watchers)
            if (why := self._freshness.objection(found[provider.name][head], wall))
        }:
            for provider, why in stuck.items():
                provider.rest(why)
                panel.drop(provider, f"{provider.name}: {why}")
                del found[provider.name]
            if len(panel.voters) < self._quorum:
                raise self._too_few(len(panel.voters), panel.faults)
            found |= self._collect(panel, asked, known=found)
        return found

    def _call_up(self, panel: _Panel, asked: Sequence[Request], found: Ballots, head: int) -> None:
        """Where one is far behind another, all the others say which of the two is odd; then the laggards rest."""
        times = [head_time(found[voter.name][head]) for voter in panel.voters]
        known = [at for at in times if at is not None]
        if len(known) == len(times) and max(known) - min(known) <= self._freshness.max_lag:
            return
        panel.voters += panel.spares
        panel.spares = []
        found |= self._collect(panel, asked, known=found)
        ranked = sorted((head_time(found[voter.name][head]) or 0 for voter in panel.voters), reverse=True)
        common = ranked[self._quorum - 1]
        for voter in list(panel.voters):
            behind = common - (head_time(found[voter.name][head]) or 0)
            if behind > self._freshness.max_lag and len(panel.voters) > self._quorum:
                voter.rest(f"its head is {behind} s behind that of {self._quorum} other nodes")
                panel.drop(voter, "")

    def _height(self, ballots: Ballots, head: int) -> int:
        """The highest block that `quorum` nodes have: none of them alone can hold it back or run ahead."""
        numbers = [number for ballot in ballots.values() if (number := head_number(ballot[head])) is not None]
        if len(numbers) < self._quorum:
            raise self._too_few(len(numbers), ["no usable head"])
        return sorted(numbers, reverse=True)[self._quorum - 1]

    # --- who is believed ---------------------------------------------------------------------------------------------

    def _judge(self, panel: _Panel, asked: Sequence[Request], found: Ballots, count: Tally) -> None:
        """Only where there is a verdict on every item: who is odd is known by what the others agree on."""
        if count.split:
            return
        for voter in panel.voters:
            if voter.name in count.odd:
                voter.quarantine(count.odd[voter.name])
            elif voter.name in count.forked:
                voter.forked(count.forked[voter.name])
            else:
                voter.agreed()
        for watcher in panel.watchers:
            with_it = panel.ballots(found) | {watcher.name: found[watcher.name]}
            compared = tally(asked, with_it, self._quorum)
            if watcher.name in compared.odd:
                watcher.quarantine(compared.odd[watcher.name])
            elif watcher.name not in compared.forked and is_unanimous(asked, with_it):
                watcher.agreed()


def _with_head(requests: Sequence[Request]) -> tuple[list[Request], int | None]:
    """The requests, and which of them tells the head; None where nothing depends on it. One is added where needed."""
    asked = list(requests)
    if HEADER in asked:
        return asked, asked.index(HEADER)
    if any("latest" in params for _, params in asked):
        return [*asked, HEADER], len(asked)
    return asked, None


def _pinned(requests: Sequence[Request], height: int) -> list[Request]:
    return [(method, [hex(height) if p == "latest" else p for p in params]) for method, params in requests]
