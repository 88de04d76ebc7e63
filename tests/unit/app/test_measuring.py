from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode

from keeper.app.claims import Claims
from keeper.app.measuring import Judged, judge, look_at_transfers, pin_transfers
from keeper.chain.nodes.messages import Request
from keeper.chain.reading.pins import Pins
from keeper.chain.reading.transfers import Measured
from keeper.core.abi import calldata
from keeper.core.chain import Unusable
from keeper.core.pools import Pool, Router
from keeper.core.transfers import Transfer
from keeper.core.units import Token
from tests.builders import CHAIN, ETH, USDC, WETH, address, fake_pool, make_block, units
from tests.unit.app.app_configs import DAI as DAI_AT
from tests.unit.app.app_configs import HOLDER, OTHER_POOL, POOL, config

DAI, LUSD = Token(CHAIN, DAI_AT, "DAI", 6), Token(CHAIN, address(0xC0), "LUSD", 6)
SENT = 10**9
ROUTER = address(0x3202)
MOVES = {"whole": (SENT, SENT, SENT, 0), "fee": (SENT, SENT, SENT * 99 // 100, 0)}
BOTH = (f'pools: ["{POOL}"]', f'pools: ["{POOL}", deep]')
NO_WORD = "the node puts no code in an account's place (state override)"


class Node:
    """Transfers each token as it is told to, whole where it is told nothing; None says that it knows no override."""

    def __init__(self, does: Mapping[Token, str | None] | None = None) -> None:
        self.does = {token.address.lower(): how for token, how in (does or {}).items()}
        self.asked: dict[str, set[str]] = {}

    def batch(self, requests: Sequence[Request]) -> list[str]:
        return [self._one(*params) for _, params in requests]

    def _one(self, call: Any, at: str, places: Any) -> str:
        token, _ = decode(["address", "address[]"], bytes.fromhex(call["data"][10:]))
        self.asked[token] = set(places)
        how = self.does.get(token, "whole")
        types = ["address", "(uint256,int256,int256,int256)[]", "bool", "bytes"]
        return "0x" if how is None else "0x" + encode(types, [address(1), [MOVES[how]], False, b""]).hex()


def pool_of(number: int, *tokens: Token) -> Pool:
    router = Router("swap_router02", ROUTER)
    return replace(fake_pool(units(WETH, 1), units(USDC, 1), number=number, router=router).pool, tokens=tokens)


def pinned(folder: Path, node: Node, *pools: Pool, edits: tuple[tuple[str, str], ...] = ()) -> Pins:
    pins = Pins(make_block(), pools={pool.address: pool for pool in pools})
    pin_transfers(node, Claims(config(folder, BOTH, *edits).config, "local", ("treasury",)), pins)  # type: ignore[arg-type]
    return pins


DIRECT, SIDEWAYS = pool_of(0xB001, WETH, USDC), pool_of(0xB002, WETH, DAI)


def test_pin__of_plain_tokens__notes_each_once_and_leaves_nothing_out(tmp_path: Path) -> None:
    pins = pinned(tmp_path, Node(), DIRECT, pool_of(0xB002, WETH, DAI, LUSD))
    assert [each.path for each in pins.findings] == [
        *[f"chains.local.tokens.{symbol}" for symbol in ("WETH", "USDC", "DAI")],
        "vaults.treasury.pools[1]: LUSD",
    ]
    assert not pins.wrong and not pins.left_out and not pins.warnings


@pytest.mark.fault("K1")
def test_pin__of_a_fee_in_between__leaves_its_pools_out_by_name_and_spares_the_start(tmp_path: Path) -> None:
    pins = pinned(tmp_path, Node({DAI: "fee"}), DIRECT, SIDEWAYS)
    said = "expected plain tokens, found DAI takes 1 % on transfer: 990.000 DAI of 1,000.00 DAI arrived"
    assert pins.left_out == {OTHER_POOL: said}
    assert [(str(each), each.spares) for each in pins.wrong] == [(f"vaults.treasury.pools[1]: {said}", True)]


@pytest.mark.fault("K1")
def test_pin__of_a_fee_token_that_a_vault_trades__says_first_that_none_such_is_traded(tmp_path: Path) -> None:
    first, second = pinned(tmp_path, Node({USDC: "fee"}), DIRECT, SIDEWAYS).wrong
    assert str(first) == (
        "chains.local.tokens.USDC: expected a plain token, found USDC takes 1 % on transfer: 990.000 USDC of "
        "1,000.00 USDC arrived; the keeper trades no such token"
    )
    assert (first.spares, second.spares, second.path) == (False, True, "vaults.treasury.pools[0]")


@pytest.mark.fault("K3")
def test_pin__of_a_token_declared_rebasing__leaves_its_pools_out_and_does_not_ask(tmp_path: Path) -> None:
    node, edit = Node(), (f'DAI: "{DAI_AT}"', f'DAI: {{address: "{DAI_AT}", rebasing: true}}')
    pins = pinned(tmp_path, node, DIRECT, SIDEWAYS, edits=(edit,))
    assert pins.left_out == {
        OTHER_POOL: "expected plain tokens, found DAI is declared rebasing: its balances move by themselves"
    }
    assert set(node.asked) == {WETH.address.lower(), USDC.address.lower()}


def test_pin__where_the_node_knows_no_override__warns_once_and_goes_on(tmp_path: Path) -> None:
    pins = pinned(tmp_path, Node(dict.fromkeys((WETH, USDC, DAI))), DIRECT, SIDEWAYS)
    assert pins.warnings == {"chains.local.tokens: transfers": f"not measured: {NO_WORD}"}
    assert not pins.findings and not pins.left_out


def test_pin__where_one_token_cannot_be_measured__names_it(tmp_path: Path) -> None:
    pins = pinned(tmp_path, Node({USDC: None}), DIRECT)
    assert pins.warnings == {"chains.local.tokens.USDC: transfers": f"not measured: {NO_WORD}"}


def test_pin__where_some_were_measured__names_each_that_was_not(tmp_path: Path) -> None:
    pins = pinned(tmp_path, Node({USDC: None, DAI: None}), DIRECT, SIDEWAYS)
    assert list(pins.warnings) == [f"chains.local.tokens.{symbol}: transfers" for symbol in ("USDC", "DAI")]


def test_look__of_pools_whose_tokens_lie_elsewhere__asks_those_who_hold_them_too(tmp_path: Path) -> None:
    node, base = Node(), address(0xBA5E)
    claims = Claims(config(tmp_path).config, "local", ("treasury",))
    meta = replace(pool_of(0xB003, LUSD, DAI), details=(("base", base),))
    found = look_at_transfers(node, claims, [DIRECT, meta, pool_of(0xB004, ETH, WETH)])  # type: ignore[arg-type]
    assert ETH not in found, "the native coin has no transfers"
    assert node.asked[USDC.address.lower()] >= {POOL, ROUTER, HOLDER}
    assert node.asked[DAI.address.lower()] >= {meta.address, base} and HOLDER not in node.asked[DAI.address.lower()]


WHOLE = Transfer(SENT, SENT, SENT)
PAUSED = calldata("Error(string)", "Pausable: paused")


@pytest.mark.parametrize(
    ("found", "look"),
    [
        (Measured((WHOLE, WHOLE, WHOLE)), Judged()),
        (Unusable("nobody holds any"), Judged(unknown="nobody holds any")),
        (Measured((), PAUSED), Judged(unknown="transfer 1 of 3 is refused: Pausable: paused")),
        (Measured((WHOLE,), b""), Judged(unknown="transfer 2 of 3 is refused: without a reason")),
        (Measured((Transfer(7, 7, 7),)), Judged(unknown="0.000007 USDC are too little to tell a fee from rounding")),
        (
            Measured((Transfer(SENT, SENT, 0),), b"no"),
            Judged("USDC moves nothing on transfer: 0.00 USDC of 1,000.00 USDC arrived"),
        ),
    ],
)
def test_judge__of_what_was_measured__is_odd_or_unknown_or_neither(found: Measured | Unusable, look: Judged) -> None:
    assert judge(USDC, found) == look
