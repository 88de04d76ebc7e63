"""Whether a vault's tokens arrive whole where they are sent, asked before anything is at stake: simulated only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from keeper.chain.reading.pins import Finding
from keeper.core import text
from keeper.core.abi import calldata
from keeper.core.calls import Call, Calls, Purpose
from keeper.core.chain import VaultView
from keeper.core.ports import Submitter
from keeper.core.units import Address, TokenAmount

RECIPIENT = Address("0x6b65657065720000000000000000000061727276")
"""Nobody's address: "keeper…arrv"."""


def look_for_arrival(vault: str, view: VaultView, submitter: Submitter) -> Iterator[Finding]:
    """One look for each token that the vault holds some of: half of it goes to an address where there is none.

    A token that takes a fee, is paused or blocks the vault shows here by its own words, which routers swallow. What
    rounds by a unit or two (shares) arrives. Raises Unreachable.
    """
    for token, held in view.balances.items():
        half = TokenAmount(token, held.raw // 2)
        if half.raw <= 0:
            continue
        data = calldata("transfer(address,uint256)", RECIPIENT, half.raw)
        call = Call(token.address, data, 0, Purpose.UPKEEP, f"transfer {text.amount(half)}")
        # The holder sends, and what the recipient gains is measured.
        found = submitter.simulate(Calls((call,)), replace(view, sender=view.account, account=RECIPIENT))
        came = TokenAmount(token, found.deltas.get(token, 0))
        ok = not found.failure and came.raw >= half.raw - min(2, half.raw // 1_000_000)
        said = found.failure or f"{text.amount(came)} of {text.amount(half)} arrived"
        if not ok and not found.failure:
            said = f"it takes a fee on transfer: {said}" if came.raw > 0 else f"nothing moved: {said}"
        yield Finding(f"vaults.{vault}: transfer of {token.symbol}", "all of it arrives", said, ok)
