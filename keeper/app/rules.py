"""What a chain's transactions may pay, and how patient whoever sends them is."""

from __future__ import annotations

from keeper.chain.sending.attempts import Rules
from keeper.chain.sending.fees import FeePolicy
from keeper.config import Loaded
from keeper.config.chains import ChainConfig


def make_fees(chain: ChainConfig) -> FeePolicy:
    fees = chain.fees
    return FeePolicy(fees.max_fee, fees.max_tip, fees.min_tip, fees.bump, legacy=fees.type == "legacy")


def make_rules(loaded: Loaded, name: str) -> Rules:
    config, chain = loaded.config, loaded.config.chains[name]
    waits = [kept for kept in config.kept_on(name) if config.kept[kept].execution.when_expensive == "wait"]
    return Rules(
        make_fees(chain),
        chain.confirmations,
        chain.fees.replace_after,
        waits=frozenset(waits),
        private_for=0 if chain.relay is None else max(1, int(chain.relay.max_blocks * chain.block_time)),
    )
