"""What an account holds, in a clause: what whoever could take everything would have."""

from __future__ import annotations

from keeper.core import text
from keeper.core.chain import MarketPrice, VaultView
from keeper.core.units import USD, TokenAmount


def told_worth(view: VaultView) -> str:
    """`$2,000,000.00 and 5.00 LINK without a price`"""
    worth, unknown = TokenAmount.zero(USD), []
    for token, amount in view.holdings.items():
        price = view.prices.get(token)
        if isinstance(price, MarketPrice):
            worth = worth + price.mid.value(amount)
        elif amount:
            unknown.append(text.amount(amount))
    also = f" and {', '.join(unknown)} without a price" if unknown else ""
    return f"{text.usd(worth)}{also}"
