"""The card at the end of a demo: drift before and after, what it cost, what was refused, and where to go next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from rich.text import Text

from keeper.core.units import USD, WHOLE_BPS, TokenAmount
from keeper.report import format as form
from keeper.report.facts import DemoFacts, DemoVault, Refusal, Transaction
from keeper.report.page import BAD, DIM, GOOD, STRONG, WARN, Page, styled

HEADER = ("vault", "value", "drift before", "widest", "now", "band", "", "trades", "traded", "cost", "gas")


def render_demo(facts: DemoFacts) -> Page:
    page = Page()
    span = f"{form.age(facts.chain_seconds)} of chain time in {form.count(facts.seconds, 'second')}"
    page.add(("demo", STRONG), f" · {span} · {form.count(facts.cycles, 'cycle')}")
    page.blank()
    page.table([_row(vault) for vault in facts.vaults], "lrrrrrlrrrr", HEADER, drop=(10, 1, 5))
    page.blank()
    everything = [transaction for vault in facts.vaults for transaction in vault.transactions]
    _cost(page, everything)
    _refusals(page, facts)
    page.label("journal", facts.journal, width=10)
    for index, command in enumerate(facts.next_commands):
        page.label("" if index else "next", command, width=10)
    return page


def _row(vault: DemoVault) -> list[Text | str]:
    inside = vault.after_bps <= vault.trigger_bps
    fills = _fills(vault.transactions)
    sold = _total(transaction.expect.value_sold for transaction in fills)
    cost = _total(transaction.cost for transaction in fills)
    return [
        styled((vault.name, STRONG)),
        form.usd(vault.value.whole, 0) if vault.value else "–",
        _pp(vault.before_bps),
        styled((_pp(vault.worst_bps), WARN if vault.worst_bps > vault.trigger_bps else "")),
        styled((_pp(vault.after_bps), GOOD if inside else BAD)),
        styled((form.band(vault.trigger_bps), DIM)),
        styled(("in band", GOOD)) if inside else styled(("OUT", BAD)),
        str(len(fills)),
        form.usd(sold.whole),
        f"{_bps(cost, sold)} bps" if sold else "–",
        form.usd(_gas(vault.transactions).whole),
    ]


def _pp(bps: Fraction) -> str:
    return f"{form.rounded(bps / 100, 2)}pp"


def _fills(transactions: Sequence[Transaction]) -> list[Transaction]:
    return [transaction for transaction in transactions if transaction.fill]


def _total(values: Iterable[TokenAmount | None]) -> TokenAmount:
    return sum((value for value in values if value is not None), TokenAmount.zero(USD))


def _gas(transactions: Sequence[Transaction]) -> TokenAmount:
    return _total(transaction.outcome.gas_value for transaction in transactions if transaction.outcome)


def _bps(part: TokenAmount, of: TokenAmount) -> str:
    return form.rounded(part.over(of) * WHOLE_BPS, 1) if of else "0.0"


def _cost(page: Page, transactions: Sequence[Transaction]) -> None:
    fills = _fills(transactions)
    sold, gas = _total(transaction.expect.value_sold for transaction in fills), _gas(transactions)
    outcomes = [transaction.outcome for transaction in fills if transaction.outcome]
    fee = _total(outcome.fee_value for outcome in outcomes)
    impact = _total(outcome.impact_value for outcome in outcomes)
    others = _total(outcome.others_value for outcome in outcomes)
    whole = fee + impact + others + gas
    page.label("traded", f"{form.usd(sold.whole)} in {form.count(len(fills), 'trade')}", width=10)
    parts = (("fee", fee), ("impact", impact), ("others", others), ("gas", gas))
    split = " · ".join(f"{name} {_bps(part, sold)}" for name, part in parts if part or name != "others")
    page.label("cost", f"{_bps(whole, sold)} bps = {form.usd(whole.whole)}  {split}", width=10)


def _refusals(page: Page, facts: DemoFacts) -> None:
    if not facts.refusals:
        page.label("refused", "nothing", width=10)
    grouped: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in facts.refusals:
        grouped.setdefault((refusal.vault, refusal.reason), []).append(refusal)
    for index, ((vault, reason), together) in enumerate(grouped.items()):
        times = f"{max(refusal.count for refusal in together):,}×"
        names = (", ".join(refusal.guard for refusal in together), STRONG)
        page.label("" if index else "refused", f"{times:>4} {vault}: ", names, f": {reason}", width=10)
