"""A thief holds the keeper's key of a reference vault, and never takes more than the bound that the contract states.

What counts as taken is what the vault loses at feed prices, whoever gains it, and gains are not set off.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from random import Random

import pytest

from keeper.core.abi import calldata
from keeper.core.units import Address
from keeper.local.anvil import run_anvil
from tests.chain.node import Node
from tests.chain.reference_vault import FOREVER, Swap, rebalance
from tests.chain.uniswap import MAX_UINT256
from tests.chain.vault_attacks import (
    random_attack,
    sandwich,
    single,
    split,
    steal,
    sweep,
    through_v2,
    trade,
    turn,
)
from tests.chain.vault_scene import (
    CAPACITY,
    MAX_AGE,
    PRICES,
    REFILL,
    Action,
    Moment,
    Scene,
    act,
    bound,
    build_scene,
    run_attacks,
)

ATTACKS = max(2_000, int(os.environ.get("KEEPER_CASES", "0")))
BEST = Fraction(9, 10)
"""Of the bound: what makes it tight."""


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with run_anvil() as anvil:
        yield build_scene(Node(anvil.url))


# --- by hand ---------------------------------------------------------------------------------------------------------

PAIR = "WETH", "USDC"
Attack = Callable[[Scene], list[Moment]]


def at_once(*steps: list[Action]) -> list[Moment]:
    return [Moment(1, steps)]


def _address(scene: Scene, symbol: str) -> Address:
    return scene.tokens[symbol].address


def _hooked(scene: Scene, armed: Action) -> list[Moment]:
    """While HOOK leaves the vault, its hook does something."""
    return at_once(
        [(scene.puppet, calldata("arm(address,bytes)", *armed))], [turn(scene, steal(scene, "HOOK", "USDC", CAPACITY))]
    )


def _leave_allowance(scene: Scene) -> list[Moment]:
    """Uses half of what is approved, and comes back for the rest."""
    swap = steal(scene, *PAIR, CAPACITY)
    later = _take(scene, "WETH", swap.sell_amount)
    return at_once([turn(scene, swap._replace(sell_amount=2 * swap.sell_amount)), later], [later])


def _dust(scene: Scene) -> list[Moment]:
    """The smallest amount of dollars for nothing, again and again."""
    swap = Swap(scene.puppet, act([_take(scene, "USDC", 1)]), _address(scene, "USDC"), 1, _address(scene, "WETH"))
    return at_once([turn(scene, *[swap] * 20)], *[[turn(scene, swap)] for _ in range(20)])


def _as_owner(scene: Scene) -> list[Moment]:
    token, thief = _address(scene, "USDC"), scene.puppet
    wishes = (
        calldata("withdraw(address,uint256,address)", token, 10**9, thief),
        calldata("setLimits(uint128,uint128,uint256)", 10**30, 10**30, 1_000),
        calldata("offerOwnership(address)", thief),
        calldata("acceptOwnership()"),
        calldata("listToken(address,address,uint32)", thief, scene.feeds["WETH"], MAX_AGE),
        calldata("allow(address,bytes4,bool)", token, b"\x23\xb8\x72\xdd", True),
        calldata("pause()"),
        calldata("unpause()"),
    )
    return at_once([(scene.vault, each) for each in wishes], [turn(scene, steal(scene, *PAIR, CAPACITY))])


def _token_as_target(scene: Scene) -> list[Moment]:
    weth, usdc = _address(scene, "WETH"), _address(scene, "USDC")
    moves = (
        calldata("transfer(address,uint256)", scene.puppet, 10**18),
        calldata("approve(address,uint256)", scene.puppet, MAX_UINT256),
        calldata("withdraw(uint256)", 10**18),
    )
    targets = [Swap(weth, move, weth, 10**18, usdc) for move in moves]
    own = Swap(
        scene.vault, calldata("withdraw(address,uint256,address)", weth, 10**18, scene.puppet), weth, 10**18, usdc
    )
    later = _take(scene, "WETH", 10**18)
    return at_once(*[[turn(scene, swap), later] for swap in (*targets, own)])


def _borrow(scene: Scene) -> list[Moment]:
    """Takes everything in a first swap, and gives back more than that in a second."""
    take = steal(scene, *PAIR, CAPACITY // 2, Fraction(0))
    give = steal(scene, "LINK", "USDC", 1_000, Fraction(80))
    return at_once([turn(scene, take, give)], [turn(scene, give, take)])


def _bleed(scene: Scene) -> list[Moment]:
    swap = steal(scene, *PAIR, Fraction(CAPACITY, 100))
    return at_once(*[[turn(scene, *[swap] * 10)] for _ in range(11)])


def _wait_and_return(scene: Scene) -> list[Moment]:
    """Empties the bucket, and again each time it has refilled; feeds stand still and are fresh."""
    wait, again = 3_000, 3_000 * REFILL
    first = Moment(1, [[turn(scene, steal(scene, *PAIR, CAPACITY))]])
    return [first, *[Moment(wait, [[turn(scene, steal(scene, *PAIR, again))]], PRICES) for _ in range(3)]]


def _wait_for_the_rest(scene: Scene) -> list[Moment]:
    """A day of refilling does not fill it higher than its brim."""
    step = [turn(scene, steal(scene, *PAIR, CAPACITY))]
    return [Moment(1, [step, step]), Moment(86_400, [step, step], PRICES)]


def _around_a_move(scene: Scene) -> list[Moment]:
    """Ether halves: sells before and after, at the floor of each moment."""
    half = {"WETH": PRICES["WETH"] / 2}
    first = Moment(1, [[turn(scene, steal(scene, *PAIR, CAPACITY))]])
    later = steal(scene, *PAIR, 600 * REFILL, prices=PRICES | half)
    return [first, Moment(600, [[turn(scene, later)]], half)]


def _stale(scene: Scene) -> list[Moment]:
    """The market has moved away, and the feeds are silent."""
    step = [turn(scene, steal(scene, *PAIR, CAPACITY))]
    return [Moment(1, []), Moment(MAX_AGE + 60, [step]), Moment(1, [step], {"USDC": Fraction(1)})]


def _many_deadlines(scene: Scene) -> list[Moment]:
    swap = steal(scene, *PAIR, CAPACITY)
    return at_once(*[[turn(scene, swap, deadline=when)] for when in (0, 1, MAX_UINT256, FOREVER)])


def _strange_bytes(scene: Scene) -> list[Moment]:
    """The same array twice over, a swap cut short, an offset beyond the end, and lengths that overflow."""
    good = rebalance([steal(scene, *PAIR, CAPACITY)])
    huge = good[:4] + good[4:36].replace(b"\x40", b"\xff") + good[36:]
    length = good[:68] + MAX_UINT256.to_bytes(32, "big") + good[100:]
    return at_once([(scene.vault, data) for data in (good + good[4:], good[:-32], huge, length, good[:4])])


def _amounts(scene: Scene) -> list[Moment]:
    swap = steal(scene, *PAIR, CAPACITY)
    amounts = (0, 1, swap.sell_amount - 1, 10**30, MAX_UINT256)
    return at_once(*[[turn(scene, swap._replace(sell_amount=raw))] for raw in amounts])


def _undo(scene: Scene) -> list[Moment]:
    """There and back, a little poorer each time."""
    there, back = (steal(scene, *pair, Fraction(CAPACITY, 10)) for pair in (PAIR, ("USDC", "WETH")))
    return at_once([turn(scene, *[there, back] * 5)], [turn(scene, there, back)])


def _take(scene: Scene, symbol: str, raw: int) -> Action:
    """Straight out of the vault, if only there is an allowance."""
    return _address(scene, symbol), calldata("transferFrom(address,address,uint256)", scene.vault, scene.puppet, raw)


def _worst_pool(scene: Scene) -> list[Moment]:
    sizes = CAPACITY // 10, CAPACITY
    return at_once(*[[turn(scene, single(scene, *PAIR, usd, 3_000, scene.vault))] for usd in sizes])


def _sandwich(scene: Scene, usd: int) -> list[Moment]:
    return at_once(sandwich(scene, usd, single(scene, *PAIR, CAPACITY, 500, scene.vault)))


def _move_and_leave(scene: Scene) -> list[Moment]:
    swap = single(scene, *PAIR, CAPACITY // 8, 500, scene.vault)
    move = trade(scene, *PAIR, scene.raw("WETH", 9_000_000), 500)
    return [Moment(1, [[move]]), Moment(12, [[turn(scene, swap)]] * 8)]


def _split(scene: Scene) -> list[Moment]:
    return at_once([turn(scene, split(scene, *PAIR, CAPACITY // 20, 500, Fraction(93, 10_000)))] * 20)


def _fee(scene: Scene) -> list[Moment]:
    return at_once([turn(scene, sweep(scene, *PAIR, CAPACITY // 20, 500, 93))] * 20)


def _duplicates(scene: Scene) -> list[Moment]:
    return at_once([turn(scene, *[steal(scene, *PAIR, CAPACITY)] * 3)])


def _again_inside(scene: Scene) -> Swap:
    return steal(scene, *PAIR, CAPACITY, also=(turn(scene, steal(scene, "LINK", "USDC", CAPACITY)),))


def once(make: Callable[[Scene], Swap]) -> Attack:
    """A single swap, by itself."""
    return lambda scene: at_once([turn(scene, make(scene))])


HAND_MADE: dict[str, tuple[Attack, str]] = {
    "recipient elsewhere": (once(lambda s: single(s, *PAIR, CAPACITY, 500, s.puppet)), "none"),
    "target not listed": (once(lambda s: steal(s, *PAIR, CAPACITY)._replace(target=s.uniswap.quoter)), "none"),
    "no min_out in a deep pool": (once(lambda s: single(s, *PAIR, CAPACITY, 500, s.vault)), "some"),
    "no min_out in the worst pool": (_worst_pool, "some"),
    "a long way round": (once(lambda s: through_v2(s, ["LINK", *PAIR], 3_000, s.vault)), "some"),
    "small bleeds": (_bleed, "best"),
    "sandwich in the real pool": (lambda s: _sandwich(s, 9_000_000), "best"),
    "sandwich too greedy": (lambda s: _sandwich(s, 12_000_000), "none"),
    "moves the real pool and leaves it": (_move_and_leave, "best"),
    "own pool behind a real router": (once(lambda s: single(s, "LINK", "USDC", CAPACITY, 100, s.vault)), "best"),
    "router splits the proceeds": (_split, "best"),
    "router takes a fee": (_fee, "best"),
    "listed target is the thief": (once(lambda s: steal(s, *PAIR, CAPACITY)), "best"),
    "two that undo each other": (_undo, "best"),
    "the same swap many times in one array": (_duplicates, "none"),
    "one token for itself": (once(lambda s: steal(s, "WETH", "WETH", CAPACITY)), "none"),
    "take all, then give back": (_borrow, "none"),
    "hook calls rebalance": (lambda s: _hooked(s, turn(s, steal(s, *PAIR, CAPACITY))), "best"),
    "hook moves another token": (lambda s: _hooked(s, _take(s, "USDC", 10**9)), "best"),
    "target calls rebalance": (once(_again_inside), "best"),
    "allowance left for later": (_leave_allowance, "best"),
    "token or vault as target": (_token_as_target, "none"),
    "owner's functions": (_as_owner, "none"),
    "stale feeds": (_stale, "none"),
    "around a move of the feed": (_around_a_move, "best"),
    "waits for the bucket": (_wait_and_return, "best"),
    "waits for more than the bucket": (_wait_for_the_rest, "some"),
    "deadlines": (_many_deadlines, "best"),
    "amounts": (_amounts, "none"),
    "dust": (_dust, "none"),
    "strange bytes": (_strange_bytes, "best"),
    "turnover beyond the bucket": (once(lambda s: steal(s, *PAIR, CAPACITY + 1)), "none"),
}
"""Name -> the attack, and what comes of it: `none`, `some`, or at least 90 % of the bound (`best`)."""


@pytest.mark.parametrize("name", HAND_MADE)
def test_attack__made_by_hand__takes_what_is_expected_and_never_more_than_the_bound(scene: Scene, name: str) -> None:
    attack, expected = HAND_MADE[name]
    (found,) = run_attacks(scene, [attack(scene)])
    assert found.within()
    assert found.approved == 0
    kind = "best" if found.share >= BEST else "some" if found.share else "none"
    assert kind == expected, f"{float(found.share):.4f} of the bound"


def test_attack__the_best_one__also_enriches_the_thief_by_nearly_the_bound(scene: Scene) -> None:
    (found,) = run_attacks(scene, [HAND_MADE["listed target is the thief"][0](scene)])
    assert BEST * bound(0) <= found.gain <= bound(0)
    (honest,) = run_attacks(scene, [_split(scene)])
    assert BEST * bound(0) <= honest.gain <= bound(0), "the same where every target is an honest router"


# --- at random -------------------------------------------------------------------------------------------------------


def test_attack__at_random_and_free_in_every_byte__never_takes_more_than_the_bound(scene: Scene) -> None:
    attacks = [random_attack(scene, Random(seed)) for seed in range(ATTACKS)]
    found = run_attacks(scene, attacks)
    assert len(found) >= 2_000
    assert [seed for seed, each in enumerate(found) if not each.within() or each.approved] == []
    assert sum(bool(each.trades) for each in found) > ATTACKS // 2, "most of them get something done"
    assert max(each.share for each in found) >= BEST
