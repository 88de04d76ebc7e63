"""Whether a chain agrees with what a configuration claims about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from contracts_abi import runtime
from keeper.app.claims import Claims
from keeper.app.holding import pin_contracts
from keeper.app.measuring import pin_transfers
from keeper.app.parts import make_pins
from keeper.app.safes import pin_safes
from keeper.app.triggers import look_for_trigger
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.reading.pins import Finding, Pinner, Pins, code_hash
from keeper.chain.reading.token_code import fetch_token_codes
from keeper.config import Config, Loaded
from keeper.core.errors import ConfigError
from keeper.core.foreign import printable
from keeper.core.pools import Router
from keeper.core.units import Address
from keeper.guards.authority import UNFLOORED


def pin(rpc: Rpc, claims: Claims) -> Pins | Finding:
    """Looks at everything that is claimed, once. A Finding alone means another chain; Raises Unreachable."""
    chain = claims.config.chains[claims.chain]
    if other := _other_chain(rpc, f"{claims.path}.rpc", chain.chain_id):
        return other
    pinner = Pinner(rpc, chain.chain_id, runtime("reader"))
    pins = pinner.begin(f"{claims.path}.chain_id")
    if isinstance(pins, Finding):
        return pins
    pinner.pin_tokens(pins, list(claims.tokens()))
    routers = {a: Router(f.router.kind, f.router.address) for a, f in chain.factories.items()}
    fees = {address: factory.fee_ppm for address, factory in chain.factories.items() if factory.fee_ppm is not None}
    families = {address: factory.kind for address, factory in chain.factories.items()}
    pinner.pin_pools(pins, list(claims.pools()), make_pins(routers), routers, fees, families)
    pin_transfers(rpc, claims, pins)
    pinner.pin_feeds(pins, list(claims.feeds()))
    pins.token_codes = fetch_token_codes(rpc, list(pins.tokens))
    if chain.sequencer is not None:
        pinner.look_for_code(pins, {chain.sequencer.feed: f"{claims.path}.sequencer.feed"})
    used = {pool.router.address: f"{claims.path}.factories: router" for pool in pins.pools.values()}
    pinner.look_for_code(pins, used)
    if chain.reader is not None:
        look_for_reader(pinner, pins, chain.reader, f"{claims.path}.reader")
    for vault in claims.vaults:
        if vault in claims.config.vaults:
            _pools_fit(claims, vault, pins)
    pin_safes(rpc, pinner, pins, claims.config, claims.vaults)
    pin_contracts(pinner, pins, claims.config, claims.vaults)
    pinner.look_for_code(pins, dict(claims.targets()))
    for vault, upkeep in claims.upkeeps.items():
        look_for_trigger(rpc, f"upkeeps.{vault}", upkeep, pins)
    return pins


def look_for_reader(pinner: Pinner, pins: Pins, reader: Address, path: str) -> None:
    """It must be ours to the last byte: whatever stands there tells what everybody owns."""
    pinner.look_for_code(pins, {reader: path})
    found, ours = pins.code_hashes.get(reader), code_hash(runtime("reader"))
    if found is not None:
        # In full a hash looks like a private key, and would be masked.
        pins.note(path, f"the code of contracts/Reader.sol ({ours[:10]}…)", f"{found[:10]}…", found == ours)


def _other_chain(rpc: Rpc, path: str, chain_id: int) -> Finding | None:
    """The first of several nodes that is of another chain. One that does not answer now is told from later answers."""
    if len(rpc.urls) == 1:
        return None
    for url, answer in rpc.ask_each("eth_chainId", []):
        if isinstance(answer, str) and answer != hex(chain_id):
            return Finding(path, f"chain {chain_id} at {url}", printable(answer, 40), False)
    return None


def _pools_fit(claims: Claims, vault: str, pins: Pins) -> None:
    """A vault's pools must be between tokens that it holds, or lead from one to another, and together reach each."""
    config = claims.config
    chain, strategy = config.chain_of(vault), config.vaults[vault].strategy
    held = {chain.tokens[symbol].address: symbol for symbol in strategy.symbols}
    places = {at: f"vaults.{vault}.pools[{index}]" for index, at in enumerate(config.pools_of(vault))}
    pools = {place: pins.pools.get(at) for at, place in places.items() if at not in pins.left_out}
    met = Counter(token.address for pool in pools.values() if pool for token in pool.tokens)
    reached: set[Address] = set()
    for path, pool in pools.items():
        if pool is None:
            continue
        mine = [token.address for token in pool.tokens if token.address in held or met[token.address] > 1]
        pair = "/".join(token.symbol for token in pool.tokens)
        fits = pins.note(path, f"a pool of {' and '.join(strategy.symbols)}", pair, len(mine) > 1)
        if fits and pool.router.kind in UNFLOORED:
            fits = _may_be_unfloored(config, vault, path, pins)
        if fits:
            reached.update(mine)
        elif claims.spares(vault, pool.address):
            pins.leave_out(path, path)
    missing = [symbol for address, symbol in held.items() if symbol in strategy.traded and address not in reached]
    said = f"none for {', '.join(missing)}" if missing else "all"
    pins.note(f"vaults.{vault}.pools", "a pool for every token", said, not missing)


def _may_be_unfloored(config: Config, vault: str, path: str, pins: Pins) -> bool:
    """Calls without a floor: only where the operator says how far the simulation may be off, and where the contract
    that holds the funds asks for none."""
    body = config.vaults[vault]
    tolerance, kind = body.execution.preview_tolerance, body.custody.kind
    wanted = "execution.preview_tolerance, as its calls carry no floor"
    ok = pins.note(path, wanted, "none" if tolerance is None else f"{tolerance} bps", tolerance is not None)
    kinds = ("wallet", "safe", "safe_module")
    return pins.note(path, f"custody of {', '.join(kinds)}, as its calls carry no floor", kind, kind in kinds) and ok


def require(loaded: Loaded, findings: Sequence[Finding]) -> None:
    """Raises ConfigError for the first that is wrong, naming how many more there are. Not where all that is wrong is a
    pool that its vault does without."""
    wrong = [finding for finding in findings if not finding.ok]
    if not all(finding.spares for finding in wrong):
        more = f" (and {len(wrong) - 1} more: keeper check)" if len(wrong) > 1 else ""
        first = wrong[0]
        raise ConfigError(str(loaded.path), first.path, first.expected, f"{first.found}{more}")
