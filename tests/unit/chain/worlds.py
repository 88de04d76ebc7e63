"""A vault with two feeds and one pool, and the answers that a node would give for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from keeper.chain.nodes.sight import native_balance
from keeper.chain.reading.chainlink import DECIMALS, LATEST_ROUND, ChainlinkSource
from keeper.chain.reading.prices import PriceRule
from keeper.chain.reading.views import VaultSpec, allowance, balance_of
from keeper.core.chain import Answers, Needs, Read, Unusable
from keeper.core.pools import Pool, PoolState
from keeper.core.units import USD, Address, Token, TokenAmount
from tests.builders import ACCOUNT, CHAIN, ETH, NOW, USDC, V2_ROUTER, WETH, FakePool, address
from tests.unit.chain.fake_node import words

SENDER = address(0x5E4D)
POOL = Pool(CHAIN, "paired", address(0xB001), (WETH, USDC), Fraction(3, 1000), address(0xFAC), V2_ROUTER)
RESERVES = Read(POOL.address, b"reserves")
FEEDS = {WETH: address(0xFEED1), USDC: address(0xFEED2)}


@dataclass
class PairedVenue:
    """Reads both reserves at once. `more` are follow-ups, asked for one by one while it has no last state."""

    more: Sequence[Read] = ()
    decoded: int = 0

    def reads(self, pool: Pool, last: PoolState | None) -> tuple[Read, ...]:
        return (RESERVES, *self.more) if last else (RESERVES,)

    def decode(self, pool: Pool, answers: Answers) -> PoolState | Needs | Unusable:
        self.decoded += 1
        answer = answers[RESERVES]
        if answer is None:
            return Unusable("reserves cannot be read")
        for read in self.more:
            if read not in answers:
                return Needs((read,))
        if len(answer) < 64:
            raise ValueError("expected 2 words")
        x, y = int.from_bytes(answer[:32], "big"), int.from_bytes(answer[32:], "big")
        return FakePool(pool, {WETH: x, USDC: y})

    def encode(self, *args: Any) -> Any:
        raise NotImplementedError


def rule(token: Token) -> PriceRule:
    return PriceRule((ChainlinkSource(f"chainlink {token.symbol}/USD", FEEDS[token], token, USD, 8, 3600),))


def spec(name: str = "treasury", account: Address = ACCOUNT, **changes: Any) -> VaultSpec:
    fields: dict[str, Any] = {
        "name": name,
        "account": account,
        "sender": SENDER,
        "tokens": (WETH, USDC),
        "pools": (POOL,),
        "prices": {WETH: rule(WETH), USDC: rule(USDC)},
        "native": ETH,
        "wrapped": WETH,
        "gas_reserve": 2 * 10**16,
        "spenders": (V2_ROUTER.address,),
    }
    return VaultSpec(**(fields | changes))


def answers(account: Address = ACCOUNT, **changes: bytes | None) -> dict[Read, bytes | None]:
    """4 WETH, 3,000 USDC, 1.02 ETH; WETH at 3,000 USD."""
    found: dict[Read, bytes | None] = {
        balance_of(WETH, account): words(4 * 10**18),
        balance_of(USDC, account): words(3_000 * 10**6),
        allowance(WETH, account, V2_ROUTER.address): words(7),
        allowance(USDC, account, V2_ROUTER.address): words(0),
        native_balance(account): words(102 * 10**16),
        native_balance(SENDER): words(5 * 10**17),
        RESERVES: words(1_000 * 10**18, 3_000_000 * 10**6),
    }
    for token, dollars in ((WETH, 3_000), (USDC, 1)):
        found[Read(FEEDS[token], LATEST_ROUND)] = words(1, dollars * 10**8, NOW - 60, NOW - 60, 1)
        found[Read(FEEDS[token], DECIMALS)] = words(8)
    return found


def whole(token: Token, text: str) -> TokenAmount:
    return TokenAmount.from_whole(token, text)
