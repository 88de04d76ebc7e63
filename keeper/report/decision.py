"""A decision as one JSON-ready dict: `plan`, `explain`, `--json` and the journal all render from it, and only from it.

Amounts are exact: `raw` base units and `whole` tokens, both as text. Ratios (prices, bps) are decimal text, exact where
that takes at most 36 digits. The same objects give the same dict, key for key, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from keeper.core.calls import Call
from keeper.core.chain import Block, MarketPrice, Unusable, VaultView
from keeper.core.decision import Decision
from keeper.core.foreign import printable
from keeper.core.plan import AssetLine, Draft, Hold, Order, OrderLeg, Perform, Plan, Rebalance, Simulation
from keeper.core.units import WHOLE_BPS, Address, Token, TokenAmount
from keeper.core.verdicts import Deny, Verdict
from keeper.report.cost import Cost, compute_cost
from keeper.report.forecasts import forecast_record
from keeper.report.format import decimal
from keeper.report.nouns import Record, amount, block_record, pool_record, price_record, symbol, usd
from keeper.report.pegs import peg_record
from keeper.report.routes import leg_record, trade_record
from keeper.report.schedules import schedule_record

VERSION = 1


@dataclass(frozen=True, slots=True)
class VaultMeta:
    """What a page says of a vault that its view does not: names, and whether anything may be signed."""

    name: str
    chain: str
    chain_id: int
    custody: str
    rights: tuple[str, ...] = field(default=(), kw_only=True)
    """What else is worth knowing of what the key may do, a line each."""
    mode: str
    """dry or live."""
    armed: bool = False
    config_hash: str = ""
    strategy: str = ""


Limits = Mapping[str, tuple[str, str]]
"""Guard key -> (path of the limit in the config, its origin: file, default, preset …)."""


def describe(
    decision: Decision, meta: VaultMeta, *, limits: Limits | None = None, block: Block | None = None
) -> Record:
    """Everything a person or a machine may later ask of this decision. `block` is for an unusable view."""
    view, plan, order, draft = decision.view, decision.plan, decision.order, decision.draft
    seen = view if isinstance(view, VaultView) else None
    at = seen.block if seen else block
    return {
        "version": VERSION,
        "vault": meta.name,
        "chain": meta.chain,
        "chain_id": meta.chain_id,
        "custody": meta.custody,
        "rights": list(meta.rights),
        "strategy": meta.strategy,
        "mode": meta.mode,
        "armed": meta.armed,
        "config_hash": meta.config_hash,
        "block": block_record(at) if at else None,
        "account": seen.account if seen else None,
        "sender": seen.sender if seen else None,
        "unusable": printable(view.reason) if isinstance(view, Unusable) else "",
        "plan": _plan(plan),
        "tidies": decision.tidies,
        "refused": [_verdict(denial, limits or {}) for denial in decision.refused],
        "assets": _assets(plan, seen),
        "value": usd(sum((line.value.raw for line in plan.assets), 0)) if plan.assets else None,
        "prices": [price_record(token, found) for token, found in seen.prices.items()] if seen else [],
        "native": _native(seen) if seen else None,
        "left_out": [{**pool_record(pool), "reason": printable(why)} for pool, why in seen.left_out] if seen else [],
        "trades": [trade_record(route) for route in decision.routes],
        "order": _order(order) if order else None,
        "cost": cost_record(compute_cost(order, draft, seen)) if seen else None,
        "calls": [_call(call) for call in draft.calls.sequence] if draft else [],
        "simulation": _simulation(draft.simulation, seen) if draft and seen else None,
        "refused_draft": _refused(decision.refused_draft, seen) if decision.refused_draft and seen else None,
        "gas": _gas(draft) if draft else None,
        "after": _after(plan, draft.simulation, seen) if draft and seen else [],
        "guards": [_verdict(verdict, limits or {}) for verdict in decision.verdicts],
        "breakers": [{"breaker": trip.breaker, "reason": printable(trip.reason)} for trip in decision.trips],
    }


# --- the parts -------------------------------------------------------------------------------------------------------


def _plan(plan: Plan) -> Record:
    if isinstance(plan, Perform):
        return {"kind": "perform", "code": "due", "reason": printable(plan.reason), "wanted": []}
    more = {"schedule": schedule_record(plan.schedule)} if plan.schedule else {}
    if plan.forecast:
        more["forecast"] = forecast_record(plan.forecast)
    if plan.peg:
        more["peg"] = peg_record(plan.peg)
    if isinstance(plan, Hold):
        return {"kind": "hold", "code": plan.code, "reason": printable(plan.reason), "wanted": [], **more}
    wanted = [
        {"sell": amount(trade.sell), "buy": symbol(trade.buy), "notional": amount(trade.notional)}
        for trade in plan.trades
    ]
    return {"kind": "rebalance", "code": "rebalance", "reason": printable(plan.reason), "wanted": wanted, **more}


def _assets(plan: Plan, view: VaultView | None) -> list[Record]:
    if plan.assets or view is None:
        return [_asset(line, view) for line in plan.assets]
    return [{"balance": amount(held), "price": _mid(view, token)} for token, held in view.holdings.items()]


def _asset(line: AssetLine, view: VaultView | None) -> Record:
    return {
        "balance": amount(line.balance),
        "price": _mid(view, line.token),
        "value": amount(line.value),
        "weight_bps": decimal(line.weight),
        "target_bps": decimal(Fraction(line.target)),
        "drift_bps": decimal(line.drift),
        "trigger_bps": decimal(line.trigger),
        "destination_bps": decimal(line.destination),
        "out": line.is_out,
    }


def _mid(view: VaultView | None, token: Token) -> str | None:
    found = view.prices.get(token) if view else None
    return decimal(found.mid.ratio) if isinstance(found, MarketPrice) else None


def _native(view: VaultView) -> Record:
    token = view.native.token
    return {
        "balance": amount(view.native),
        "sender": amount(view.gas_balance),
        **price_record(token, view.native_price),
    }


def _order(order: Order) -> Record:
    legs = [_order_leg(leg) for leg in order.legs]
    why = {"tolerance": printable(order.tolerance)} if order.tolerance else {}
    return {"deadline": order.deadline, "slippage_bps": str(order.slippage), "legs": legs, **why}


def _order_leg(leg: OrderLeg) -> Record:
    return {
        **leg_record(leg.leg),
        "sell": amount(leg.leg.sell),
        "quote": amount(leg.leg.quote),
        "quote_floor": amount(leg.quote_floor),
        "oracle_floor": amount(leg.oracle_floor),
        "min_out": amount(leg.min_out),
        "binds": "oracle" if leg.oracle_floor > leg.quote_floor else "quote",
    }


def cost_record(cost: Cost | None) -> Record | None:
    if cost is None:
        return None
    parts = {"pool": cost.pool, "fee": cost.fee, "basis": cost.basis, "impact": cost.impact, "gas": cost.gas}
    record: Record = {"sold": amount(cost.sold)}
    for name, part in parts.items():
        record[name] = amount(part) if part is not None else None
        record[f"{name}_bps"] = decimal(cost.bps(part)) if part is not None else None
    return record


def _call(call: Call) -> Record:
    return {
        "purpose": str(call.purpose),
        "text": printable(call.text, 300),
        "to": call.to,
        "selector": "0x" + call.selector.hex(),
        "data": "0x" + call.data.hex(),
        "value": str(call.value),
        "spends": amount(call.spends) if call.spends else None,
        "inner": [_call(inner) for inner in call.inner],
    }


def _simulation(simulation: Simulation, view: VaultView) -> Record:
    moved = [amount(TokenAmount(token, raw)) for token, raw in sorted(simulation.deltas.items(), key=_by_address)]
    return {
        "block_number": simulation.block_number,
        "ok": not simulation.failure,
        "failure": printable(simulation.failure),
        "age_blocks": simulation.block_number - view.block.number,
        "gas": [str(used) for used in simulation.gas],
        "l1_fees": [str(fee) for fee in simulation.l1_fees],
        "gas_limit": str(simulation.gas_limit),
        "fee_cap": str(simulation.fees.cap),
        "tip": None if simulation.fees.tip is None else str(simulation.fees.tip),
        "deltas": moved,
    }


def _refused(draft: Draft, view: VaultView) -> Record:
    return {
        "calls": [_call(call) for call in draft.calls.sequence],
        "simulation": _simulation(draft.simulation, view),
    }


def _by_address(item: tuple[Token, int]) -> Address:
    return item[0].address


def _gas(draft: Draft) -> Record:
    return {
        "expected": amount(draft.gas_cost),
        "usd": amount(draft.gas_value) if draft.gas_value is not None else None,
        "worst": amount(draft.max_gas_cost),
    }


def _after(plan: Plan, simulation: Simulation, view: VaultView) -> list[Record]:
    """Weights that the simulated balances come to, at the prices of the decision."""
    if simulation.failure or not isinstance(plan, Rebalance):
        return []
    values: list[tuple[AssetLine, Fraction]] = []
    for line in plan.assets:
        found = view.prices.get(line.token)
        if not isinstance(found, MarketPrice):
            return []
        after = TokenAmount(line.token, line.balance.raw + _delta(line.token, simulation, view))
        values.append((line, after.whole * found.mid.ratio))
    total = sum((value for _, value in values), Fraction(0))
    if total <= 0:
        return []
    weights = [(line, value / total * WHOLE_BPS) for line, value in values]
    return [
        {"symbol": symbol(line.token), "weight_bps": decimal(weight), "drift_bps": decimal(weight - line.target)}
        for line, weight in weights
    ]


def _delta(token: Token, simulation: Simulation, view: VaultView) -> int:
    """What the account gains of `token`; native coin that counts as its wrapped token moves with it."""
    moved = simulation.deltas.get(token, 0)
    own = view.balances.get(token)
    counts_native = own is not None and token in view.holdings and own != view.holdings[token]
    if counts_native:
        moved += sum(raw for other, raw in simulation.deltas.items() if other.is_native)
    return moved


def _verdict(verdict: Verdict, limits: Limits) -> Record:
    path, origin = limits.get(verdict.guard, ("", ""))
    refused = verdict if isinstance(verdict, Deny) else None
    return {
        "guard": verdict.guard,
        "allows": refused is None,
        "measured": printable(verdict.measured, 200),
        "limit": printable(verdict.limit, 200),
        "used": decimal(verdict.used) if verdict.used is not None else None,
        "path": path,
        "origin": origin,
        "reason": printable(refused.reason) if refused else "",
        "detail": [printable(line, 200) for line in refused.detail] if refused else [],
        "remedy": printable(refused.remedy) if refused else "",
    }
