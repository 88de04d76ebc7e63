"""What never changes about a Balancer V2 pool, as its pin keeps it and as its venue reads it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from keeper.core.abi import WORD, calldata
from keeper.core.chain import Read
from keeper.core.pools import Pool
from keeper.core.units import Address, Token
from keeper.venues.balancer_fixed import ONE

ROUTER_KIND = "balancer_vault"

POOL_ID, POWER, ROUNDING, RATES, POOL_TOKEN, WEIGHT, PROVIDER = (
    "pool_id",
    "power",
    "rounding",
    "rates",
    "pool_token",
    "weight",
    "rate_provider",
)
"""Names of details. The last two end in the token's index among `pool.tokens`."""

LOGARITHM, SHORT = "logarithm", "short"
"""How powers are computed: always by logarithm, or exponents 1, 2 and 4 by multiplication."""
UP, DOWN = "up", "down"
"""How the invariant of a stable pool rounds."""
REFRESHED, OF_PAIR, AS_CACHED = "refreshed", "of_pair", "as_cached"
"""Which rate a swap goes by: an expired one is read anew first; the same, asked for by another name (meta-stable);
the cached one however old, and only then read anew (phantom)."""

CLOCK = Read(Address("0xcA11bde05977b3631167028862bE2a173976CA11"), calldata("getCurrentBlockTimestamp()"))
"""Multicall3, at one address on every chain that has Balancer. Whether a cached rate has expired depends on the block's
time, which no pool tells."""

_CACHED = {
    REFRESHED: "getTokenRateCache(address)",
    AS_CACHED: "getTokenRateCache(address)",
    OF_PAIR: "getPriceRateCache(address)",
}


@dataclass(frozen=True, slots=True)
class Rate:
    """Where the rate of one token is kept, and who knows it better."""

    index: int
    cached: Read
    fresh: Read | None
    """None where a swap goes by the cached one in any case."""


@dataclass(frozen=True, slots=True)
class Traits:
    """Reads of a pool and what its answers are checked against. `registered` are the Vault's tokens of it, as words."""

    holdings: Read
    vault_pause: Read
    pause: Read
    fee: Read
    amp: Read
    registered: bytes
    pool_token: int | None
    scales: tuple[int, ...]
    weights: tuple[int, ...]
    short: bool
    rounds_up: bool
    rates: tuple[Rate, ...]
    reads: tuple[Read, ...]
    """All that a state needs."""


def traits_of(pool: Pool) -> Traits:
    """Raises KeyError where the pool was not pinned as one of Balancer's."""
    return _traits(pool.address, pool.router.address, pool.tokens, pool.details)


@lru_cache(maxsize=1 << 14)
def _traits(
    address: Address, vault: Address, tokens: tuple[Token, ...], details: tuple[tuple[str, int | str], ...]
) -> Traits:
    known = dict(details)
    at = known.get(POOL_TOKEN)
    pool_token = at if isinstance(at, int) else None
    registered = [token.address for token in tokens]
    if pool_token is not None:
        registered.insert(pool_token, address)
    weights = tuple(int(known[f"{WEIGHT}{i}"]) for i in range(len(tokens)) if f"{WEIGHT}{i}" in known)
    holdings = Read(vault, calldata("getPoolTokens(bytes32)", bytes.fromhex(str(known[POOL_ID])[2:])))
    vault_pause, pause = (Read(whose, calldata("getPausedState()")) for whose in (vault, address))
    fee, amp = (Read(address, calldata(f"{name}()")) for name in ("getSwapFeePercentage", "getAmplificationParameter"))
    rates = tuple(_rates(address, tokens, known))
    rated = [read for rate in rates for read in (rate.cached, rate.fresh) if read]
    clock = [CLOCK] if any(rate.fresh for rate in rates) else []
    return Traits(
        holdings,
        vault_pause,
        pause,
        fee,
        amp,
        registered=b"".join(bytes.fromhex(each[2:]).rjust(WORD, b"\0") for each in registered),
        pool_token=pool_token,
        scales=tuple(ONE * 10 ** (18 - token.decimals) for token in tokens),
        weights=weights,
        short=known.get(POWER) == SHORT,
        rounds_up=known.get(ROUNDING) == UP,
        rates=rates,
        reads=(holdings, vault_pause, pause, fee, *([] if weights else [amp]), *rated, *clock),
    )


def _rates(address: Address, tokens: tuple[Token, ...], known: dict[str, int | str]) -> list[Rate]:
    found = []
    for i, token in enumerate(tokens):
        provider = known.get(f"{PROVIDER}{i}")
        if provider is None:
            continue
        kind = str(known[RATES])
        fresh = None if kind == AS_CACHED else Read(Address(str(provider)), calldata("getRate()"))
        found.append(Rate(i, Read(address, calldata(_CACHED[kind], token.address)), fresh))
    return found
