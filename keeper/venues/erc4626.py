"""ERC-4626 vaults as a hop: an asset for its vault's shares, and back.

Quotes are those of deposit and redeem at one block. They follow from totalAssets and totalSupply by one of two rules,
and only where the vault's own previews, asked in the same batch, agree: a vault that takes a fee, or whose price runs
with the clock, is left out. Its calls carry no floor, so only a custody that checks what arrives may make them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from keeper.core import text
from keeper.core.abi import WORD, calldata, selector, word
from keeper.core.calls import Call, Purpose
from keeper.core.chain import Answers, Needs, Read, Unusable
from keeper.core.plan import OrderLeg
from keeper.core.pools import NoLiquidity, NoQuote, Paused, Pool, PoolState, Router
from keeper.core.units import Address, Token, TokenAmount
from keeper.venues.facts import Facts, parse_address
from keeper.venues.linear import Linear

KIND = "erc4626"
UNFLOORED = ("unfloored", 1)
"""Detail of pools whose calls carry no min_out."""
MAX_UINT256 = (1 << 256) - 1
MAX_DECIMALS = 36

_ASSET, _DECIMALS = calldata("asset()"), calldata("decimals()")
_ASSETS, _SUPPLY = calldata("totalAssets()"), calldata("totalSupply()")
_PREVIEW_DEPOSIT, _PREVIEW_REDEEM = "previewDeposit(uint256)", "previewRedeem(uint256)"
_LIMITS = "maxDeposit(address)", "maxRedeem(address)", "balanceOf(address)"
_FINE = 10**12
"""How far beyond a whole token the previews are asked: two rules that agree there differ by nothing in a trade."""


@dataclass(frozen=True, slots=True)
class Erc4626State:
    """A vault at one block. `shares` per `assets` is its price, virtual amounts included; both are integers because
    each direction rounds down by itself.

    `supply` are the shares that there are. `most_in` and `most_out` {raw} are what maxDeposit and maxRedeem allow, None
    where nothing does. Does not know what a vault earns until a transaction is mined.
    """

    pool: Pool
    shares: int
    assets: int
    supply: int
    most_in: int | None = None
    most_out: int | None = None

    def out_for(self, sell: TokenAmount, buy: Token) -> TokenAmount | NoQuote:
        """What deposit or redeem returns."""
        side = self.side(sell.token, buy)
        found = side.out(sell.raw) if isinstance(side, Linear) else side
        return TokenAmount(buy, found) if isinstance(found, int) else found

    def in_for(self, buy: TokenAmount, sell: Token) -> TokenAmount | NoQuote:
        """What mint or withdraw takes: the same integer as the least that deposit or redeem needs."""
        side = self.side(sell, buy.token)
        found = side.into(buy.raw) if isinstance(side, Linear) else side
        return TokenAmount(sell, found) if isinstance(found, int) else found

    def marginal(self, sell: Token, buy: Token) -> Fraction | NoQuote:
        """{buy raw / sell raw}"""
        side = self.side(sell, buy)
        return Fraction(side.up, side.down) if isinstance(side, Linear) else side

    def side(self, sell: Token, buy: Token) -> Linear | NoQuote:
        if not self.pool.trades(sell, buy):
            return NoLiquidity(f"does not trade {sell.symbol} for {buy.symbol}")
        return self._deposits() if sell == self.pool.tokens[0] else self._redemptions()

    def after(self, sell: TokenAmount, buy: Token) -> Erc4626State | NoQuote:
        """Of a vault that counts just what comes and goes; one that invests at once may round that by a unit. What a
        vault allows after a trade is its own affair: it is taken to allow so much less, and nothing more elsewhere."""
        found = self.out_for(sell, buy)
        if not isinstance(found, TokenAmount):
            return found
        if not self.supply:
            return NoLiquidity("by which rule an empty vault counts shows only once it has issued shares")
        if sell.token == self.pool.tokens[0]:
            assets, shares, most_in, most_out = sell.raw, found.raw, _less(self.most_in, sell.raw), self.most_out
        else:
            assets, shares, most_in, most_out = -found.raw, -sell.raw, self.most_in, _less(self.most_out, sell.raw)
        after = self.shares + shares, self.assets + assets, self.supply + shares
        return Erc4626State(self.pool, *after, most_in, most_out) if all(after) else NoLiquidity("the vault is empty")

    def _deposits(self) -> Linear | NoQuote:
        if self.most_in == 0:
            return Paused("maxDeposit is 0")
        # Shares are counted in 256 bits: {asset raw} = {share raw} * {asset raw / share raw}
        fits = ((MAX_UINT256 - self.supply + 1) * self.assets - 1) // self.shares
        if self.most_in is None or self.most_in > fits:
            return Linear(self.shares, self.assets, min(fits, MAX_UINT256), "as shares are counted in 256 bits")
        return Linear(self.shares, self.assets, self.most_in, "its maxDeposit")

    def _redemptions(self) -> Linear | NoQuote:
        if self.most_out == 0:
            return Paused("maxRedeem is 0")
        if not self.supply:
            return NoLiquidity("the vault has issued no shares")
        if self.most_out is None or self.most_out > self.supply:
            return Linear(self.assets, self.shares, self.supply, "all shares that there are")
        return Linear(self.assets, self.shares, self.most_out, "its maxRedeem")


def _less(most: int | None, used: int) -> int | None:
    return None if most is None else most - used


@dataclass(frozen=True, slots=True)
class Erc4626:
    """Venue of vaults. `accounts` are those that may trade with them: limits are asked for each, and the tightest
    counts. A maxRedeem that is all that an account has bounds nothing: no trade sells more than that."""

    accounts: tuple[Address, ...] = ()

    def reads(self, pool: Pool, last: PoolState | None) -> tuple[Read, ...]:  # noqa: ARG002  always the same
        probes = (Read(pool.address, data) for data, _, _ in _probes_of(pool))
        limits = (read for account in self.accounts for read in _limits(pool.address, account))
        return Read(pool.address, _ASSETS), Read(pool.address, _SUPPLY), *probes, *limits

    def decode(self, pool: Pool, answers: Answers) -> Erc4626State | Needs | Unusable:
        reads = self.reads(pool, None)
        if absent := tuple(read for read in reads if read not in answers):
            return Needs(absent)
        if silent := next((read for read in reads if len(answers[read] or b"") != WORD), None):
            return Unusable(f"{_name(silent)} does not answer")
        figures = {read: word(answers[read] or b"", 0) for read in reads}
        assets, supply = (figures[Read(pool.address, data)] for data in (_ASSETS, _SUPPLY))
        price = _price(pool, figures, assets, supply)
        if isinstance(price, Unusable):
            return price
        most_in, most_out = self._most(pool, figures)
        return Erc4626State(pool, *price, supply, most_in, most_out)

    def _most(self, pool: Pool, figures: dict[Read, int]) -> tuple[int | None, int | None]:
        most_in: list[int] = []
        most_out: list[int] = []
        for account in self.accounts:
            deposit, redeem, balance = (figures[read] for read in _limits(pool.address, account))
            most_in += [deposit] if deposit < MAX_UINT256 else []
            most_out += [redeem] if redeem < balance else []
        return min(most_in, default=None), min(most_out, default=None)

    def encode(self, leg: OrderLeg, recipient: Address, deadline: int) -> Call:  # noqa: ARG002  these calls have none
        """Raises ValueError where the leg is not one vault's, or a floor is missing: the custody checks it."""
        sell, vault = leg.leg.sell, leg.leg.pool
        if len(leg.leg.pools) != 1 or sell.raw <= 0 or leg.min_out.raw <= 0:
            raise ValueError(f"{leg.leg.label}: expected one vault and amounts above 0, was {sell.raw} raw")
        sought = f"for at least {text.amount(leg.min_out)}, which its own call does not check"
        if sell.token == vault.tokens[0]:
            data, says = calldata("deposit(uint256,address)", sell.raw, recipient), "deposit"
            return Call(vault.address, data, 0, Purpose.SWAP, f"{says} {text.amount(sell)} {sought}", sell)
        data = calldata("redeem(uint256,address,address)", sell.raw, recipient, recipient)
        # Nobody needs an allowance of one's own shares.
        return Call(vault.address, data, 0, Purpose.SWAP, f"redeem {text.amount(sell)} {sought}", parts=(sell,))


