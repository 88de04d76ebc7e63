from collections.abc import Mapping, Sequence

import pytest
from eth_abi.abi import encode

from keeper.core.abi import calldata
from keeper.core.chain import Needs, Read
from keeper.core.units import Address
from keeper.venues.balancer_fixed import ONE
from keeper.venues.balancer_pin import DRAINED, VAULT, BalancerPin, StablePin, WeightedPin
from keeper.venues.facts import Facts
from tests.builders import address
from tests.unit.venues.balancer_pools import AT, FEE, ID, ONE_TOKEN, ZERO, holdings, words

PAIR = [ZERO.address, ONE_TOKEN.address]
OWN = [ZERO.address, ONE_TOKEN.address, AT]
PROVIDER, NOBODY = address(0xF00), address(0)


def list_of(kind: str, *values: object) -> bytes:
    return encode([f"{kind}[]"], [values])


COMMON: dict[str, bytes] = {
    "getPoolId": ID,
    "getVault": words(int(VAULT, 16)),
    "getSwapFeePercentage": words(FEE),
    "getPausedState": words(0, 0, 0),
}
WEIGHTS = {"getNormalizedWeights": list_of("uint256", ONE * 4 // 5, ONE // 5)}
LONG = COMMON | WEIGHTS | {"getLastInvariant": words(1)}
SHORT = COMMON | WEIGHTS | {"getLastPostJoinExitInvariant": words(1)}
AMP = COMMON | {"getAmplificationParameter": words(200_000, 0, 1_000)}
META = AMP | {"getRateProviders": list_of("address", PROVIDER, NOBODY), "getScalingFactors": words(0)}
BPT = AMP | {"getBptIndex": words(2), "getRateProviders": list_of("address", NOBODY, PROVIDER, NOBODY)}
COMPOSABLE = BPT | {"getLastJoinExitData": words(0, 0), "getScalingFactors": words(0)}
PHANTOM = BPT | {"getDueProtocolFeeBptAmount": words(0), "getScalingFactors": words(0)}


def pinned(
    pin: BalancerPin,
    said: Mapping[str, bytes],
    tokens: Sequence[str] = PAIR,
    vault: Address = VAULT,
    manager: Address = NOBODY,
) -> Facts | None:
    """Asked until it has enough, as at a start; a function that is not in `said` reverts."""
    known = {calldata(f"{name}()"): answer for name, answer in said.items()}
    info = words(1, 0, 7, int(manager, 16))
    answers: dict[Read, bytes | None] = {read: known.get(read.data) for read in pin.reads(AT)}
    for _ in range(4):
        found = pin.pin(AT, answers)
        if not isinstance(found, Needs):
            return found
        for read in found.reads:
            assert read.to == vault
            asks_tokens = read.data == calldata("getPoolTokens(bytes32)", ID)
            answers[read] = holdings(tokens, [1] * len(tokens)) if asks_tokens else info
    raise AssertionError("the pin never has enough")


def test_pin__a_weighted_pool__keeps_its_weights_and_its_power() -> None:
    for said, power in ((LONG, "logarithm"), (SHORT, "short")):
        facts = pinned(WeightedPin(), said)
        assert facts is not None
        assert (facts.kind, facts.tokens, facts.fee_ppm, facts.warning) == ("balancer_weighted", tuple(PAIR), 3_000, "")
        assert facts.router is not None
        assert (facts.router.kind, facts.router.address, facts.factory) == ("balancer_vault", VAULT, VAULT)
        pool_id = ("pool_id", "0x" + ID.hex())
        assert facts.details == (pool_id, ("power", power), ("weight0", ONE * 4 // 5), ("weight1", ONE // 5))


@pytest.mark.parametrize(
    ("said", "tokens", "details"),
    [
        (AMP, PAIR, {"rounding": "up"}),
        (AMP | {"getScalingFactors": words(0)}, PAIR, {"rounding": "down"}),
        (META, PAIR, {"rounding": "up", "rates": "of_pair", "rate_provider0": PROVIDER}),
        (PHANTOM, OWN, {"rounding": "up", "rates": "as_cached", "pool_token": 2, "rate_provider1": PROVIDER}),
        (COMPOSABLE, OWN, {"rounding": "down", "rates": "refreshed", "pool_token": 2, "rate_provider1": PROVIDER}),
    ],
    ids=["stable 2021", "stable 2022", "meta", "phantom", "composable"],
)
def test_pin__a_stable_pool__is_of_its_generation(
    said: dict[str, bytes], tokens: list[str], details: dict[str, int | str]
) -> None:
    facts = pinned(StablePin(), said, tokens)
    assert facts is not None
    assert facts.tokens == tuple(PAIR)
    assert dict(facts.details) == {"pool_id": "0x" + ID.hex()} | details
    assert (DRAINED in facts.warning) == ("pool_token" in details)


def test_pin__a_provider_behind_the_pools_own_token__counts_without_it() -> None:
    said = COMPOSABLE | {"getBptIndex": words(0), "getRateProviders": list_of("address", NOBODY, NOBODY, PROVIDER)}
    facts = pinned(StablePin(), said, [AT, *PAIR])
    assert facts is not None
    assert dict(facts.details)["rate_provider1"] == PROVIDER
    assert dict(facts.details)["pool_token"] == 0


def test_pin__a_fee_of_parts_of_a_ppm__is_rounded_up() -> None:
    facts = pinned(WeightedPin(), SHORT | {"getSwapFeePercentage": words(42_500_000_000_001)})
    assert facts is not None
    assert facts.fee_ppm == 43


def test_pin__what_an_operator_should_know__is_said() -> None:
    other = address(0xBA2)
    facts = pinned(WeightedPin(), SHORT | {"getVault": words(int(other, 16))}, vault=other, manager=PROVIDER)
    assert facts is not None
    assert f"its Vault is {other}, expected Balancer's {VAULT}" in facts.warning
    assert f"what an asset manager holds of {ZERO.address} counts as balance" in facts.warning


@pytest.mark.parametrize(
    ("pin", "said", "tokens"),
    [
        (WeightedPin(), {}, PAIR),
        (WeightedPin(), AMP, PAIR),
        (StablePin(), SHORT, PAIR),
        (WeightedPin(), SHORT | {"getPoolId": b"\1" + ID[1:]}, PAIR),
        (WeightedPin(), SHORT | {"getVault": words(0)}, PAIR),
        (WeightedPin(), SHORT | {"getSwapFeePercentage": words(ONE)}, PAIR),
        (WeightedPin(), SHORT | {"getGradualWeightUpdateParams": words(0, 0)}, PAIR),
        (WeightedPin(), SHORT | LONG, PAIR),
        (WeightedPin(), COMMON | WEIGHTS, PAIR),
        (WeightedPin(), SHORT, [*PAIR, address(0xE1)]),
        (WeightedPin(), SHORT, [ZERO.address, AT]),
        (WeightedPin(), SHORT | {"getNormalizedWeights": list_of("uint256", ONE, ONE)}, PAIR),
        (WeightedPin(), SHORT | {"getNormalizedWeights": words(1)}, PAIR),
        (StablePin(), AMP, OWN),
        (StablePin(), COMPOSABLE, PAIR),
        (StablePin(), COMPOSABLE | {"getBptIndex": words(1)}, OWN),
        (StablePin(), COMPOSABLE | PHANTOM, OWN),
        (StablePin(), COMPOSABLE | {"getRateProviders": list_of("address", NOBODY)}, OWN),
        (StablePin(), COMPOSABLE | {"getRateProviders": list_of("uint256", 1 << 160, 0, 0)}, OWN),
        (StablePin(), AMP | {"getAmplificationParameter": words(200)}, PAIR),
    ],
)
def test_pin__anything_else__is_none(pin: BalancerPin, said: dict[str, bytes], tokens: list[str]) -> None:
    assert pinned(pin, said, tokens) is None


def test_pin__a_vault_that_does_not_know_the_pool__is_none() -> None:
    reads = WeightedPin().reads(AT)
    known = {calldata(f"{name}()"): answer for name, answer in SHORT.items()}
    answers: dict[Read, bytes | None] = {read: known.get(read.data) for read in reads}
    asked = WeightedPin().pin(AT, answers)
    assert isinstance(asked, Needs)
    for told in (None, b"", words(96, 192, 7, 2, 1 << 160, 1, 2, 1, 1), holdings(PAIR, [1, 1])[:-32]):
        assert WeightedPin().pin(AT, answers | dict.fromkeys(asked.reads, told)) is None
