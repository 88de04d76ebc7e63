"""Balancer V2: what to read of a pool and of its Vault, and what the answers mean."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from keeper.core.abi import WORD, word
from keeper.core.calls import Call
from keeper.core.chain import Answers, Needs, Read, Unusable
from keeper.core.plan import OrderLeg
from keeper.core.pools import Pool, PoolState
from keeper.core.units import Address
from keeper.venues.balancer_fixed import ONE, mul_down
from keeper.venues.balancer_stable_state import StableState
from keeper.venues.balancer_state import MAX_BALANCE
from keeper.venues.balancer_swaps import encode_balancer_swap
from keeper.venues.balancer_traits import CLOCK, Rate, Traits, traits_of
from keeper.venues.balancer_weighted import WeightedState

_HOLDINGS_HEAD = 3
"""Words before the arrays of getPoolTokens: where tokens begin, where balances begin, the last change."""
_MAX_RATE = 1 << 96


class Balancer:
    """Venue of weighted and of stable pools; what a pool is was pinned with it. One round of reads is enough."""

    def reads(self, pool: Pool, last: PoolState | None) -> tuple[Read, ...]:  # noqa: ARG002  always the same
        return traits_of(pool).reads

    def decode(self, pool: Pool, answers: Answers) -> WeightedState | StableState | Needs | Unusable:
        traits = traits_of(pool)
        if absent := tuple(read for read in traits.reads if read not in answers):
            return Needs(absent)
        balances = _decode_balances(traits, answers[traits.holdings])
        fee = answers[traits.fee]
        paused = _decode_pause(traits, answers)
        if isinstance(balances, Unusable):
            return balances
        if isinstance(paused, Unusable):
            return paused
        if fee is None or len(fee) != WORD or not word(fee, 0) < ONE:
            return Unusable("getSwapFeePercentage() does not answer with a share below 1")
        parts = _with_fee(pool, word(fee, 0)), balances
        if traits.weights:
            return WeightedState(*parts, traits.scales, word(fee, 0), paused, traits.weights, traits.short)
        scales = _decode_scales(traits, answers)
        amp = answers[traits.amp]
        if isinstance(scales, Unusable):
            return scales
        if amp is None or len(amp) != 3 * WORD or not word(amp, 0):
            return Unusable("getAmplificationParameter() does not answer")
        return StableState(*parts, scales, word(fee, 0), paused, word(amp, 0), traits.rounds_up)

    def encode(self, leg: OrderLeg, recipient: Address, deadline: int) -> Call:
        return encode_balancer_swap(leg, recipient, deadline)


def _with_fee(pool: Pool, fee: int) -> Pool:
    """The pool with the fee {1e18} of this block: its owner may have changed what was pinned."""
    if pool.fee.numerator * ONE == fee * pool.fee.denominator:
        return pool
    return replace(pool, fee=Fraction(fee, ONE))


def _decode_balances(traits: Traits, answer: bytes | None) -> tuple[int, ...] | Unusable:
    """Raw balances in the order of `pool.tokens`. Includes what an asset manager holds elsewhere."""
    size = len(traits.registered)
    tokens_end = _HOLDINGS_HEAD * WORD + WORD + size
    if answer is None or len(answer) != tokens_end + WORD + size:
        return Unusable("getPoolTokens() does not answer with the tokens that the pool was pinned with")
    # Both arrays have the length of `size`, else the answer would have another one; their tokens say it again.
    if answer[tokens_end - size : tokens_end] != traits.registered:
        return Unusable("the Vault registers other tokens than the pool was pinned with")
    held = answer[tokens_end + WORD :]
    balances = [int.from_bytes(held[at : at + WORD], "big") for at in range(0, size, WORD)]
    if traits.pool_token is not None:
        # What the Vault holds of the pool's own token was minted beforehand and backs nothing.
        del balances[traits.pool_token]
    if max(balances) > MAX_BALANCE:
        return Unusable(f"balance: expected at most 2**112 - 1, was {max(balances)}")
    return tuple(balances)


def _decode_pause(traits: Traits, answers: Answers) -> str | Unusable:
    """Why nothing is traded; empty where it is."""
    for who, read in (("the Vault", traits.vault_pause), ("the pool", traits.pause)):
        answer = answers[read]
        if answer is None or len(answer) != 3 * WORD:
            return Unusable(f"getPausedState() of {who} does not answer")
        if word(answer, 0):
            return f"{who} is paused"
    return ""


def _decode_scales(traits: Traits, answers: Answers) -> tuple[int, ...] | Unusable:
    """{1e18} What makes 18 decimals of each raw amount, rates included."""
    scales = list(traits.scales)
    for rate in traits.rates:
        found = _decode_rate(rate, answers)
        if isinstance(found, Unusable):
            return found
        scales[rate.index] = mul_down(scales[rate.index], found)
    return tuple(scales)


def _decode_rate(rate: Rate, answers: Answers) -> int | Unusable:
    """{1e18} The rate that a swap at this block goes by: the cached one, or the provider's once that has expired."""
    cached = answers[rate.cached]
    if cached is None or len(cached) not in (3 * WORD, 4 * WORD):
        return Unusable(f"the cached rate of token {rate.index} does not answer")
    # (rate, duration, expires), later pools (rate, old rate, duration, expires).
    kept, expires = word(cached, 0), word(cached, len(cached) // WORD - 1)
    if rate.fresh is None:
        return kept
    answer, clock = answers[rate.fresh], answers[CLOCK]
    fresh = word(answer, 0) if answer is not None and len(answer) == WORD else None
    if fresh == kept:
        return kept
    if clock is None or len(clock) != WORD:
        return Unusable(f"the rate of token {rate.index} may have expired: {CLOCK.to} does not tell the block's time")
    if word(clock, 0) <= expires:
        return kept
    if fresh is None or not 0 < fresh < _MAX_RATE:
        return Unusable(f"the rate of token {rate.index} has expired, and its provider does not tell another")
    return fresh