# --- the price -------------------------------------------------------------------------------------------------------


def _price(pool: Pool, figures: dict[Read, int], assets: int, supply: int) -> tuple[int, int] | Unusable:
    """{share raw} per {asset raw}, by the rule that the vault's own previews confirm."""
    wrong = ""
    for shares_in, assets_in in _rules(pool, assets, supply):
        for data, amount, is_deposit in _probes_of(pool):
            up, down = (shares_in, assets_in) if is_deposit else (assets_in, shares_in)
            expected, found = amount * up // down, figures[read := Read(pool.address, data)]
            if expected != found:
                wrong = wrong or f"{_name(read)}: expected {expected} of {amount} by its totals, was {found}"
                break
        else:
            return shares_in, assets_in
    return Unusable(wrong or "its totals make no price")


def _rules(pool: Pool, assets: int, supply: int) -> Iterator[tuple[int, int]]:
    """With the virtual shares and the virtual asset of OpenZeppelin 5, and plainly; the first share costs one asset."""
    yield supply + 10 ** int(pool.detail("offset")), assets + 1
    if assets and supply:
        yield supply, assets
    elif not supply:
        yield 1, 1


@lru_cache(maxsize=1 << 8)
def _probes(asset_decimals: int, share_decimals: int) -> tuple[tuple[bytes, int, bool], ...]:
    """Calldata of a preview, its amount, and whether it is of a deposit."""
    wholes = (_PREVIEW_DEPOSIT, 10**asset_decimals, True), (_PREVIEW_REDEEM, 10**share_decimals, False)
    return tuple(
        (calldata(signature, amount), amount, is_deposit)
        for signature, whole, is_deposit in wholes
        for amount in (whole, whole * _FINE)
    )


