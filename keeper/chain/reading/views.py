"""From answers to views: what a vault holds, what it is worth and where it could trade. Pure.

The same spec, block, answers and history give the same view, so a decision can be made again from the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from keeper.chain.nodes.sight import native_balance
from keeper.chain.reading.prices import PriceRule, combine
from keeper.core.abi import WORD, calldata, word
from keeper.core.chain import Answers, Block, History, MarketPrice, Needs, Read, Reading, Unusable, VaultView
from keeper.core.pools import Pool, PoolState
from keeper.core.ports import PriceSource, Venue
from keeper.core.units import Address, Token, TokenAmount, Wei

MAX_BALANCE = 1 << 160
"""Beyond any honest token's supply; a contract that says more is not believed."""


@dataclass(frozen=True, slots=True)
class VaultSpec:
    """What must be read for one vault, as pinned at start."""

    name: str
    account: Address
    sender: Address | None
    tokens: tuple[Token, ...]
    pools: tuple[Pool, ...]
    prices: Mapping[Token, PriceRule]
    native: Token
    wrapped: Token | None = None
    native_price: PriceRule | None = None
    """Falls back to the wrapped token's rule."""
    gas_reserve: int = 0
    """{wei} Native coin that never counts as a holding."""
    counts_native: bool = True
    """The account's native coin above the gas reserve counts as the wrapped token."""
    spenders: tuple[Address, ...] = ()
    """Routers whose allowances over the account's tokens are read."""
    left_out: tuple[tuple[Pool, str], ...] = ()
    """Pools of the configuration that were not as declared at start."""
    extra: tuple[Read, ...] = ()
    """What the vault's strategy and custody ask for themselves, as they need it; a failed one is theirs to judge."""
    direct: tuple[Read, ...] = ()
    """The same, each as a call of its own from nobody, with what its revert says (core/replies.py)."""

    def __post_init__(self) -> None:
        if any(token.is_native for token in self.tokens):
            raise ValueError(f"{self.name}: native coin is held as its wrapped token, not as a token of its own")

    @property
    def native_rule(self) -> PriceRule | None:
        return self.native_price or (self.prices.get(self.wrapped) if self.wrapped else None)

    @property
    def sources(self) -> tuple[PriceSource, ...]:
        rules = [*self.prices.values(), *([self.native_rule] if self.native_rule else [])]
        return tuple(dict.fromkeys(source for rule in rules for source in rule.sources))

    def price_reads(self) -> tuple[Read, ...]:
        return tuple(dict.fromkeys(read for source in self.sources for read in source.reads()))

    def account_reads(self) -> tuple[Read, ...]:
        """Balances and allowances, without pools and prices."""
        balances = [balance_of(token, self.account) for token in self.tokens]
        allowances = [allowance(token, self.account, to) for token in self.tokens for to in self.spenders]
        natives = [native_balance(address) for address in (self.account, self.sender) if address]
        return tuple(dict.fromkeys([*balances, *allowances, *natives]))


@lru_cache(maxsize=65_536)
def balance_of(token: Token, holder: Address) -> Read:
    return Read(token.address, calldata("balanceOf(address)", holder))


@lru_cache(maxsize=65_536)
def allowance(token: Token, owner: Address, spender: Address) -> Read:
    return Read(token.address, calldata("allowance(address,address)", owner, spender))


# --- what vaults share, decoded once -----------------------------------------------------------------------------


@dataclass(slots=True)
class Decoded:
    """Pools and prices of one block, each worked out once however many vaults ask for it."""

    block: Block
    answers: Answers
    venues: Mapping[str, Venue]
    _pools: dict[Address, PoolState | Needs | Unusable] = field(default_factory=dict)
    _opinions: dict[PriceSource, Reading | Unusable] = field(default_factory=dict)
    _prices: dict[tuple[Token, PriceRule], MarketPrice | Unusable] = field(default_factory=dict)

    def pool(self, pool: Pool) -> PoolState | Needs | Unusable:
        if pool.address not in self._pools:
            self._pools[pool.address] = self._decode(pool)
        return self._pools[pool.address]

    def _decode(self, pool: Pool) -> PoolState | Needs | Unusable:
        venue = self.venues.get(pool.kind)
        if venue is None:
            return Unusable(f"no venue for {pool.kind}")
        try:
            return venue.decode(pool, self.answers)
        except ValueError as error:
            # A pool whose answers have the wrong shape must not take the other pools with it.
            return Unusable(f"answers cannot be decoded: {error}")
        except Exception as error:  # noqa: BLE001  nor may one that its decoder does not know how to refuse
            return Unusable(f"answers cannot be decoded: {type(error).__name__}: {error}")

    def opinion(self, source: PriceSource) -> Reading | Unusable:
        if source not in self._opinions:
            self._opinions[source] = self._price(source)
        return self._opinions[source]

    def _price(self, source: PriceSource) -> Reading | Unusable:
        try:
            return source.price(self.answers, self.block.timestamp)
        except Exception as error:  # noqa: BLE001  one source's fault is no reason to know no price at all
            return Unusable(f"{source.name}: cannot be decoded: {type(error).__name__}: {error}")

    def price(self, token: Token, rule: PriceRule | None) -> MarketPrice | Unusable:
        if rule is None:
            return Unusable(f"{token.symbol}: no price source")
        key = token, rule
        if key not in self._prices:
            self._prices[key] = combine(token, rule, [self.opinion(source) for source in rule.sources])
        return self._prices[key]


