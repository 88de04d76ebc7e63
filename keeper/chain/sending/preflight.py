"""What would make a node, or the chain, refuse a transaction: found before a nonce is used. Pure."""

from __future__ import annotations

from keeper.chain.sending.fees import TX_GAS_CAP
from keeper.core.chain import VaultView
from keeper.core.plan import Fees
from keeper.core.records import NewIntent
from keeper.core.text import amount
from keeper.core.units import TokenAmount


def objection(
    new: NewIntent, view: VaultView, fees: Fees, chain_id: int, has_signer: bool, *, legacy: bool, l1_fee: int = 0
) -> str:
    """The first reason not to sign, or an empty string. `l1_fee` is {wei} charged beside gas times price."""
    block = view.block
    if not has_signer:
        return f"no signer for {new.sender} is loaded"
    if not new.chain_id == block.chain_id == chain_id:
        return f"chain id: expected {chain_id}, was {new.chain_id} (block: {block.chain_id})"
    if new.deadline <= block.timestamp:
        return f"its deadline passed {block.timestamp - new.deadline} s ago"
    most = min(block.gas_limit, TX_GAS_CAP)
    if not 0 < new.gas_limit <= most:
        return f"gas limit: expected 1 to {most:,}, was {new.gas_limit:,}"
    return _fee_objection(fees, view, legacy) or _gas_objection(new, view, fees, l1_fee)


def _fee_objection(fees: Fees, view: VaultView, legacy: bool) -> str:
    if (fees.tip is None) != legacy:
        return f"fees: expected {'a gas price' if legacy else 'a cap and a tip'}, found the other kind"
    if fees.tip is not None and fees.tip > fees.cap:
        return f"fees: tip {fees.tip:,} wei is above the cap {fees.cap:,} wei"
    if fees.cap < (view.block.base_fee or 0):
        return f"fees: the cap {fees.cap:,} wei is below the base fee {view.block.base_fee:,} wei"
    return ""


def _gas_objection(new: NewIntent, view: VaultView, fees: Fees, l1_fee: int) -> str:
    # {wei} = {gas} * {wei / gas} + {wei} + {wei}
    worst = TokenAmount(view.gas_balance.token, new.gas_limit * fees.cap + new.call.value + l1_fee)
    if worst > view.gas_balance:
        return f"sender {new.sender} holds {amount(view.gas_balance)}, the worst case needs {amount(worst)}"
    return ""
