"""What a role of Zodiac Roles v2 must allow, and no more: targets, functions, and conditions on their arguments.

A condition is a tree along the types of a call's arguments. `scopeFunction` takes it flat, level by level, each node
with its parent's index (github.com/gnosisguild/zodiac-modifier-roles, packages/evm/contracts/Types.sol, Integrity.sol).
Nobody can put a price into it: `min_out` is free.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from eth_abi.abi import encode

from keeper.core.abi import calldata, selector
from keeper.core.pools import Pool, Router
from keeper.core.units import Address, Token

APPROVE = "approve(address,uint256)"
V2_SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
V2_SWAP02 = "swapExactTokensForTokens(uint256,uint256,address[],address)"
V3_SWAP = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
V3_SWAP02 = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
MULTICALL = "multicall(uint256,bytes[])"
SCOPE_FUNCTION = "scopeFunction(bytes32,address,bytes4,(uint8,uint8,uint8,bytes)[],uint8)"
_NO_OPTIONS = 0
"""Neither coin nor delegatecall."""
_PPM = 10**6


class Kind(IntEnum):
    """Of an argument, as Roles numbers them; NONE where several conditions are of the same one."""

    NONE, STATIC, DYNAMIC, TUPLE, ARRAY, CALLDATA = range(6)


class Rule(IntEnum):
    """What an argument must be."""

    PASS, AND, OR = 0, 1, 2
    MATCHES, EVERY = 5, 7
    IS_SAFE, EQUALS, MASK, WITHIN_ALLOWANCE = 15, 16, 21, 28


@dataclass(frozen=True, slots=True)
class Condition:
    kind: Kind
    rule: Rule
    value: bytes = b""
    parts: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """One function of one target."""

    target: Address
    function: str
    condition: Condition

    def call(self, role: bytes) -> bytes:
        flat = [(parent, each.kind, each.rule, each.value) for parent, each in flatten(self.condition)]
        return calldata(SCOPE_FUNCTION, role, self.target, selector(self.function), flat, _NO_OPTIONS)


def flatten(root: Condition) -> list[tuple[int, Condition]]:
    """Level by level, each with its parent's place; the root is its own."""
    found = [(0, root)]
    for place, (_, condition) in enumerate(found):  # grows meanwhile
        found += [(place, part) for part in condition.parts]
    return found


ANY = Condition(Kind.STATIC, Rule.PASS)
SAFE = Condition(Kind.STATIC, Rule.IS_SAFE)


def role_scopes(pools: Sequence[Pool], allowances: Mapping[Token, bytes]) -> list[Scope] | str:
    """All that trading these tokens through these pools needs, or why that cannot be said in conditions.

    `allowances` are the tokens that may be sold, each with the key of what bounds it.
    """
    routers = list(dict.fromkeys(pool.router for pool in pools))
    spenders = _one_of("address", [router.address for router in routers])
    scopes = [
        Scope(token.address, APPROVE, _arguments(spenders, Condition(Kind.STATIC, Rule.WITHIN_ALLOWANCE, key)))
        for token, key in allowances.items()
    ]
    for router in routers:
        swap = _swap(router, [pool for pool in pools if pool.router == router])
        if isinstance(swap, str):
            return swap
        scopes.append(swap)
    return scopes


def _swap(router: Router, pools: Sequence[Pool]) -> Scope | str:
    tokens = _one_of("address", dict.fromkeys(token.address for pool in pools for token in pool.tokens))
    fees = _one_of("uint24", dict.fromkeys(int(pool.fee * _PPM) for pool in pools))
    kinds = {pool.kind for pool in pools}
    v3 = (tokens, tokens, fees, SAFE)
    path = Condition(Kind.ARRAY, Rule.EVERY, parts=(tokens,))
    match router.kind:
        case "v2_router":
            return Scope(router.address, V2_SWAP, _arguments(ANY, ANY, path, SAFE, ANY))
        case "swap_router":
            return Scope(router.address, V3_SWAP, _arguments(_tuple(*v3, ANY, ANY, ANY, ANY)))
        case "swap_router02" if len(kinds) == 1:
            if kinds == {"uniswap_v2"}:
                inner = _inside(V2_SWAP02, _arguments(ANY, ANY, path, SAFE))
            else:
                inner = _inside(V3_SWAP02, _arguments(_tuple(*v3, ANY, ANY, ANY)))
            return Scope(router.address, MULTICALL, _arguments(ANY, Condition(Kind.ARRAY, Rule.EVERY, parts=(inner,))))
    several = "v2 and v3 pools behind one SwapRouter02: Roles cannot tell their calls apart inside a multicall"
    return several if router.kind == "swap_router02" else f"routers of kind {router.kind} have no scopes here"


def _arguments(*parts: Condition) -> Condition:
    return Condition(Kind.CALLDATA, Rule.MATCHES, parts=parts)


def _tuple(*parts: Condition) -> Condition:
    return Condition(Kind.TUPLE, Rule.MATCHES, parts=parts)


def _one_of(kind: str, values: Iterable[object]) -> Condition:
    equal = tuple(Condition(Kind.STATIC, Rule.EQUALS, encode([kind], [value])) for value in values)
    return equal[0] if len(equal) == 1 else Condition(Kind.NONE, Rule.OR, parts=equal)


def _inside(function: str, condition: Condition) -> Condition:
    """A call among bytes: its arguments, and its first four bytes, which `MATCHES` alone does not look at."""
    # {2 bytes where}{15 bytes mask}{15 bytes expected}
    mask = bytes(2) + (b"\xff" * 4).ljust(15, b"\0") + selector(function).ljust(15, b"\0")
    return Condition(Kind.NONE, Rule.AND, parts=(condition, Condition(Kind.DYNAMIC, Rule.MASK, mask)))
