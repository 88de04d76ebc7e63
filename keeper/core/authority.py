"""What whoever steals a key could take: three figures, each with the reason why it is no more."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.core.units import TokenAmount


@dataclass(frozen=True, slots=True)
class Most:
    """At most this {numeraire}, and why."""

    value: TokenAmount
    reason: str


@dataclass(frozen=True, slots=True)
class WorstLoss:
    """The most that a thief of the key could cost a vault, at the prices of one block.

    The key's own coin for gas counts apart. `notes` say what the figures leave out.
    """

    per_transaction: Most
    per_day: Most
    total: Most
    gas: TokenAmount
    """{native coin} On the key's own account, beside what the vault counts as its own."""
    gas_value: TokenAmount
    """{numeraire}"""
    notes: tuple[str, ...] = ()

    @property
    def day(self) -> TokenAmount:
        """{numeraire} In any 24 hours, gas money included: what `max_authority` bounds."""
        return self.per_day.value + self.gas_value
