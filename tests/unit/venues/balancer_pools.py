"""Balancer V2 pools in memory, and the answers of their getters and of their Vault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from eth_abi.abi import encode

from keeper.core.chain import Read
from keeper.core.pools import Details, Pool, Router
from keeper.core.units import Token
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_stable_state import StableState
from keeper.venues.balancer_traits import CLOCK, POOL_ID, Traits, traits_of
from keeper.venues.balancer_weighted import WeightedState
from tests.builders import CHAIN, NOW, address, token

ZERO, ONE_TOKEN, TWO = token("ZERO", 18, 0xA0), token("ONE", 6, 0xA1), token("TWO", 8, 0xA2)
VAULT = Router("balancer_vault", address(0xBA1))
AT = address(0xB00)
ID = bytes.fromhex(AT[2:]) + bytes(12)
FEE = 3 * ONE // 1_000
HALF = ONE // 2
WEIGHTS: Details = (("power", "short"), ("weight0", HALF), ("weight1", HALF))


def balancer_pool(
    details: Details = WEIGHTS,
    tokens: tuple[Token, ...] = (ZERO, ONE_TOKEN),
    kind: str = "balancer_weighted",
    fee: Fraction = Fraction(3, 1_000),
) -> Pool:
    return Pool(CHAIN, kind, AT, tokens, fee, VAULT.address, VAULT, details=((POOL_ID, "0x" + ID.hex()), *details))


def stable_pool(details: Details = (("rounding", "down"),), tokens: tuple[Token, ...] = (ZERO, ONE_TOKEN, TWO)) -> Pool:
    return balancer_pool(details, tokens, "balancer_stable")


def scales(tokens: Sequence[Token]) -> tuple[int, ...]:
    return tuple(ONE * 10 ** (18 - each.decimals) for each in tokens)


def weighted_state(
    whole: Sequence[int], weights: Sequence[int], fee: int = FEE, short: bool = True, paused: str = ""
) -> WeightedState:
    """`whole` tokens of ZERO, ONE, TWO; `weights` {%}."""
    tokens = (ZERO, ONE_TOKEN, TWO)[: len(whole)]
    pool = balancer_pool(tokens=tokens, fee=Fraction(fee, ONE))
    balances = tuple(amount * 10**each.decimals for amount, each in zip(whole, tokens, strict=True))
    return WeightedState(pool, balances, scales(tokens), fee, paused, tuple(w * ONE // 100 for w in weights), short)


def stable_state(
    whole: Sequence[int],
    amp: int = 200,
    fee: int = FEE,
    rates: Sequence[int] = (ONE, ONE, ONE),
    rounds_up: bool = False,
) -> StableState:
    """`rates` {1e18}."""
    tokens = (ZERO, ONE_TOKEN, TWO)[: len(whole)]
    balances = tuple(amount * 10**each.decimals for amount, each in zip(whole, tokens, strict=True))
    rated = tuple(scale * rate // ONE for scale, rate in zip(scales(tokens), rates, strict=False))
    return StableState(stable_pool(tokens=tokens), balances, rated, fee, "", amp * 1_000, rounds_up)


def words(*figures: int) -> bytes:
    return b"".join(figure.to_bytes(32, "big") for figure in figures)


def holdings(tokens: Sequence[str], balances: Sequence[int]) -> bytes:
    return encode(["address[]", "uint256[]", "uint256"], [list(tokens), list(balances), 7])


def answers_of(
    pool: Pool,
    balances: Sequence[int],
    own: int = 0,
    amp: int = 200_000,
    changes: Mapping[str, bytes | None] | None = None,
) -> dict[Read, bytes | None]:
    """What a healthy pool says; `changes` by the name of the read in Traits. `own` is what the Vault holds of BPT."""
    traits = traits_of(pool)
    tokens, held = [each.address for each in pool.tokens], list(balances)
    if traits.pool_token is not None:
        tokens.insert(traits.pool_token, pool.address)
        held.insert(traits.pool_token, own)
    found: dict[Read, bytes | None] = {
        traits.holdings: holdings(tokens, held),
        traits.vault_pause: words(0, 0, 0),
        traits.pause: words(0, 0, 0),
        traits.fee: words(FEE),
        traits.amp: words(amp, 0, 1_000),
        CLOCK: words(NOW),
    }
    for name, answer in (changes or {}).items():
        found[_read(traits, name)] = answer
    return {read: answer for read, answer in found.items() if read in traits.reads}


def _read(traits: Traits, name: str) -> Read:
    found = CLOCK if name == "clock" else getattr(traits, name)
    assert isinstance(found, Read)
    return found
