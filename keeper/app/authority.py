"""What a thief of each vault's key could take, now, held against what the configuration allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from keeper.app.chains import Chain
from keeper.app.custodies import make_custody
from keeper.app.setting import Setting
from keeper.chain.reading.pins import Finding
from keeper.core import text
from keeper.core.authority import WorstLoss
from keeper.core.chain import History, Read, Unusable
from keeper.core.errors import ConfigError, TransientError
from keeper.core.units import Address, TokenAmount
from keeper.custody.atomic import Atomic

NEEDED = "a limit such as 200000 USD per 24h, which --live needs"


@dataclass(frozen=True, slots=True)
class Exposure:
    """One vault at one block. `limit` {USD in 24h} is what the configuration allows; `needs_limit`: it must say one."""

    vault: str
    chain: str
    chain_id: int
    custody: str
    account: Address
    key: Address | None
    block: int
    found: WorstLoss | Unusable
    limit: TokenAmount | None
    needs_limit: bool

    @property
    def expected(self) -> str:
        if self.limit is None:
            return NEEDED if self.needs_limit else "no limit"
        return f"a key that can lose at most {text.usd(self.limit)} in 24h"

    @property
    def told(self) -> str:
        if isinstance(self.found, Unusable):
            return f"not known: {self.found.reason}"
        figures = self.found.per_transaction, self.found.per_day, self.found.total
        at_once, a_day, in_all = (text.usd(each.value) for each in figures)
        return f"at most {at_once} at once, {a_day} a day, {in_all} in all, and {text.usd(self.found.gas_value)} of gas"

    @property
    def is_within(self) -> bool:
        """Whether it may be armed; what is not known is not."""
        if self.limit is None:
            return not self.needs_limit
        return isinstance(self.found, WorstLoss) and self.found.day <= self.limit


def look(chain: Chain, vaults: Collection[str]) -> list[Exposure]:
    """Raises TransientError or Unreachable where the chain cannot be read."""
    config = chain.loaded.config
    wanted = [name for name in vaults if name in config.vaults]
    if not wanted:
        return []
    also = {name: authority_reads(chain.setting(name)) for name in wanted}
    snapshot = chain.observer(lambda _vault, _now: History(), also).observe(wanted)
    return [
        Exposure(
            vault=name,
            chain=chain.name,
            chain_id=chain.config.chain_id,
            custody=config.vaults[name].custody.kind,
            account=config.account_of(name),
            key=config.sender_of(name),
            block=snapshot.block.number,
            found=view if isinstance(view, Unusable) else make_custody(chain.setting(name)).authority(view),
            limit=rate.limit if (rate := config.vaults[name].max_authority) else None,
            needs_limit=_needs_limit(chain, name),
        )
        for name in wanted
        for view in (snapshot.vaults[name].view,)
    ]


def authority_reads(setting: Setting) -> tuple[Read, ...]:
    """What a custody is asked for this alone, not in every block."""
    custody = make_custody(setting)
    return custody.envelope.authority_reads if isinstance(custody, Atomic) else ()


def require_authority(chain: Chain, armed: Collection[str]) -> Mapping[str, str]:
    """What is to be said of each armed vault that has a limit.

    Raises ConfigError where one has no limit and needs one, or could lose more; TransientError while that is not known.
    """
    where = str(chain.loaded.path)
    bounded = [name for name in armed if name in chain.loaded.config.vaults and _is_bounded(chain, name)]
    for name in bounded:
        if chain.loaded.config.vaults[name].max_authority is None:
            raise ConfigError(where, f"vaults.{name}.max_authority", NEEDED, "none (keeper authority)")
    found = look(chain, bounded)
    for exposure in found:
        if isinstance(exposure.found, Unusable):
            raise TransientError(f"{exposure.vault}: what its key could lose is {exposure.told}")
        if not exposure.is_within:
            raise ConfigError(
                where, place(exposure), exposure.expected, f"{text.usd(_day(exposure))} (keeper authority)"
            )
    return {exposure.vault: exposure.told for exposure in found}


def check_authority(chain: Chain) -> list[Finding]:
    """Of every vault of the chain, armed or not."""
    return [Finding(place(each), each.expected, each.told, each.is_within) for each in look(chain, chain.vaults)]


def grown(chain: Chain, armed: Collection[str]) -> Mapping[str, str]:
    """Vault -> why its key could lose too much since it was armed; empty where it could not. What is not known now is
    left out: without prices nothing is traded anyway, and the next look comes."""
    bounded = [name for name in armed if name in chain.loaded.config.vaults and _is_bounded(chain, name)]
    try:
        found = look(chain, bounded)
    except TransientError:
        return {}
    known = [exposure for exposure in found if isinstance(exposure.found, WorstLoss)]
    return {each.vault: "" if each.is_within else f"{each.expected}, found {text.usd(_day(each))}" for each in known}


def place(exposure: Exposure) -> str:
    return f"vaults.{exposure.vault}.max_authority"


def _day(exposure: Exposure) -> TokenAmount:
    assert isinstance(exposure.found, WorstLoss)
    return exposure.found.day


def _is_bounded(chain: Chain, vault: str) -> bool:
    return chain.loaded.config.vaults[vault].max_authority is not None or _needs_limit(chain, vault)


def _needs_limit(chain: Chain, vault: str) -> bool:
    """On a chain where money is real, if there is a key at all."""
    vaults = chain.loaded.config.vaults
    return vaults[vault].is_live and not chain.config.is_local and vaults[vault].custody.signer is not None
