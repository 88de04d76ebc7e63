"""One chain put together: what is read, who decides, who sends, and when."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from contracts_abi import runtime
from keeper.app.claims import Claims
from keeper.app.composition import Composition, Pasts, vaults_on
from keeper.app.loading import open_relay
from keeper.app.measuring import look_at_transfers
from keeper.app.pinning import pin, require
from keeper.app.policies import hold_signers
from keeper.app.proposing import SafeProposer, Settling
from keeper.app.rules import make_fees, make_rules
from keeper.app.upkeeps import gas_budget
from keeper.chain.nodes.clock import ChainClock, SystemClock
from keeper.chain.nodes.rpc import Freshness, Rpc
from keeper.chain.reading import inputs
from keeper.chain.reading.observer import ChainObserver
from keeper.chain.reading.pins import Finding, Pinner, Pins
from keeper.chain.sending.fees import FeePolicy
from keeper.chain.sending.simulate import Simulator
from keeper.chain.sending.submitter import DrySubmitter, LiveSubmitter
from keeper.config import Loaded
from keeper.core.chain import History, Read
from keeper.core.errors import TransientError
from keeper.core.pools import Router
from keeper.core.ports import Alert, Clock, Journal, Signer, Submitter
from keeper.core.units import Address
from keeper.cycle import Cycle
from keeper.screening import UNTOLD


@dataclass(frozen=True, slots=True)
class Chain(Composition):
    """One chain of a configuration, reached and found to be what the configuration says."""

    rpc: Rpc
    clock: Clock

    @classmethod
    def open(cls, loaded: Loaded, name: str, but: str = "") -> Chain:
        """What is found wrong at the place `but` is let be.

        Raises ConfigError where the chain disagrees with the configuration, Unreachable where no node answers.
        """
        rpc = open_rpc(loaded, name)
        found = _pin(rpc, Claims(loaded.config, name, vaults_on(loaded.config, name)))
        findings = [found] if isinstance(found, Finding) else found.findings
        require(loaded, [each for each in findings if not but or not each.path.startswith(but)])
        assert isinstance(found, Pins)
        clock = ChainClock(rpc) if loaded.config.chains[name].clock == "chain" else SystemClock()
        return cls(loaded, name, found, rpc, clock)

    # --- reading -----------------------------------------------------------------------------------------------------

    def observer(
        self,
        history: Callable[[str, int], History],
        also: Mapping[str, tuple[Read, ...]] = MappingProxyType({}),
        marks: Callable[[Sequence[str]], Mapping[str, object]] | None = None,
        senders: Collection[Address] | None = None,
    ) -> ChainObserver:
        """`also` are reads that a vault makes beside its own; `marks` names the state of each one's past; `senders`
        are those whose nonces are wanted, None for all."""
        specs = [self.spec(vault) for vault in self.vaults]
        specs = [replace(spec, extra=(*spec.extra, *also.get(spec.name, ()))) for spec in specs]
        return ChainObserver(
            self.rpc,
            self.config.chain_id,
            specs,
            self.venues,
            history,
            runtime("reader"),
            self.clock,
            self.config.max_head_age,
            max_ahead=self.config.max_clock_skew,
            legacy=self.config.fees.type == "legacy",
            tip_percentile=self.config.fees.tip_percentile,
            reader=self.config.reader,
            marks=marks,
            senders=senders,
        )

    def changed(self) -> Mapping[str, str]:
        """Vault -> what is not any more as it was pinned."""
        settings = {vault: self.setting(vault) for vault in self.vaults}
        pinner = Pinner(self.rpc, self.config.chain_id, runtime("reader"))
        pools = {pool.address: pool for setting in settings.values() for pool in setting.pools}
        tokens = {token.address: token for setting in settings.values() for token in setting.tokens.values()}
        wrong: dict[str, str] = {finding.path: str(finding) for finding in pinner.look_for_changes(pools.values())}
        upgraded = pinner.look_for_upgrades(tokens.values(), self.pins.token_codes)
        claims = Claims(self.loaded.config, self.name, self.vaults)
        odd = {t: look.odd for t, look in look_at_transfers(self.rpc, claims, pools.values()).items() if look.odd}
        return {
            vault: reason
            for vault, setting in settings.items()
            for reason in (
                *(str(upgraded[token.address]) for token in setting.tokens.values() if token.address in upgraded),
                *(odd[token] for pool in setting.pools for token in pool.tokens if token in odd),
                *(said for pool in setting.pools for path, said in wrong.items() if path.startswith(pool.label)),
            )
        }

    # --- sending -----------------------------------------------------------------------------------------------------

    @property
    def policy(self) -> FeePolicy:
        return make_fees(self.config)

    def dry_submitter(self) -> DrySubmitter:
        return DrySubmitter(self._simulator())

    def live_submitter(self, journal: Journal, signers: Mapping[Address, Signer], alert: Alert) -> LiveSubmitter:
        budgets = {vault: gas_budget(self.loaded.config.kept[vault]) for vault in self.vaults}
        return LiveSubmitter(
            self.rpc,
            journal,
            self._simulator(),
            hold_signers(self.loaded.config, self.name, self._routers, signers, self.clock),
            self.config.chain_id,
            make_rules(self.loaded, self.name),
            finality=self.config.finality.depth,
            stop=lambda vault: "paused" if journal.paused(vault) else "",
            alert=alert,
            relay=open_relay(self.loaded, self.name),
            budgets={vault: budget for vault, budget in budgets.items() if budget is not None},
            tip_percentile=self.config.fees.tip_percentile,
        )

    @property
    def _routers(self) -> frozenset[Router]:
        return frozenset(router for vault in self.vaults for router in self.setting(vault).routers)

    def _simulator(self) -> Simulator:
        fees = self.config.fees
        return Simulator(self.rpc, self.policy, runtime("probe"), margin_bps=fees.gas_margin, l1=fees.l1)

    # --- deciding ----------------------------------------------------------------------------------------------------

    def cycle(
        self,
        journal: Journal,
        armed: Sequence[str] = (),
        signers: Mapping[Address, Signer] | None = None,
        alert: Alert | None = None,
        proposer: SafeProposer | None = None,
    ) -> Cycle:
        """The turning wheel: vaults in `armed` send, or propose; the others have no way to."""
        dry: Submitter = self.dry_submitter()
        live = dry if alert is None or not armed else self.live_submitter(journal, signers or {}, alert)
        vaults = {
            v: self.vault(v, live, armed=True, proposer=proposer) if v in armed else self.vault(v, dry, armed=False)
            for v in self.vaults
        }
        pasts, describer = Pasts(self.loaded, journal), self.describer
        # Who is not armed sends nothing, so its nonces say nothing.
        senders = {sender for vault in armed if (sender := self.loaded.config.signing_for(vault)) is not None}
        return Cycle(
            self.observer(pasts.history, marks=pasts.marks, senders=senders),
            live if proposer is None or not armed else Settling(live, proposer),
            journal,
            vaults,
            describe=lambda decision: describer.describe(decision, armed=decision.vault in armed),
            pack=inputs.pack,
            may_act=self.why_not_now,
            # Whatever the screen says, so often that none of its samples is missed.
            untold=min(UNTOLD, self.loaded.config.journal.sample * 5 // 6),
        )


def _pin(rpc: Rpc, claims: Claims) -> Pins | Finding:
    """A node whose answers did not fit together, because a block came meanwhile, is asked once more."""
    try:
        return pin(rpc, claims)
    except TransientError:
        return pin(rpc, claims)


def open_rpc(loaded: Loaded, name: str) -> Rpc:
    """Whose answers are believed once `quorum` nodes give them. Asks nobody yet."""
    chain = loaded.config.chains[name]
    rate = chain.rpc_rate
    return Rpc(
        name,
        [url.reveal() for url in chain.rpc],
        quorum=chain.agreeing,
        chain_id=chain.chain_id,
        rate=(rate.limit, rate.seconds) if rate else None,
        freshness=Freshness(
            # On a chain whose time somebody else moves, this machine's clock says nothing about a head.
            max_age=chain.max_head_age if chain.clock == "system" else None,
            max_ahead=chain.max_clock_skew,
            max_lag=max(30, 3 * math.ceil(chain.block_time)),
        ),
    )
