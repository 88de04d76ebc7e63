"""`keeper verify`: every nonce of every sender, explained or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from rich.text import Text

from keeper.core.foreign import printable
from keeper.report.format import count
from keeper.report.page import BAD, DIM, GOOD, STRONG, Page, styled


class Nonce(Protocol):
    """One nonce and who answers for it."""

    @property
    def nonce(self) -> int: ...
    @property
    def explained(self) -> bool: ...
    @property
    def text(self) -> str: ...
    @property
    def intent(self) -> int | None: ...


class Sender(Protocol):
    """An address on a chain, with each nonce up to the last that anybody knows of."""

    @property
    def chain(self) -> str: ...
    @property
    def chain_id(self) -> int: ...
    @property
    def sender(self) -> str: ...
    @property
    def nonces(self) -> Sequence[Nonce]: ...


def verify_record(senders: Sequence[Sender]) -> list[dict[str, Any]]:
    return [
        {
            "chain": sender.chain,
            "chain_id": sender.chain_id,
            "sender": sender.sender,
            "nonces": len(sender.nonces),
            "unexplained": sum(not line.explained for line in sender.nonces),
            "account": [
                {"nonce": line.nonce, "explained": line.explained, "intent": line.intent, "text": printable(line.text)}
                for line in sender.nonces
            ],
        }
        for sender in senders
    ]


def render_verify(senders: Sequence[Sender], *, show_all: bool, next_commands: Sequence[str] = ()) -> Page:
    """A line for each sender, and one for each nonce that nobody answers for; with `show_all` for every nonce."""
    page = Page()
    if not senders:
        page.add("No vault names a signer: there is no nonce to explain.")
        return page
    for sender in senders:
        page.add(*_head(sender))
        for line in sender.nonces:
            if show_all or not line.explained:
                page.add(_line(line), hang=4)
    if any(not line.explained for sender in senders for line in sender.nonces):
        page.blank()
        for command in next_commands:
            page.label("next", command, width=6)
    return page


def _head(sender: Sender) -> Iterator[str | tuple[str, str]]:
    intents = sum(line.explained and line.intent is not None for line in sender.nonces)
    adopted = sum(line.explained and line.intent is None for line in sender.nonces)
    unexplained = sum(not line.explained for line in sender.nonces)
    yield (sender.sender, STRONG)
    yield f" on {sender.chain} ({sender.chain_id}): {count(len(sender.nonces), 'nonce')}: "
    yield f"{count(intents, 'intent')}, {adopted:,} adopted, "
    yield (f"{unexplained:,} UNEXPLAINED", BAD) if unexplained else ("0 unexplained", GOOD)


def _line(line: Nonce) -> Text:
    word = ("explained    ", DIM) if line.explained else ("UNEXPLAINED  ", BAD)
    return styled("  ", word, f"nonce {line.nonce}: {printable(line.text)}")