# --- one vault -----------------------------------------------------------------------------------------------------


def build_view(
    spec: VaultSpec,
    block: Block,
    answers: Answers,
    history: History,
    tip: Wei | None,
    venues: Mapping[str, Venue],
    shared: Decoded | None = None,
) -> VaultView | Unusable:
    """The vault at this block, or why its holdings cannot be known. `shared` saves decoding again what another vault
    has; without it the view is the same."""
    decoded = shared or Decoded(block, answers, venues)
    figures: dict[Read, int] = {}
    for read in spec.account_reads():
        figure = _figure(answers.get(read))
        if figure is None:
            return Unusable(f"{_told(spec, read)} cannot be read")
        figures[read] = figure
    balances = {token: TokenAmount(token, figures[balance_of(token, spec.account)]) for token in spec.tokens}
    if wrong := next((amount for amount in balances.values() if amount.raw >= MAX_BALANCE), None):
        return Unusable(f"{wrong.token.symbol} balance of {spec.account}: {wrong.raw} is beyond belief")
    native = TokenAmount(spec.native, figures[native_balance(spec.account)])
    gas = TokenAmount(spec.native, figures[native_balance(spec.sender)] if spec.sender else 0)
    pools, left_out = _pools(spec.pools, decoded)
    return VaultView(
        vault=spec.name,
        block=block,
        account=spec.account,
        sender=spec.sender,
        holdings=_holdings(spec, balances, native),
        native=native,
        gas_balance=gas,
        native_price=decoded.price(spec.native, spec.native_rule),
        prices={token: decoded.price(token, spec.prices.get(token)) for token in spec.tokens},
        pools=pools,
        left_out=(*spec.left_out, *left_out),
        allowances={
            (token, to): figures[allowance(token, spec.account, to)] for token in spec.tokens for to in spec.spenders
        },
        balances=balances,
        history=history,
        tip=tip,
        extra={read: answers.get(read) for read in (*spec.extra, *spec.direct)},
    )


def _figure(answer: bytes | None) -> int | None:
    return None if answer is None or len(answer) < WORD else word(answer, 0)


def _told(spec: VaultSpec, read: Read) -> str:
    """A read in an operator's words."""
    for token in spec.tokens:
        if read == balance_of(token, spec.account):
            return f"{token.symbol} balance of {spec.account}"
        if read.to == token.address:
            return f"{token.symbol} allowance of {spec.account}"
    return "native balance"


def _holdings(
    spec: VaultSpec, balances: Mapping[Token, TokenAmount], native: TokenAmount
) -> Mapping[Token, TokenAmount]:
    holdings = dict(balances)
    if spec.counts_native and spec.wrapped in holdings:
        # {wrapped raw} = {native wei}: a wrapped coin has its native's decimals.
        spare = max(0, native.raw - spec.gas_reserve)
        holdings[spec.wrapped] = holdings[spec.wrapped] + TokenAmount(spec.wrapped, spare)
    return holdings


def _pools(pools: Iterable[Pool], decoded: Decoded) -> tuple[tuple[PoolState, ...], tuple[tuple[Pool, str], ...]]:
    usable, left_out = [], []
    for pool in pools:
        state = decoded.pool(pool)
        if isinstance(state, Unusable):
            left_out.append((pool, state.reason))
        elif isinstance(state, Needs):
            left_out.append((pool, f"needs {len(state.reads)} more reads than one tick allows"))
        else:
            usable.append(state)
    return tuple(usable), tuple(left_out)
