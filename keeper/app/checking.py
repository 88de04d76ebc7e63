"""`keeper check`: everything a configuration claims, asked of the chain, and what a start would still stumble over."""

from __future__ import annotations

from keeper.app.arriving import look_for_arrival
from keeper.app.authority import check_authority
from keeper.app.chains import Chain, open_rpc
from keeper.app.claims import Claims
from keeper.app.custodies import custody_notes
from keeper.app.exposing import worst_case
from keeper.app.pinning import pin
from keeper.app.upkeep_checks import check_upkeep
from keeper.chain.nodes.rpc import Rpc
from keeper.chain.reading.pins import Finding, Pins
from keeper.config import Loaded
from keeper.config.paths import dotted
from keeper.core import text
from keeper.core.chain import History, MarketPrice, Unusable, VaultView
from keeper.core.units import NATIVE, Token, TokenAmount


def check_chain(loaded: Loaded, name: str) -> list[Finding]:
    """Every look at one chain, good and bad, in the order of the configuration.

    Raises Unreachable where no node answers.
    """
    vaults = loaded.config.kept_on(name)
    rpc = open_rpc(loaded, name)
    found = pin(rpc, Claims(loaded.config, name, vaults))
    if isinstance(found, Finding):
        return [found]
    warned = [Finding(path, "", said, ok=True, warns=True) for path, said in found.warnings.items()]
    findings = [*found.findings, *warned, *_senders(loaded, rpc, vaults, found)]
    if all(finding.spares for finding in found.wrong):
        chain = Chain.open(loaded, name)
        findings += [*_vaults(chain), *check_authority(chain)]
    return findings


def _senders(loaded: Loaded, rpc: Rpc, vaults: tuple[str, ...], pins: Pins) -> list[Finding]:
    """The sender is a key's own account, whoever holds the funds: code on it means that it was delegated (EIP-7702)."""
    findings = []
    for vault in vaults:
        if loaded.config.sender_of(vault) is None and loaded.config.kept[vault].custody.kind != "wallet":
            continue  # a contract that is only looked at: nobody signs for it
        sender = loaded.config.signing_for(vault)
        code = str(rpc.call("eth_getCode", [sender, "latest"]))
        path = loaded.config.signer_place(vault)
        findings.append(Finding(path, f"no code at {sender}", "none" if code == "0x" else "code", code == "0x"))
        chain = loaded.config.chain_of(vault)
        native = Token(chain.chain_id, NATIVE, chain.native.symbol, chain.native.decimals)
        reserve = TokenAmount(native, loaded.config.gas_reserve_of(vault).raw(native.decimals))
        held = TokenAmount(native, int(str(rpc.call("eth_getBalance", [sender, "latest"])), 16))
        live = loaded.config.kept[vault].is_live
        enough = held >= reserve or not live
        expected = f"at least the gas reserve of {text.amount(reserve)}"
        findings.append(
            Finding(f"{dotted(loaded.config.place_of(vault))}.guards.gas_reserve", expected, text.amount(held), enough)
        )
    del pins
    return findings


def _vaults(chain: Chain) -> list[Finding]:
    """Prices that are usable now, balances that can be read, and allowances that nobody should have left."""
    observer, submitter = chain.observer(lambda _vault, _now: History()), chain.dry_submitter()
    findings: list[Finding] = []
    for name, observed in observer.observe(chain.vaults).vaults.items():
        view = observed.view
        if isinstance(view, Unusable):
            place = dotted(chain.loaded.config.place_of(name))
            findings.append(Finding(place, "balances that can be read", view.reason, False))
            continue
        if name in chain.loaded.config.upkeeps:
            findings += check_upkeep(chain, name, view)
            continue
        findings += _prices(name, view)
        findings += look_for_arrival(name, view, submitter)
        findings += _rights(chain, name, view)
        findings.append(worst_case(chain.loaded, view, chain.setting(name).pools))
        for (token, spender), raw in view.allowances.items():
            left = text.amount(TokenAmount(token, raw)) if raw else "none"
            findings.append(Finding(f"vaults.{name}: allowance of {token.symbol} to {spender}", "none", left, raw == 0))
        for pool, reason in view.left_out[len(chain.setting(name).pools_left_out) :]:
            findings.append(Finding(f"vaults.{name}: {pool.label}", "a pool that can be quoted", reason, False))
    return findings


def _rights(chain: Chain, vault: str, view: VaultView) -> list[Finding]:
    notes = custody_notes(chain.setting(vault))(view)
    return [Finding(f"vaults.{vault}.custody.allowances", "what you granted", note, True) for note in notes]


def _prices(vault: str, view: VaultView) -> list[Finding]:
    findings = []
    for token, price in view.prices.items():
        ok = isinstance(price, MarketPrice)
        found = f"${float(price.mid.ratio):,.4f}" if isinstance(price, MarketPrice) else price.reason
        findings.append(Finding(f"vaults.{vault}: price of {token.symbol}", "a usable price", found, ok))
    return findings
