"""A vault's role at its Roles modifier: the Safe's transaction that grants it, the one that takes it away, and what of
it the chain has now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from keeper.app.authority import authority_reads
from keeper.app.chains import Chain
from keeper.app.custodies import make_envelope
from keeper.app.safes import NO_MEMBER
from keeper.chain.nodes.rpc import RpcError
from keeper.chain.reading.direct import revert_data
from keeper.chain.reading.pins import Finding
from keeper.config import Loaded
from keeper.config.safes import RolesConfig
from keeper.core import text
from keeper.core.abi import calldata, selector
from keeper.core.calls import Inner
from keeper.core.chain import History, Unusable, VaultView
from keeper.core.errors import ConfigError, TransientError
from keeper.core.units import USD, WHOLE_BPS, Address, Rounding, Token, TokenAmount
from keeper.custody.answers import figure, is_true
from keeper.custody.authority import gas_money
from keeper.custody.authority import worth as worth_of
from keeper.custody.granting import DAY, Grant
from keeper.custody.multi_send import CALL, Operation
from keeper.custody.roles import Allowance, RoleMember, role_key
from keeper.custody.scopes import APPROVE, MULTICALL, V2_SWAP, V2_SWAP02, V3_SWAP, V3_SWAP02, Scope, role_scopes

_TRANSFER = "transfer(address,uint256)"
_VIOLATED = selector("ConditionViolation(uint8,bytes32)")
_MOVED = Fraction(3, 2)
_LATER = 1 << 40
"""{s} A deadline that does not pass."""


@dataclass(frozen=True, slots=True)
class Role:
    """One vault, what its role must be, and what is known of it at a block."""

    chain: Chain
    vault: str
    member: RoleMember
    grant: Grant
    view: VaultView
    findings: tuple[Finding, ...]
    """Of the custody, as a start would look at them."""

    @property
    def place(self) -> str:
        return f"vaults.{self.vault}.custody"

    def give(self) -> list[Inner]:
        """Raises ConfigError where the Safe does not make the modifier's rules."""
        found = figure(self.view, self.member.authority_reads[3])
        if found != int(self.grant.safe, 16):
            was = "no answer" if found is None else f"0x{found:040x}"
            raise ConfigError(
                "chain", f"{self.place}.modifier", f"owner {self.grant.safe}, whose transaction this is", was
            )
        _, enabled, unwrapper, *_ = self.member.reads
        return self.grant.give(is_enabled=is_true(self.view, enabled), is_unwrapped=bool(figure(self.view, unwrapper)))

    def take(self) -> list[Inner]:
        return self.grant.take(self.view.allowances)

    # --- what the chain has ------------------------------------------------------------------------------------------

    def compare(self) -> Iterator[Finding]:
        """Members and allowances are read. Scopes cannot be: calls that must be allowed, and calls that must not be,
        are tried as the key, and nothing is sent."""
        yield from self.findings
        for token, key in self.grant.allowances.items():
            read = self.member.reads[3 + self._index(key)]
            refill, most, period, balance, at = (figure(self.view, read, word) or 0 for word in range(5))
            full = TokenAmount(token, Allowance(refill, most, period, balance, at).most(0) or 0)
            wanted = TokenAmount(token, self.grant.a_day[token])
            a_day = TokenAmount(token, refill * DAY // period if period else 0)
            found = f"{text.amount(a_day)} a day, {text.amount(full)} when full"
            # As prices move, what was granted once differs a little from what would be granted now.
            is_so = 0 < full.raw <= wanted.raw * _MOVED and a_day <= wanted.times(_MOVED, Rounding.UP)
            yield Finding(f"{self.place}.allowances.{token.symbol}", f"about {text.amount(wanted)} a day", found, is_so)
        if not all(finding.ok for finding in self.findings):
            return  # a key without the role is refused whatever it tries
        for told, operation, is_allowed in self._probes():
            found = self._try(operation)
            expected = "allowed" if is_allowed else "refused"
            yield Finding(f"{self.place}.role: {told}", expected, found, found == expected)

    def _index(self, key: bytes) -> int:
        return [known for _, known in self.member.allowances].index(key)

    def _probes(self) -> Iterator[tuple[str, Operation, bool]]:
        routers = dict.fromkeys(pool.router for pool in self.chain.setting(self.vault).pools)
        key = self.grant.key
        for token in self.grant.allowances:
            for router in routers:
                yield (
                    f"approve {token.symbol} to {text.short(router.address)}",
                    _call(token.address, APPROVE, router.address, 0),
                    True,
                )
            yield f"approve {token.symbol} to the key", _call(token.address, APPROVE, key, 0), False
            yield f"send {token.symbol} to the key", _call(token.address, _TRANSFER, key, 0), False
        for scope in self.grant.scopes:
            if scope.function != APPROVE:
                for to, who, is_allowed in ((self.grant.safe, "the Safe", True), (key, "the key", False)):
                    yield f"swap at {text.short(scope.target)} for {who}", self._swap(scope, to), is_allowed

    def _swap(self, scope: Scope, to: Address) -> Operation:
        """Of nothing: what it does does not matter, only whether the role lets it."""
        pool = next(pool for pool in self.chain.setting(self.vault).pools if pool.router.address == scope.target)
        sell, buy = (token.address for token in pool.tokens[:2])
        fee = int(pool.fee * 10**6)
        if scope.function == V2_SWAP:
            return _call(scope.target, V2_SWAP, 0, 0, [sell, buy], to, _LATER)
        if scope.function == V3_SWAP:
            return _call(scope.target, V3_SWAP, (sell, buy, fee, to, _LATER, 0, 0, 0))
        is_v2 = pool.kind == "uniswap_v2"
        v2, v3 = calldata(V2_SWAP02, 0, 0, [sell, buy], to), calldata(V3_SWAP02, (sell, buy, fee, to, 0, 0, 0))
        return _call(scope.target, MULTICALL, _LATER, [v2 if is_v2 else v3])

    def _try(self, operation: Operation) -> str:
        data = self.member.seal(operation)
        try:
            asked = {"from": self.grant.key, "to": self.grant.modifier, "data": "0x" + data.hex()}
            self.chain.rpc.call("eth_call", [asked, "latest"])
        except RpcError as refusal:
            reason = revert_data(refusal)[:4]
            if reason in NO_MEMBER:
                return "not known: the key has no role"
            return "refused" if reason == _VIOLATED else "allowed"  # else it failed later, in what was called
        return "allowed"


def _call(to: Address, signature: str, *arguments: object) -> Operation:
    return Operation(to, 0, calldata(signature, *arguments), CALL)


# --- from the configuration ------------------------------------------------------------------------------------------


def open_role(loaded: Loaded, vault: str, *, only_to_take: bool = False) -> Role:
    """Raises ConfigError where the vault has no role, or one that cannot be said in scopes; Unreachable; TransientError
    where prices do not say what a day's turnover is. With `only_to_take` neither prices nor every allowance are needed:
    a role can always be taken away.
    """
    config = loaded.config
    custody = config.vaults[vault].custody
    if not isinstance(custody, RolesConfig):
        raise ConfigError(
            str(loaded.path), f"vaults.{vault}.custody.kind", "roles: only a role is granted", custody.kind
        )
    place = f"vaults.{vault}.custody"
    chain = Chain.open(loaded, config.vaults[vault].chain, but=place)
    setting = chain.setting(vault)
    member = make_envelope(config, vault, setting.tokens)
    assert isinstance(member, RoleMember)
    also = {vault: authority_reads(setting)}
    view = chain.observer(lambda _vault, _now: History(), also).observe([vault]).vaults[vault].view
    if isinstance(view, Unusable):
        raise TransientError(f"{vault}: {view.reason}")
    allowances = dict(member.allowances) if only_to_take else _allowances(loaded, vault, custody, setting.tokens)
    scopes = role_scopes(setting.pools, allowances)
    if isinstance(scopes, str):
        raise ConfigError(str(loaded.path), f"vaults.{vault}.pools", "pools that a role can be scoped to", scopes)
    sender = config.signing_for(vault)
    grant = Grant(
        custody.safe,
        custody.modifier,
        sender,
        member.role,
        custody.batcher,
        scopes,
        allowances,
        {} if only_to_take else _a_day(loaded, vault, view, allowances),
    )
    own = tuple(finding for finding in chain.pins.findings if finding.path.startswith(place))
    return Role(chain, vault, member, grant, view, own)


def _allowances(loaded: Loaded, vault: str, custody: RolesConfig, tokens: Mapping[str, Token]) -> dict[Token, bytes]:
    """The key of each token that may be sold. Raises ConfigError where one has none."""
    strategy = loaded.config.vaults[vault].strategy
    traded = [symbol for symbol in strategy.symbols if symbol in strategy.traded and symbol in tokens]
    missing = [symbol for symbol in traded if symbol not in custody.allowances]
    if missing:
        expected = f"an allowance for each of {', '.join(traded)}"
        raise ConfigError(str(loaded.path), f"vaults.{vault}.custody.allowances", expected, f"none for {missing[0]}")
    return {tokens[symbol]: role_key(custody.allowances[symbol]) for symbol in traded}


def _a_day(loaded: Loaded, vault: str, view: VaultView, allowances: dict[Token, bytes]) -> dict[Token, int]:
    """{raw} As much as a day's turnover, and no more than keeps within `max_authority`: a full allowance and a day's
    refill of every token may go in one day, and gas money beside them."""
    body = loaded.config.vaults[vault]
    if unusable := view.unusable():
        raise TransientError(f"{vault}: {unusable[0]}")
    worth = sum((view.price(token).mid.value(held) for token, held in view.holdings.items()), TokenAmount.zero(USD))
    turnover = body.guards.max_turnover
    budget = worth.times(Fraction(turnover.limit * DAY, WHOLE_BPS * turnover.seconds), Rounding.DOWN)
    if body.max_authority is not None:
        gas = worth_of(view, gas_money(view))
        if isinstance(gas, Unusable):
            raise TransientError(f"{vault}: {gas.reason}")
        left = max(body.max_authority.limit - gas, TokenAmount.zero(USD))
        budget = min(budget, left.times(Fraction(1, 2 * len(allowances)), Rounding.DOWN))
    return {token: view.price(token).mid.amount(budget).raw for token in allowances}
