"""What a plan of weights says of itself, in words an operator would use."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from keeper.core import text
from keeper.core.plan import AssetLine, PairBand
from keeper.core.units import Token
from keeper.strategies.trades import Sized


def listed(tokens: Sequence[Token]) -> str:
    return ", ".join(token.symbol for token in tokens)


def in_band(assets: Sequence[AssetLine]) -> str:
    """`widest drift WETH +1.20pp of ±4pp`: the asset that is nearest to leaving its band."""
    widest = max(assets, key=_nearness)
    return f"widest drift {widest.token.symbol} {text.pp(widest.drift, sign=True)} of ±{text.pp(widest.trigger)}"


def _nearness(asset: AssetLine) -> tuple[Fraction, Fraction]:
    share = abs(asset.drift) / asset.trigger if asset.trigger else Fraction(0)
    return share, abs(asset.drift)


def outside(assets: Sequence[AssetLine]) -> str:
    """`WETH is 64.35 %, 4.35pp above target and outside its band (±4pp)`: the asset that is furthest out."""
    asset = _furthest(assets)
    side = "above" if asset.drift > 0 else "below"
    return (
        f"{asset.token.symbol} is {text.percent(asset.weight)}, {text.pp(abs(asset.drift))} {side} target "
        f"and outside its band (±{text.pp(asset.trigger)})"
    )


def band_from_costs(band: PairBand) -> str:
    """`band WETH/USDC ±3.42pp → 1.1pp from gas $0.40, fee 5 bps, impact 0.9 bps for 1 % of the vault`"""
    what = f"band {band.sell.symbol}/{band.buy.symbol} ±{text.pp(band.trigger)} → {text.pp(band.destination)}"
    if band.gas is None:
        return f"{what} without estimates: {band.why}"
    impact = f"impact {text.bps(band.impact)} for 1 % of the vault"
    return f"{what} from gas {text.usd(band.gas)}, fee {text.bps(band.fee)}, {impact}"


def no_pool(assets: Sequence[AssetLine]) -> str:
    asset = _furthest(assets)
    verb, way = ("sells", "for") if asset.drift > 0 else ("buys", "with")
    return f"no pool of this vault {verb} {asset.token.symbol} {way} an asset on the other side of its target"


def rebalance(assets: Sequence[AssetLine], sized: Sequence[Sized]) -> str:
    """`WETH is …: sell 15.0696 WETH ($47,017.20) for USDC to bring WETH to 62.00 %`, and so on for every trade."""
    by_token = {asset.token: asset for asset in assets}
    return f"{outside(assets)}: {'; '.join(_trade(done, by_token[_driver(done, by_token)]) for done in sized)}"


def _trade(done: Sized, driver: AssetLine) -> str:
    trade = done.trade
    whom = driver.token.symbol
    weight = text.percent(done.after.weight(driver.token))
    what = f"sell {text.amount(trade.sell)} ({text.usd(trade.notional)}) for {trade.buy.symbol}"
    part = f", slice 1 of about {done.slices}," if done.slices > 1 else ""
    return f"{what}{part} to bring {whom} to {weight}"


def _driver(done: Sized, assets: dict[Token, AssetLine]) -> Token:
    """Whose way back this trade is: the asset outside its band, the sold one where both are."""
    return done.trade.sell.token if assets[done.trade.sell.token].is_out else done.trade.buy


def _furthest(assets: Sequence[AssetLine]) -> AssetLine:
    return max(assets, key=lambda asset: abs(asset.drift) - asset.trigger)
