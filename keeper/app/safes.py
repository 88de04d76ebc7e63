"""Whether the Safes of a chain are what the configuration says, and let its keys do what they must."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keeper.chain.nodes.rpc import Rpc, RpcError
from keeper.chain.reading.direct import revert_data
from keeper.chain.reading.pins import Pinner, Pins, parse_label
from keeper.config import Config
from keeper.config.custody import full_authority
from keeper.config.safes import InSafe, ProposeConfig, RolesConfig, SafeConfig, SafeModuleConfig
from keeper.core.abi import address_word, calldata, selector, word
from keeper.core.chain import Answers, Read
from keeper.core.units import Address
from keeper.custody.multi_send import CALL, Operation
from keeper.custody.roles import RoleMember, role_key, unwrapper_of
from keeper.custody.safe import NOBODY
from keeper.custody.safe_module import IS_ENABLED

VERSION, THRESHOLD = calldata("VERSION()"), calldata("getThreshold()")
AVATAR, TARGET = calldata("avatar()"), calldata("target()")
NO_MEMBER = {selector("NoMembership()"), selector("NotAuthorized(address)")}


def pin_safes(rpc: Rpc, pinner: Pinner, pins: Pins, config: Config, vaults: Sequence[str]) -> None:
    """Notes every look. Raises Unreachable."""
    for vault in vaults:
        custody = config.vaults[vault].custody if vault in config.vaults else None
        if isinstance(custody, ProposeConfig):
            _pin_owners(pinner, pins, custody, f"vaults.{vault}.custody")
        if not isinstance(custody, InSafe):
            continue
        path, key = f"vaults.{vault}.custody", config.signing_for(vault)
        if authority := full_authority(custody):
            pins.note(path, "authority that is meant", authority, True)
        places = dict(_places(custody))
        pinner.look_for_code(pins, {address: f"{path}.{name}" for name, address in places.items()})
        if any(address not in pins.code_hashes for address in places.values()):
            continue
        _pin(pinner, pins, custody, path, key)
        if isinstance(custody, RolesConfig):
            _pin_role(rpc, pins, custody, path, key)


def _pin_owners(pinner: Pinner, pins: Pins, custody: ProposeConfig, path: str) -> None:
    """Whoever the owners are, there must be a Safe for which they sign."""
    pinner.look_for_code(pins, {custody.safe: f"{path}.safe", custody.batcher: f"{path}.multi_send"})
    version, threshold = Read(custody.safe, VERSION), Read(custody.safe, THRESHOLD)
    answers = pinner.fetch(pins, [version, threshold])
    found, needed = parse_label(answers.get(version)) or "no Safe", _figure(answers, threshold)
    pins.note(f"{path}.version", custody.version, found, found == custody.version)
    pins.note(f"{path}.safe", "owners who sign", f"threshold {needed}" if needed else "none", bool(needed))


def _places(custody: InSafe) -> Iterator[tuple[str, Address]]:
    yield "safe", custody.safe
    yield "multi_send", custody.batcher
    if isinstance(custody, SafeModuleConfig) and custody.module is not None:
        yield "module", custody.module
    if isinstance(custody, RolesConfig):
        yield "modifier", custody.modifier


def _pin(pinner: Pinner, pins: Pins, custody: InSafe, path: str, key: Address) -> None:
    safe, through = custody.safe, _through(custody)
    owner, threshold = Read(safe, calldata("isOwner(address)", key)), Read(safe, THRESHOLD)
    enabled = Read(safe, calldata(IS_ENABLED, through or key))
    asked = [Read(safe, VERSION), owner, threshold, enabled]
    if through is not None:
        asked += [Read(through, AVATAR), Read(through, TARGET), Read(through, calldata(IS_ENABLED, key))]
        asked.append(unwrapper_of(through, custody.batcher))
    answers = pinner.fetch(pins, asked)
    version = parse_label(answers.get(Read(safe, VERSION))) or "no Safe"
    pins.note(f"{path}.version", custody.version, version, version == custody.version)
    if isinstance(custody, SafeConfig):
        found = _figure(answers, threshold)
        pins.note(f"{path}.safe", "threshold 1", "none" if found is None else f"threshold {found}", found == 1)
        _yes(pins, f"{path}.signer", f"{key} among the owners of {safe}", answers, owner)
        return
    _yes(pins, f"{path}.safe", f"{through or key} enabled as a module of {safe}", answers, enabled)
    if through is not None:
        _pin_through(pins, custody, path, answers, through, key)


def _pin_through(pins: Pins, custody: InSafe, path: str, answers: Answers, through: Address, key: Address) -> None:
    """What stands between the key and the Safe: a modifier must say all of this, another module need not."""
    place, is_modifier = f"{path}.{'modifier' if isinstance(custody, RolesConfig) else 'module'}", True
    if not isinstance(custody, RolesConfig):
        is_modifier = answers.get(Read(through, AVATAR)) is not None
    if not is_modifier:
        return
    for name, data in (("avatar", AVATAR), ("target", TARGET)):
        found = _address(answers, Read(through, data))
        pins.note(place, f"{name} {custody.safe}", f"{name} {found}" if found else "none", found == custody.safe)
    _yes(pins, f"{path}.signer", f"{key} enabled at {through}", answers, Read(through, calldata(IS_ENABLED, key)))
    if isinstance(custody, RolesConfig):
        unwrapper = _figure(answers, unwrapper_of(through, custody.batcher))
        expected = f"an unwrapper for multiSend of {custody.batcher}"
        pins.note(place, expected, "one" if unwrapper else "none", bool(unwrapper))


def _pin_role(rpc: Rpc, pins: Pins, custody: RolesConfig, path: str, key: Address) -> None:
    """Nobody but the key can see whether it has the role: it asks to call nobody, and is told why not."""
    member = RoleMember(custody.safe, key, custody.modifier, role_key(custody.role), custody.batcher)
    data = member.seal(Operation(NOBODY, 0, b"", CALL))
    expected, found, is_member = f"{key} a member of role {custody.role}", "one", True
    try:
        rpc.call("eth_call", [{"from": key, "to": custody.modifier, "data": "0x" + data.hex()}, "latest"])
    except RpcError as refusal:
        if revert_data(refusal)[:4] in NO_MEMBER:
            found, is_member = "none", False
    pins.note(f"{path}.role", expected, found, is_member)


def _through(custody: InSafe) -> Address | None:
    if isinstance(custody, RolesConfig):
        return custody.modifier
    return custody.module if isinstance(custody, SafeModuleConfig) else None


def _yes(pins: Pins, path: str, expected: str, answers: Answers, read: Read) -> None:
    is_so = _figure(answers, read) == 1
    pins.note(path, expected, "yes" if is_so else "no", is_so)


def _figure(answers: Answers, read: Read) -> int | None:
    answer = answers.get(read)
    return word(answer, 0) if answer is not None and len(answer) >= 32 else None


def _address(answers: Answers, read: Read) -> Address | None:
    answer = answers.get(read)
    try:
        return None if answer is None else address_word(answer, 0)
    except ValueError:
        return None
