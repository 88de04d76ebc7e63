"""Which vaults merely hold on this tick: nothing of theirs has changed but prices, and these not enough.

A vault goes the full way (view, plan, guards, breakers, a record that tells everything) until that way has come to a
hold that lasts while it is inside its bands. From then on its screen answers (core/screens.py), until something of its
own changes, or until its turn has come to be told in full again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from keeper.core.chain import Block, Glance, Quotes, Snapshot, Unusable, VaultView
from keeper.core.decision import Decision
from keeper.core.plan import Hold
from keeper.core.records import CycleRecord
from keeper.core.screens import Screen, draw_screen
from keeper.core.sending import Intent
from keeper.deciding import Vault

FEW = 5
"""A keeper of so few vaults tells each of them in full every time."""
TOLD = 1
"""Vaults of a tick that are told in full although their screens would answer, the longest untold first, where there are
more; and as many as it takes to be through with all of them in UNTOLD, so that they do not come due at once."""
UNTOLD = 3_000
"""{s} After so long a vault is told in full whatever its screen says: within each hour something is noted of it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one cycle of one vault came to, as it was journaled.

    Where its screen answered, `block` is the one that it was looked at, and record and decision say no more than that
    it holds: nothing else was made.
    """

    number: int
    record: CycleRecord
    decision: Decision
    intent: Intent | None = None
    block: int = 0

    @property
    def holds_on(self) -> bool:
        """Its screen answered."""
        return self.block > 0

    @property
    def block_number(self) -> int:
        return self.block or self.record.block_number


@dataclass(slots=True)
class _Rest:
    """What must stay the same for a vault to hold on, and how its streak is told meanwhile."""

    glance: Glance
    screen: Screen
    told_at: int
    turn: Turn
    _quotes: Quotes | None = None
    _drift: int | None = None
    """What the screen said of these prices, which are the same object for as long as they stay."""

    def drift(self, glance: Glance, now: int, untold: int) -> int | None:
        """{bps} None where the full way must be gone."""
        own, past, quotes = glance
        if own != self.glance.own or past != self.glance.past or quotes is None:
            return None
        if quotes is not self._quotes:
            self._quotes, self._drift = quotes, self.screen.drift(quotes)
        return self._drift if 0 <= now - self.told_at < untold else None


@dataclass(slots=True)
class Screens:
    """The screens of one chain's vaults. Nothing is remembered of them but what the full way found out."""

    vaults: Mapping[str, Vault]
    told: int = TOLD
    untold: int = UNTOLD
    _rests: dict[str, _Rest] = field(default_factory=dict)
    """The longest untold first."""
    _looked_at: int = 0
    _owed: int = 0
    """{vaults * s} What the time since the last look adds to; UNTOLD of it are a vault that is told."""

    def resting(
        self, snapshot: Snapshot, due: Sequence[str], busy: Mapping[str, str]
    ) -> tuple[dict[str, int], list[str]]:
        """Vaults of `due` that hold on, each with its drift {bps}, and those that do, but are told in full this time.
        All others must go the full way."""
        mine, now = set(due), snapshot.block.timestamp
        found: dict[str, int] = {}
        resting = [name for name in self._rests if name in mine]
        told = dict.fromkeys(resting[: self._share(len(resting), now)], False)
        for name in due:
            rest, glance = self._rests.get(name), snapshot.glances.get(name)
            if rest is None or glance is None or name in busy:
                continue
            drift = rest.drift(glance, now, self.untold)
            if drift is not None and name in told:
                told[name] = True
            elif drift is not None:
                found[name] = drift
        return found, [name for name, holds in told.items() if holds]

    def _share(self, resting: int, now: int) -> int:
        """How many of them are told now: each in its turn within UNTOLD, however often they are looked at."""
        passed = min(max(0, now - self._looked_at), self.untold)
        self._looked_at = now
        due, self._owed = divmod(self._owed + resting * passed, self.untold)
        return max(self.told, due)

    def hold_on(self, name: str, block: Block) -> Turn:
        turn = self._rests[name].turn
        return Turn(turn.number, turn.record, turn.decision, block=block.number)

    def learn(self, turn: Turn, snapshot: Snapshot) -> None:
        """What the full way came to: a vault that holds inside its bands is screened from the next tick on."""
        name, glance = turn.record.vault, snapshot.glances.get(turn.record.vault)
        self._rests.pop(name, None)
        screen = self._draw(turn) if glance is not None else None
        if screen is not None and glance is not None:
            self._rests[name] = _Rest(glance, screen, snapshot.block.timestamp, _in_short(turn))

    def _draw(self, turn: Turn) -> Screen | None:
        decision, view, plan = turn.decision, turn.decision.view, turn.decision.plan
        if turn.record.kind != "hold" or not isinstance(view, VaultView) or not isinstance(plan, Hold):
            return None
        stands = view.history.latches or view.history.proposal or view.history.trace
        if not plan.while_inside or decision.draft is not None or decision.trips or stands:
            return None
        breakers = self.vaults[turn.record.vault].breakers
        return draw_screen(view, plan.assets, (breaker.margin(view) for breaker in breakers))


def _in_short(turn: Turn) -> Turn:
    """Without its view, which a thousand of would be kept."""
    said = Hold(turn.record.code, turn.record.reason)
    decision = Decision(turn.record.vault, Unusable("its screen answered, so no view was made"), said)
    return Turn(turn.number, replace(turn.record, decision={}, inputs=b""), decision)
