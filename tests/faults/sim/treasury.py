"""What the keeper in the simulation keeps: vaults of WETH and USDC, half and half, each with a key of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeper.chain.reading.prices import FixedSource, PriceRule
from keeper.chain.reading.views import VaultSpec
from keeper.chain.sending.fees import FeePolicy
from keeper.core.abi import word
from keeper.core.calls import Call, Calls, Purpose
from keeper.core.chain import Answers, Read, Reading, Unusable, VaultView
from keeper.core.plan import OrderLeg, Trade
from keeper.core.pools import Pool, PoolState, Router
from keeper.core.units import USD, Address, Price, Wei
from keeper.guards import CoolDown, MaxTrades, NoCrossing, Paused
from keeper.routing.floors import Floors
from keeper.routing.single import SinglePool
from keeper.strategies.bands import Band, Bands
from keeper.strategies.weights import Weights
from tests.builders import CHAIN, ETH, USDC, WETH, FakePool, address
from tests.faults.sim.ledger import FEE, ORACLE, encode_tx, swap_data

GWEI = 10**9
POLICY = FeePolicy(Wei(200 * GWEI), Wei(20 * GWEI), Wei(GWEI // 10))
PATIENCE, DEADLINE, COOL_DOWN = 60, 240, 30
"""{s}"""
TRIGGER, SLIPPAGE, MAX_DEVIATION = 200, 50, 50
"""{bps}"""

VAULTS: Mapping[str, tuple[Address, Address]] = {
    "one": (address(0xACC1), address(0xB001)),
    "two": (address(0xACC2), address(0xB001)),
    "three": (address(0xACC3), address(0xB002)),
}
"""Account and pool: the first two want the same pool."""


@dataclass(frozen=True, slots=True)
class OracleSource:
    """WETH in USD, as the ledger has it."""

    name: str = "oracle"

    def reads(self) -> tuple[Read, ...]:
        return (_ORACLE_READ,)

    def price(self, answers: Answers, now: int) -> Reading | Unusable:
        answer = answers.get(_ORACLE_READ)
        if answer is None or len(answer) < 32:
            return Unusable("oracle: no answer")
        return Reading(self.name, Price(WETH, USD, Fraction(word(answer, 0), 10**8)))


_ORACLE_READ = Read(ORACLE, b"\x01")


@dataclass(frozen=True, slots=True)
class SimVenue:
    """The ledger's own pools."""

    def reads(self, pool: Pool, last: PoolState | None) -> tuple[Read, ...]:
        return (Read(pool.address, b"\x02"),)

    def decode(self, pool: Pool, answers: Answers) -> PoolState | Unusable:
        answer = answers.get(Read(pool.address, b"\x02"))
        if answer is None or len(answer) < 64:
            return Unusable("no reserves")
        return FakePool(pool, {WETH: word(answer, 0), USDC: word(answer, 1)})

    def encode(self, leg: OrderLeg, recipient: Address, deadline: int) -> Call:
        data = swap_data(leg.leg.sell.token.address, leg.leg.sell.raw, leg.min_out.raw, deadline)
        return Call(leg.leg.pool.address, data, 0, Purpose.SWAP, f"sell {leg.leg.sell.token.symbol}", leg.leg.sell)


class Direct:
    """Custody without approvals: one swap is one transaction."""

    def take(self, trades: Sequence[Trade], view: VaultView) -> Sequence[Trade]:
        return trades[:1]

    def wrap(self, calls: Sequence[Call], view: VaultView) -> Calls:
        return Calls(tuple(calls))

    def tidy(self, view: VaultView) -> Calls | None:
        return None

    def authority(self, view: VaultView) -> Unusable:
        return Unusable("nobody asks")


@dataclass(frozen=True, slots=True)
class SimSigner:
    """Signs without a key; the ledger believes whom it names."""

    address: Address
    hit: Callable[[str, Mapping[str, object]], None] = lambda moment, transaction: None
    is_here: bool = True

    def sign(self, transaction: Mapping[str, object]) -> bytes:
        self.hit("before", transaction)
        raw = encode_tx(self.address, transaction)
        self.hit("after", transaction)
        return raw


def pool_at(where: Address) -> Pool:
    return Pool(CHAIN, "sim", where, (WETH, USDC), FEE, address(0xFAC), Router("sim", where))


def spec_of(name: str) -> VaultSpec:
    account, pool = VAULTS[name]
    fixed = PriceRule((FixedSource("fixed", Price(USDC, USD, Fraction(1))),))
    ether = PriceRule((FixedSource("fixed", Price(ETH, USD, Fraction(3_000))),))
    return VaultSpec(
        name=name,
        account=account,
        sender=account,
        tokens=(WETH, USDC),
        pools=(pool_at(pool),),
        prices={WETH: PriceRule((OracleSource(),)), USDC: fixed},
        native=ETH,
        native_price=ether,
        counts_native=False,
    )


def parts() -> dict[str, object]:
    """The same for every vault: keyword arguments of cycle.Vault."""
    return {
        "strategy": Weights({WETH: 5_000, USDC: 5_000}, Bands(Band(TRIGGER), Band(20))),
        "custody": Direct(),
        "routing": SinglePool(Floors(SLIPPAGE, MAX_DEVIATION, DEADLINE)),
        "venues": {"sim": SimVenue()},
        "guards": (CoolDown(COOL_DOWN), MaxTrades(1_000, 86_400), NoCrossing(None), Paused()),
    }
