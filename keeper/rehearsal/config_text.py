"""The operator's configuration on the local chain: the vault's own words stay, addresses and nodes are others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keeper.config import Loaded, presets
from keeper.config.chains import ChainConfig
from keeper.config.peg import PegConfig
from keeper.config.prices import ChainlinkConfig, FixedConfig, PriceConfig, SourceConfig, leaves
from keeper.config.units import fee_text, plain
from keeper.config.vaults import VaultConfig
from keeper.config.yaml_text import parse
from keeper.core.units import Address
from keeper.rehearsal.shape import FeedShape, on_calendar_only
from keeper.rehearsal.world import World

AVERAGE_HEARTBEAT = "1h"
KEPT = ("strategy", "guards", "breakers", "slices", "dangerously_exceed_ceilings")
"""What a vault keeps as it is written."""
NEAR_TARGET = {"trigger": "1pp", "destination": "target"}
"""In place of a calendar."""
MOST_NODES = 3


def local_config(loaded: Loaded, world: World, urls: Sequence[str], sender: Address) -> str:
    """A whole configuration as text: YAML, as JSON is. The key lies in `key.hex` beside it."""
    vault = world.shape.vault
    body, chain = loaded.config.vaults[vault], loaded.config.chain_of(vault)
    document = parse(loaded.path.read_text("utf-8-sig"), loaded.path.name)
    tree: Any = presets.apply(document, document.tree)[0]
    tree = {
        "chains": {"local": _chain(chain, world, urls, loaded)},
        "signers": {"key": {"key_file": "key.hex", "address": sender}},
        "vaults": {vault: _vault(tree["vaults"][vault], body, world)},
        "journal": "keeper.db",
    }
    return json.dumps(tree, indent=1) + "\n"


def nodes_of(chain: ChainConfig) -> int:
    """How many nodes stand for those of the configuration."""
    return min(len(chain.rpc), MOST_NODES)


def finality_of(chain: ChainConfig) -> int:
    """{blocks} Deep enough for a reorg to reach what is confirmed."""
    return chain.confirmations + 4


def _chain(chain: ChainConfig, world: World, urls: Sequence[str], loaded: Loaded) -> dict[str, Any]:
    fees, rules = chain.fees, loaded.config.prices_of(world.shape.vault)
    return {
        "chain_id": str(world.chain.chain_id),
        "rpc": list(urls),
        "quorum": str(min(chain.agreeing, len(urls))),
        "confirmations": str(chain.confirmations),
        "finality": f"{finality_of(chain)} blocks",
        "block_time": "12s",
        "clock": "chain",
        "max_head_age": "off",
        "native": {"symbol": chain.native.symbol, "wrapped": world.shape.wrapped},
        "fees": {
            "max_base_fee": fee_text(fees.max_base_fee),
            "max_fee": fee_text(fees.max_fee),
            "max_tip": fee_text(fees.max_tip),
            "replace_after": "1m",
        },
        "tokens": {symbol: token.address for symbol, token in world.tokens.items()},
        "factories": {
            each.factory: {
                "kind": "uniswap_v2",
                "fee": f"{each.shape.fee / 10_000:.4f}%",
                "router": {"kind": "v2_router", "address": each.router},
            }
            for each in world.pools
        },
        "prices": {symbol: _rule(symbol, rules[symbol], world) for symbol in world.tokens},
    }


def _rule(symbol: str, rule: PriceConfig, world: World) -> dict[str, Any]:
    told: dict[str, Any] = {
        "sources": [_source(symbol, at, source, world) for at, source in enumerate(rule.sources)],
        "need": str(rule.need),
        "apart": f"{rule.apart}bps",
    }
    bounds = {"min": rule.min, "max": rule.max}
    return told | {name: f"{plain(price)} USD" for name, price in bounds.items() if price is not None}


def _source(symbol: str, place: int, source: SourceConfig, world: World) -> dict[str, str]:
    if isinstance(source, FixedConfig):
        return {"kind": "fixed", "price": f"{plain(source.price)} USD"}
    feed = next(each for each in world.feeds if (each.symbol, each.place) == (symbol, place))
    return {"kind": "chainlink", "feed": world.feeds[feed], **_heartbeat(feed, source)}


def _heartbeat(feed: FeedShape, source: SourceConfig) -> dict[str, str]:
    found = [leaf for leaf in leaves(source) if isinstance(leaf, ChainlinkConfig)]
    if feed.is_average or not found:
        return {"heartbeat": AVERAGE_HEARTBEAT}
    quickest = min(found, key=lambda leaf: leaf.heartbeat + leaf.grace)
    return {"heartbeat": f"{quickest.heartbeat}s", "grace": f"{quickest.grace}s"}


def _vault(told: dict[str, Any], body: VaultConfig, world: World) -> dict[str, Any]:
    kept = {key: told[key] for key in KEPT if key in told}
    if isinstance(body.strategy, PegConfig):
        kept["strategy"] = _peg(told["strategy"], body.strategy)
    elif on_calendar_only(body.strategy):
        left_out = ("calendar", "destination", "bands")
        kept["strategy"] = {k: v for k, v in told["strategy"].items() if k not in left_out} | NEAR_TARGET
    execution = {k: v for k, v in told.get("execution", {}).items() if k not in ("escalate_above", "proposal_ttl")}
    return {
        **kept,
        "chain": "local",
        "mode": "live",
        "custody": {"kind": "wallet", "signer": "key", "native": body.custody.native},
        "pools": {each.shape.name: each.pool for each in world.pools},
        "schedule": {"every": "1 block"},
        "execution": execution,
    }


def _peg(told: dict[str, Any], peg: PegConfig) -> dict[str, Any]:
    """Without averages that no pool keeps here; where nothing is left, by the coin's own price."""
    sources = [str(source) for source in peg.price.sources if source.how != "twap"] or [f"{peg.coin}/USD"]
    need = min(len(sources), peg.price.need or len(sources))
    price = {**told["price"], "sources": sources, "need": str(need)}
    fixed = {"peg": f"1 {peg.against}"} if peg.peg.rate else {}
    return {**told, "price": price, **fixed}


def write_private(path: Path, text: str) -> None:
    """For its owner only."""
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
