"""Which tokens are left out of routes: those that take a fee on transfer, as measured at start, and those that rebase,
as the configuration says. What could not be measured is said; guard `whole_transfers` still sees it in each trade."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from contracts_abi import runtime
from keeper.app.claims import Claims
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.reading.pins import Pins
from keeper.chain.reading.transfers import Measured, fetch_transfers
from keeper.chain.sending.reverts import decode_revert
from keeper.core import text
from keeper.core.chain import Unusable
from keeper.core.pools import Pool
from keeper.core.transfers import LEAST, why_odd
from keeper.core.units import Address, Token, TokenAmount

ARRIVES = "what is sent arrives"
PLAIN = "plain tokens"
MOST_POOLS, MOST_OTHERS = 4, 3
"""{accounts} that may be asked to send a token, beside one vault: pools, and who holds for them."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Why a token cannot be traded, and why that is not known; both empty where it can."""

    odd: str = ""
    unknown: str = ""


def pin_transfers(rpc: Rpc, claims: Claims, pins: Pins) -> None:
    """Looks at each token of the pools that vaults trade through; every pool of an odd one is left out."""
    wants = {want.address: want for want in claims.routed() if want.address in pins.pools}
    pools = [pins.pools[address] for address in wants]
    looks = look_at_transfers(rpc, claims, pools)
    places = {token: f"{wants[pool.address].path}: {token.symbol}" for pool in reversed(pools) for token in pool.tokens}
    places |= {token: claims.place_of(token.address) or place for token, place in places.items()}
    kept = {address for vault in claims.vaults for address in claims.traded_by(vault)}
    for token, look in looks.items():
        if not look.odd and not look.unknown:
            pins.note(places[token], ARRIVES, ARRIVES, True)
        elif look.odd and token.address in kept:
            pins.note(places[token], "a plain token", f"{look.odd}; the keeper trades no such token", False)
    unknown = {places[token]: look.unknown for token, look in looks.items() if look.unknown}
    if len(unknown) == len(looks) > 1 and len(set(unknown.values())) == 1:
        unknown = {f"{claims.path}.tokens": unknown.popitem()[1]}  # the node's reason, most likely
    pins.warnings |= {f"{place}: transfers": f"not measured: {why}" for place, why in unknown.items()}
    for pool in pools:
        if odd := "; ".join(looks[token].odd for token in pool.tokens if token in looks and looks[token].odd):
            want = wants[pool.address]
            pins.note(want.path, PLAIN, odd, False)
            if want.spare:
                pins.leave_out(pool.address, want.path)


def look_at_transfers(rpc: Rpc, claims: Claims, pools: Iterable[Pool]) -> dict[Token, Judged]:
    """Each token of these pools but the native coin. Raises Unreachable."""
    tokens: dict[Token, list[Pool]] = {}
    for pool in pools:
        for token in pool.tokens:
            tokens.setdefault(token, []).append(pool)
    kept = {token: claims.config.account_of(vault) for vault in claims.vaults for token in claims.traded_by(vault)}
    found: dict[Token, Judged] = {}
    asked: dict[Address, list[Address]] = {}
    for token, its in tokens.items():
        if token.address in claims.rebasing:
            found[token] = Judged(f"{token.symbol} is declared rebasing: its balances move by themselves")
        elif not token.is_native:
            asked[token.address] = [*_holders(its), *filter(None, [kept.get(token.address)])]
    measured = fetch_transfers(rpc, asked, runtime("transfers"), runtime("hand"))
    return found | {token: judge(token, measured[token.address]) for token in tokens if token.address in measured}


def _holders(pools: Sequence[Pool]) -> Iterator[Address]:
    """Accounts that may have some of a token of theirs. Balancer's Vault holds for its pools, and a base pool for the
    metapools of Curve."""
    yield from (pool.address for pool in pools[:MOST_POOLS])
    bases = (dict(pool.details).get("base") for pool in pools)
    others = dict.fromkeys([*(pool.router.address for pool in pools), *(Address(str(at)) for at in bases if at)])
    yield from list(others)[:MOST_OTHERS]


def judge(token: Token, found: Measured | Unusable) -> Judged:
    """What the figures mean; a fee that was seen is one, whatever else was not."""
    if isinstance(found, Unusable):
        return Judged(unknown=found.reason)
    if odd := why_odd(token, found.made):
        return Judged(odd=odd)
    if found.refusal is not None:
        said = decode_revert(found.refusal) if found.refusal else "without a reason"
        return Judged(unknown=f"transfer {len(found.made) + 1} of 3 is refused: {said}")
    if little := [one.sent for one in found.made if one.sent < LEAST]:
        return Judged(
            unknown=f"{text.amount(TokenAmount(token, little[0]))} are too little to tell a fee from rounding"
        )
    return Judged()
