"""What a key could take at most: everything, nothing, or what lies between (custody/roles.py, custody/contract.py).

Figures are upper bounds at the prices of the view's block. What cannot be read is not guessed: then there is no figure.
"""

from __future__ import annotations

from collections.abc import Iterator

from keeper.core import text
from keeper.core.abi import calldata
from keeper.core.authority import Most, WorstLoss
from keeper.core.chain import Read, Unusable, VaultView
from keeper.core.units import USD, Address, Rounding, TokenAmount
from keeper.custody.answers import figure

NOT_COUNTED = "tokens that this configuration does not name are not counted"


# --- worth -----------------------------------------------------------------------------------------------------------


def worth(view: VaultView, amount: TokenAmount) -> TokenAmount | Unusable:
    """{numeraire} At mid, rounded up; of nothing it is nothing, whatever the price."""
    if not amount:
        return TokenAmount.zero(USD)
    price = view.native_price if amount.token.is_native else view.prices.get(amount.token)
    if price is None or isinstance(price, Unusable):
        return Unusable(f"price of {amount.token.symbol}: {price.reason if price else 'none'}")
    return price.mid.value(TokenAmount(price.mid.base, amount.raw), Rounding.UP)


def total_worth(view: VaultView, amounts: Iterator[TokenAmount]) -> TokenAmount | Unusable:
    total = TokenAmount.zero(USD)
    for amount in amounts:
        value = worth(view, amount)
        if isinstance(value, Unusable):
            return value
        total = total + value
    return total


def everything_worth(view: VaultView) -> TokenAmount | Unusable:
    """{numeraire} Of the vault's tokens, and of the coin of an account that is not the key's own."""
    return total_worth(view, _everything(view))


def _everything(view: VaultView) -> Iterator[TokenAmount]:
    yield from view.holdings.values()
    if view.sender != view.account:
        yield view.native


def gas_money(view: VaultView) -> TokenAmount:
    """{native coin} Of the key's account, without what counts as the vault's own."""
    counted = 0
    if view.sender == view.account:
        held = ((amount.raw, view.balances.get(token)) for token, amount in view.holdings.items())
        counted = sum(raw - balance.raw for raw, balance in held if balance is not None)
    return TokenAmount(view.gas_balance.token, max(0, view.gas_balance.raw - counted))


# --- figures ---------------------------------------------------------------------------------------------------------


def worst(
    view: VaultView, at_once: Most, a_day: Most, in_total: Most, notes: tuple[str, ...] = ()
) -> WorstLoss | Unusable:
    """Nobody takes more than there is."""
    there_is, gas = everything_worth(view), gas_money(view)
    gas_value = worth(view, gas)
    if isinstance(there_is, Unusable):
        return there_is
    if isinstance(gas_value, Unusable):
        return gas_value
    whole = Most(there_is, "there is no more")
    first, second, third = (each if each.value <= there_is else whole for each in (at_once, a_day, in_total))
    return WorstLoss(first, second, third, gas, gas_value, notes)


def everything(view: VaultView, reason: str) -> WorstLoss | Unusable:
    there_is = everything_worth(view)
    if isinstance(there_is, Unusable):
        return there_is
    most = Most(there_is, reason)
    return worst(view, most, most, most, (NOT_COUNTED,))


def nothing(view: VaultView, reason: str) -> WorstLoss | Unusable:
    """Of the account; the key may still have coin of its own."""
    none = Most(TokenAmount.zero(USD), reason)
    return worst(view, none, none, none)


# --- what a key may do at a Safe, whatever the configuration says -----------------------------------------------------


def safe_reads(safe: Address, key: Address) -> tuple[Read, Read, Read]:
    """Its threshold, whether the key is an owner, and whether it is a module."""
    return (
        Read(safe, calldata("getThreshold()")),
        Read(safe, calldata("isOwner(address)", key)),
        Read(safe, calldata("isModuleEnabled(address)", key)),
    )


def full_right(view: VaultView, safe: Address, key: Address) -> str | Unusable:
    """Why the key alone can do everything at the Safe; empty where it cannot."""
    threshold, owner, module = (figure(view, read) for read in safe_reads(safe, key))
    if threshold is None or owner is None or module is None:
        return Unusable(f"owners, threshold and modules of Safe {text.short(safe)} cannot be read")
    if module:
        return "a key that is itself enabled as a module has full authority over the Safe"
    return "an owner of a 1-of-n Safe has full authority over it" if owner and threshold == 1 else ""
