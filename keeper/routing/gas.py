"""What another swap costs, so that a pool joins a route only where it brings more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from keeper.core.chain import MarketPrice, Unusable, VaultView
from keeper.core.units import Token

SWAP_GAS: Mapping[str, int] = {
    "uniswap_v2": 44_000,
    "uniswap_v3": 66_000,
    "pancake_v3": 77_000,
    "slipstream": 80_000,
    "curve": 80_000,
    "curve_ng": 120_000,
    "curve_meta": 180_000,
    "balancer_weighted": 41_000,
    "balancer_stable": 70_000,
    "erc4626": 60_000,
    "weth": 10_000,
}
"""{gas} Of one pool within a transaction, by the pools' kind. Measured on Anvil: what the second of two pools adds to a
swap along both, a transfer included (the tests `gas_of_one_more`). Of v3 and its forks without the ticks that are
crossed, 25,000 each and 58,000 for the first time; balancer_stable is 56,000 without rates and 78,000 with two; weth
7,000 and 14,000. Estimates: Curve's, of which there is no bytecode to run, and erc4626, of which OpenZeppelin's
plainest takes 20,000 above its transfers, and those that lend their assets on take more."""
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
    wei, dear, cheap = (view.block.base_fee or 0) + (view.tip or 0), native.mid.ratio, other.mid.ratio
    # {raw / gas} = {wei / gas} * {USD / native whole} / {native raw / whole} / {USD / whole} * {raw / whole}
    return Fraction(
        wei * dear.numerator * cheap.denominator * 10**token.decimals,
        dear.denominator * cheap.numerator * 10**view.native.token.decimals,
    )
