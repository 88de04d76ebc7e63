"""What another swap costs, so that a pool joins a route only where it brings more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from keeper.core.chain import MarketPrice, Unusable, VaultView
from keeper.core.units import Token

SWAP_GAS: Mapping[str, int] = {
    "uniswap_v2": 60_000,
    "uniswap_v3": 85_000,
    "pancake_v3": 90_000,
    "slipstream": 95_000,
    "curve": 110_000,
    "curve_ng": 150_000,
    "curve_meta": 180_000,
    "balancer_weighted": 90_000,
    "balancer_stable": 120_000,
    "erc4626": 90_000,
}
"""{gas} Of one pool within a transaction, by the pools' kind. Uniswap's as the routers of this repository's tests use
on Anvil, less the 21,000 of a transaction; the others are what their pools' swaps are known to take, to one digit.
Which pools earn their gas depends little on the second digit: a wrong one costs a few thousand gas."""
OTHER_GAS = 150_000
LEG_GAS = 40_000
"""{gas} Of one more call: the token's two transfers, its share of an approval, and the custody's checks."""


@dataclass(frozen=True, slots=True)
class Gas:
    """{gas} `swap` by a pool's kind and `leg` for each call."""

    swap: Mapping[str, int] = field(default_factory=lambda: SWAP_GAS)
    leg: int = LEG_GAS

    def of(self, kind: str, begins: bool) -> int:
        """{gas} Of a swap in a pool of this kind; `begins` where it is the first of its call."""
        return self.swap.get(kind, OTHER_GAS) + self.leg * begins


def gas_price(view: VaultView, token: Token) -> Fraction | Unusable:
    """{raw of `token` / gas} At the block's base fee and the tip that is usual; a legacy chain has one price."""
    native, other = view.native_price, view.prices.get(token)
    if isinstance(native, Unusable):
        return native
    if not isinstance(other, MarketPrice):
        return other or Unusable(f"{token.symbol}: no price")
    wei = Fraction((view.block.base_fee or 0) + (view.tip or 0))
    # {raw / gas} = {wei / gas} * {USD / native whole} / {native raw / whole} / {USD / whole} * {raw / whole}
    worth: Fraction = native.mid.ratio / 10**view.native.token.decimals / other.mid.ratio * 10**token.decimals
    return wei * worth