def _probes_of(pool: Pool) -> tuple[tuple[bytes, int, bool], ...]:
    asset, share = pool.tokens
    return _probes(asset.decimals, share.decimals)


@lru_cache(maxsize=1 << 12)
def _limits(vault: Address, account: Address) -> tuple[Read, ...]:
    return tuple(Read(vault, calldata(signature, account)) for signature in _LIMITS)


_NAMES = {
    selector(signature): signature.partition("(")[0]
    for signature in ("totalAssets()", "totalSupply()", _PREVIEW_DEPOSIT, _PREVIEW_REDEEM, *_LIMITS)
}


def _name(read: Read) -> str:
    return f"{_NAMES[read.data[:4]]}()"


# --- recognising -----------------------------------------------------------------------------------------------------


class Erc4626Pin:
    """Recognises a vault, whose shares are its own token. Asks once more, for the decimals of its asset."""

    def reads(self, address: Address) -> tuple[Read, ...]:
        return tuple(Read(address, data) for data in (_ASSET, _ASSETS, _SUPPLY, _DECIMALS))

    def pin(self, address: Address, answers: Answers) -> Facts | Needs | None:
        asset, *figures = (answers.get(read) for read in self.reads(address))
        of = parse_address(asset)
        if of is None or of == address or any(len(figure or b"") != WORD for figure in figures):
            return None
        read = Read(of, _DECIMALS)
        if read not in answers:
            return Needs((read,))
        mine, its = _decimals(figures[-1]), _decimals(answers[read])
        if mine is None or its is None:
            return None
        details = ("offset", max(mine - its, 0)), UNFLOORED
        warning = "its calls carry no floor: what arrives is checked by the custody alone"
        return Facts(KIND, (of, address), 0, address, 0, details, Router(KIND, address, (of, address)), warning)


def _decimals(answer: bytes | None) -> int | None:
    figure = word(answer, 0) if answer is not None and len(answer) == WORD else MAX_DECIMALS + 1
    return figure if figure <= MAX_DECIMALS else None
