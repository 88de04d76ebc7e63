"""What another swap costs, so that a pool joins a route only where it brings more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from keeper.core.chain import MarketPrice, Unusable, VaultView
from keeper.core.units import Token

SWAP_GAS: Mapping[str, int] = {
    "uniswap_v2": 50_000,
    "uniswap_v3": 65_000,
    "pancake_v3": 70_000,
    "slipstream": 75_000,
    "curve": 80_000,
    "curve_ng": 120_000,
    "curve_meta": 180_000,
    "balancer_weighted": 40_000,
    "balancer_stable": 70_000,
    "erc4626": 60_000,
    "weth": 10_000,
}
"""{gas} Of one pool within a transaction, by the pools' kind: estimates, to one digit. Balancer's are what whole swaps
took on Anvil (weighted 99,000, stable 115,000, with rates 148,000) less the transaction and LEG_GAS; the others what
such swaps usually take, less the same. Which pools earn their gas depends little on the second digit."""
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
