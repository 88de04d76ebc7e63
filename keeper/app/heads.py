"""New heads of a chain, where its configuration names somebody who tells them."""

from __future__ import annotations

from keeper.chain.nodes.heads import Heads
from keeper.config.chains import ChainConfig
from keeper.telemetry.logs import logger


def open_heads(name: str, chain: ChainConfig) -> Heads | None:
    """Asks nobody yet. What goes wrong with them is worth a line in the log, and nobody's sleep."""
    if not chain.ws:
        return None
    log = logger("heads")

    def say(text: str, is_good: bool) -> None:
        (log.info if is_good else log.warning)("heads", chain=name, text=text)

    return Heads(name, [url.reveal() for url in chain.ws], block_time=float(chain.block_time), say=say)
