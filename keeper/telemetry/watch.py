"""What people must hear of: the causes of alerts, from what the journal and the last ticks say. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from keeper.core import text
from keeper.core.latches import BREAKER
from keeper.core.sending import LIVE, Intent, State
from keeper.core.units import Address, TokenAmount

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """{s, s, days} How long a vault may be refused, a transaction be on its way, and gas must last."""

    refused_after: int
    stuck_after: int
    gas_days: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A vault that wanted to act, or could not be judged, in every cycle since then (Unix seconds)."""

    since: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class GasUse:
    """What a sender holds, and what its transactions cost within the last `period` seconds."""

    balance: TokenAmount
    spent: int
    """{wei}"""
    period: int

    @property
    def days(self) -> int | None:
        """How many whole days the balance lasts at this rate; None where nothing was spent."""
        # {days} = {wei} * {s} / ({wei} * {s / day})
        return self.balance.raw * self.period // (self.spent * DAY) if self.spent else None


@dataclass(frozen=True, slots=True)
class Facts:
    """One chain at one moment (Unix seconds)."""

    chain: str
    now: int
    halts: Mapping[str, str] = field(default_factory=dict)
    """Vault or sender -> why it is halted."""
    trials: Mapping[str, TokenAmount] = field(default_factory=dict)
    """Vault -> what its next trade may be worth, as its breaker tries whether it may go on."""
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    walls: Mapping[str, str] = field(default_factory=dict)
    """Vault -> which coin is beyond the wall of its peg."""
    live: Sequence[Intent] = ()
    gas: Mapping[Address, GasUse] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watched:
    """(key, text) of what stands, and of what stood before and is over."""

    raised: tuple[tuple[str, str], ...]
    cleared: tuple[tuple[str, str], ...]


def watch(facts: Facts, limits: Limits, before: Collection[str]) -> Watched:
    """`before` holds the keys that were raised by the last look."""
    raised = {key: said for cause in (_halted, _refused, _walls, _stuck, _gas) for key, said in cause(facts, limits)}
    over = sorted(set(before) - set(raised))
    return Watched(tuple(raised.items()), tuple((key, _all_clear(key, facts)) for key in over))


def _halted(facts: Facts, limits: Limits) -> Iterator[tuple[str, str]]:  # noqa: ARG001
    for scope, reason in facts.halts.items():
        if reason.startswith(BREAKER):
            yield f"breaker:{scope}", f"{scope} is stopped by its breaker: {reason.removeprefix(BREAKER).strip()}"
        else:
            yield f"halt:{scope}", f"{scope} is halted: {reason}"


def _refused(facts: Facts, limits: Limits) -> Iterator[tuple[str, str]]:
    for vault, refusal in facts.refused.items():
        lasted = facts.now - refusal.since
        if lasted >= limits.refused_after:
            yield f"refused:{vault}", f"{vault} has been refused for {text.duration(lasted)}: {refusal.reason}"


def _walls(facts: Facts, limits: Limits) -> Iterator[tuple[str, str]]:  # noqa: ARG001
    for vault, reason in facts.walls.items():
        yield f"wall:{vault}", f"{vault} has stopped: {reason}"


def _stuck(facts: Facts, limits: Limits) -> Iterator[tuple[str, str]]:
    for intent in facts.live:
        age = facts.now - intent.created_at
        if intent.state in LIVE and intent.state is not State.MINED and age >= limits.stuck_after:
            what = f"{intent.call.purpose} of {intent.vault}, nonce {intent.nonce}"
            yield f"stuck:{intent.id}", f"{what}, is {intent.state} for {text.duration(age)} and not mined"


def _gas(facts: Facts, limits: Limits) -> Iterator[tuple[str, str]]:
    for sender, use in facts.gas.items():
        if use.days is not None and use.days < limits.gas_days:
            lasts = f"{use.days} days" if use.days != 1 else "1 day"
            said = f"{sender} on {facts.chain} has gas for {lasts}, expected {limits.gas_days}"
            yield f"gas:{facts.chain}:{sender}", f"{said}: {text.amount(use.balance)} left"


def _all_clear(key: str, facts: Facts) -> str:
    kind, _, name = key.partition(":")
    if kind == "breaker" and (most := facts.trials.get(name)) is not None:
        return f"the breaker of {name} has rested: one trade of at most {text.usd(most)} decides"
    return {
        "halt": f"{name} is not halted any more",
        "breaker": f"the breaker of {name} is armed again",
        "refused": f"{name} is not refused any more",
        "wall": f"{name}: the price is back inside the wall",
        "stuck": f"transaction {name} is stuck no more",
        "gas": f"{name} has enough gas again",
    }[kind]
