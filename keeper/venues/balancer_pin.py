"""Recognises Balancer V2 pools, and of which of their generations they are, by what they answer to."""

from __future__ import annotations

from collections.abc import Mapping

from keeper.core.abi import WORD, address_word, calldata, word
from keeper.core.chain import Answers, Needs, Read
from keeper.core.pools import Details, Router
from keeper.core.units import Address
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_stable_state import KIND as STABLE
from keeper.venues.balancer_traits import (
    AS_CACHED,
    DOWN,
    LOGARITHM,
    OF_PAIR,
    POOL_ID,
    POOL_TOKEN,
    POWER,
    PROVIDER,
    RATES,
    REFRESHED,
    ROUNDING,
    ROUTER_KIND,
    SHORT,
    UP,
    WEIGHT,
)
from keeper.venues.balancer_weighted import KIND as WEIGHTED
from keeper.venues.facts import Facts, parse_address

VAULT = Address("0xBA12222222228d8Ba445958a75a0704d566BF2C8")
"""Balancer's own, at one address on every chain."""
DRAINED = "V2 composable stable pools were drained in November 2025 through the rounding of scaled balances"
_FEE_UNIT = ONE // 1_000_000
_MAX_TOKENS = 50


def _words(answer: bytes | None) -> list[int] | None:
    """The figures of an answer that is one array."""
    if answer is None or len(answer) < 2 * WORD or len(answer) % WORD or word(answer, 0) != WORD:
        return None
    found = [word(answer, i) for i in range(2, len(answer) // WORD)]
    return found if len(found) == word(answer, 1) <= _MAX_TOKENS else None


class BalancerPin:
    """What both families share: an id that begins with the pool's address, and a Vault that confirms its tokens."""

    kind = ""
    _COMMON = ("getPoolId", "getVault", "getSwapFeePercentage", "getPausedState", "getGradualWeightUpdateParams")
    _ASKED: tuple[str, ...] = ()

    def reads(self, address: Address) -> tuple[Read, ...]:
        return tuple(Read(address, calldata(f"{name}()")) for name in (*self._COMMON, *self._ASKED))

    def pin(self, address: Address, answers: Answers) -> Facts | Needs | None:
        names = (*self._COMMON, *self._ASKED)
        said = {name: answers.get(read) for name, read in zip(names, self.reads(address), strict=True)}
        pool_id, vault, fee = said["getPoolId"], parse_address(said["getVault"]), said["getSwapFeePercentage"]
        if pool_id is None or len(pool_id) != WORD or pool_id[:20].hex() != address[2:].lower() or vault is None:
            return None
        if fee is None or len(fee) != WORD or word(fee, 0) >= ONE or said["getPausedState"] is None:
            return None
        if said["getGradualWeightUpdateParams"] is not None:
            # Weights that move, in pools for launches and in managed ones: a pinned weight would be wrong tomorrow.
            return None
        holdings = Read(vault, calldata("getPoolTokens(bytes32)", pool_id))
        if holdings not in answers:
            return Needs((holdings,)) if self.is_kind(said) else None
        tokens = _decode_tokens(answers[holdings])
        details = None if tokens is None else self.details(address, tokens, said)
        if tokens is None or details is None:
            return None
        managed = {token: _info(vault, pool_id, token) for token in tokens if token != address}
        if absent := tuple(read for read in managed.values() if read not in answers):
            return Needs(absent)
        return Facts(
            kind=self.kind,
            tokens=tuple(managed),
            fee_ppm=-(-word(fee, 0) // _FEE_UNIT),
            factory=vault,
            details=((POOL_ID, "0x" + pool_id.hex()), *details),
            router=Router(ROUTER_KIND, vault),
            warning="; ".join(_warnings(vault, details, {token: answers[read] for token, read in managed.items()})),
        )

    def is_kind(self, said: Mapping[str, bytes | None]) -> bool:
        """Whether its tokens are worth asking for."""
        raise NotImplementedError

    def details(self, address: Address, tokens: list[Address], said: Mapping[str, bytes | None]) -> Details | None:
        """None where the pool is of another kind after all."""
        raise NotImplementedError


class WeightedPin(BalancerPin):
    """Weighted pools of fixed weights. Those with a shorter power are known by what else came with it in 2022."""

    kind = WEIGHTED
    _ASKED = ("getNormalizedWeights", "getLastInvariant", "getLastPostJoinExitInvariant")

    def is_kind(self, said: Mapping[str, bytes | None]) -> bool:
        return said["getNormalizedWeights"] is not None

    def details(self, address: Address, tokens: list[Address], said: Mapping[str, bytes | None]) -> Details | None:
        weights = _words(said["getNormalizedWeights"])
        if weights is None or len(weights) != len(tokens) or sum(weights) != ONE or not all(weights):
            return None
        is_short, is_long = said["getLastPostJoinExitInvariant"] is not None, said["getLastInvariant"] is not None
        if address in tokens or is_short == is_long:
            return None
        power = SHORT if is_short else LOGARITHM
        return ((POWER, power), *((f"{WEIGHT}{i}", weight) for i, weight in enumerate(weights)))


class StablePin(BalancerPin):
    """Stable pools of every generation: stable (2021, 2022), meta-stable, phantom, composable."""

    kind = STABLE
    _ASKED = (
        "getAmplificationParameter",
        "getBptIndex",
        "getLastJoinExitData",
        "getDueProtocolFeeBptAmount",
        "getRateProviders",
        "getScalingFactors",
    )

    def is_kind(self, said: Mapping[str, bytes | None]) -> bool:
        amp = said["getAmplificationParameter"]
        return amp is not None and len(amp) == 3 * WORD

    def details(self, address: Address, tokens: list[Address], said: Mapping[str, bytes | None]) -> Details | None:
        own, providers = said["getBptIndex"], said["getRateProviders"]
        if (own is None) != (address not in tokens):
            return None
        if own is not None:
            if len(own) != WORD or tokens.index(address) != word(own, 0):
                return None
            is_composable, is_phantom = (
                said["getLastJoinExitData"] is not None,
                said["getDueProtocolFeeBptAmount"] is not None,
            )
            if is_composable == is_phantom:
                return None
            rounding, rates = (DOWN, REFRESHED) if is_composable else (UP, AS_CACHED)
            kept: Details = ((ROUNDING, rounding), (RATES, rates), (POOL_TOKEN, tokens.index(address)))
        elif providers is not None:
            kept = ((ROUNDING, UP), (RATES, OF_PAIR))
        else:
            return ((ROUNDING, UP if said["getScalingFactors"] is None else DOWN),)
        found = _words(providers)
        if found is None or len(found) != len(tokens) or any(each >> 160 for each in found):
            return None
        others = [rate for token, rate in zip(tokens, found, strict=True) if token != address]
        made = [(i, rate.to_bytes(WORD, "big")) for i, rate in enumerate(others) if rate]
        return (*kept, *((f"{PROVIDER}{i}", address_word(rate, 0)) for i, rate in made))


def _decode_tokens(answer: bytes | None) -> list[Address] | None:
    """Tokens as the Vault registers them."""
    if answer is None or len(answer) < 4 * WORD:
        return None
    count = word(answer, 3)
    if not 1 < count <= _MAX_TOKENS or len(answer) != (5 + 2 * count) * WORD:
        return None
    if any(word(answer, 4 + i) >> 160 for i in range(count)):
        return None
    return [address_word(answer, 4 + i) for i in range(count)]


def _info(vault: Address, pool_id: bytes, token: Address) -> Read:
    return Read(vault, calldata("getPoolTokenInfo(bytes32,address)", pool_id, token))


def _warnings(vault: Address, details: Details, infos: Mapping[Address, bytes | None]) -> list[str]:
    """What a quote cannot know, and what an operator should."""
    found = [DRAINED] if dict(details).get(POOL_TOKEN) is not None else []
    if vault != VAULT:
        found.append(f"its Vault is {vault}, expected Balancer's {VAULT}")
    for token, info in infos.items():
        # (cash, managed, last change, manager)
        if info is None or len(info) != 4 * WORD or word(info, 3):
            found.append(f"what an asset manager holds of {token} counts as balance, and cannot be paid out")
    return found
