"""Curve StableSwap: what to read of a pool, what the answers mean, and a swap as a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from keeper.core.abi import WORD, calldata, word
from keeper.core.calls import Call
from keeper.core.chain import Answers, Needs, Read, Unusable
from keeper.core.plan import OrderLeg
from keeper.core.pools import Pool, PoolState
from keeper.core.units import Address
from keeper.venues.curve_form import CACHED, FRESH, STORED, Form, form_of
from keeper.venues.curve_math import FEE_UNIT, PRECISION
from keeper.venues.curve_state import CurveState
from keeper.venues.curve_swap import StableSwap
from keeper.venues.curve_through import Below
from keeper.venues.swaps import swap_call

ROUTER = "curve"
EXCHANGE = "exchange(int128,int128,uint256,uint256)"
EXCHANGE_UNDERLYING = "exchange_underlying(int128,int128,uint256,uint256)"

ADMIN_FEE = "admin_fee()"
MAX_A = 10**6
_MOST_FEE = FEE_UNIT // 2
"""The contracts' own bounds."""
_TELLING = 1_000
"""{whole coins} So many show whether a metapool still calculates with the virtual price that it kept."""


class Curve:
    """Venue of plain pools, stableswap-ng pools and metapools.

    `A_precise()` is A as `exchange` has it at that block, ramp included; `A()` is the same in whole numbers, and all
    that the first pools have, which do not divide it. A metapool that keeps its base pool's virtual price for ten
    minutes says what it kept, but not the time of the block: its own quote, read along, shows which price holds.
    """

    def reads(self, pool: Pool, last: PoolState | None) -> tuple[Read, ...]:  # noqa: ARG002  always the same
        form = form_of(pool)
        return () if form.refused else tuple(named_reads(pool.address, form).values())

    def decode(self, pool: Pool, answers: Answers) -> CurveState | Needs | Unusable:
        form = form_of(pool)
        if form.refused:
            return Unusable(form.refused)
        named = named_reads(pool.address, form)
        if missing := tuple(read for read in named.values() if read not in answers):
            return Needs(missing)
        return decode_state(pool, form, {name: answers[read] for name, read in named.items()})

    def encode(self, leg: OrderLeg, recipient: Address, deadline: int) -> Call:  # noqa: ARG002  it knows neither
        """The pool pays whoever calls it, which is the account, and knows no deadline: the intent is cancelled at it.

        Raises ValueError where the leg is more than this one pool or its floor is missing.
        """
        pool = leg.leg.pool
        form = form_of(pool)
        i, j = form.place(leg.leg.sell.token.address), form.place(leg.leg.buy.address)
        if len(leg.leg.pools) != 1 or i is None or j is None:
            raise ValueError(f"swap in {pool.label}: expected its own tokens and no other pool, was {leg.leg.label}")
        amounts, own = (leg.leg.sell.raw, leg.min_out.raw), len(form.coins)
        if max(i, j) < own:
            return swap_call([leg], calldata(EXCHANGE, i, j, *amounts))
        # Underlying coins are counted without the base pool's share: 0 is the metapool's own, then the base pool's.
        under = (k if k < own else k - own + 1 for k in (i, j))
        return swap_call([leg], calldata(EXCHANGE_UNDERLYING, *under, *amounts))


# --- reading -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1 << 12)
def named_reads(pool: Address, form: Form) -> Mapping[str, Read]:
    """By the words that say what did not answer."""
    calls = own_calls(form)
    reads = {call: Read(pool, calldata(call, *arguments)) for call, arguments in calls}
    if form.old_index or not form.listed:
        signature = "balances(int128)" if form.old_index else "balances(uint256)"
        reads |= {f"balances({k})": Read(pool, calldata(signature, k)) for k in range(len(form.coins))}
    if form.rates in (FRESH, CACHED) and form.base is not None:
        reads["base get_virtual_price()"] = Read(form.base, calldata("get_virtual_price()"))
    if form.rates == CACHED:
        reads["get_dy"] = Read(pool, calldata("get_dy(int128,int128,uint256)", 0, 1, telling(form)))
    if form.under is not None and form.base is not None:
        base = named_reads(form.base, form.under)
        reads |= {f"base {name}": read for name, read in base.items() if name != ADMIN_FEE}
        reads["base supply"] = Read(form.coins[1], calldata("totalSupply()"))
    return reads


def own_calls(form: Form) -> list[tuple[str, tuple[int, ...]]]:
    names = ["A_precise()" if form.scale > 1 else "A()", "fee()"]
    names += ["offpeg_fee_multiplier()"] if form.offpeg else []
    names += ["get_balances()"] if form.listed and not form.old_index else []
    names += ["stored_rates()"] if form.rates == STORED else []
    names += ["base_virtual_price()"] if form.rates == CACHED else []
    names += ["is_killed()"] if form.killable else []
    names.append(ADMIN_FEE)
    return [(name, ()) for name in names]


def telling(form: Form) -> int:
    return int(_TELLING * 10 ** form.decimals[0])


# --- decoding ------------------------------------------------------------------------------------------------------

Named = Mapping[str, bytes | None]


def decode_state(pool: Pool, form: Form, answers: Named) -> CurveState | Unusable:
    try:
        below = None
        if form.under is not None:
            base = _numbers(form.under, _of_base(answers), form.under.multipliers)
            below = Below(base, _figure(answers, "base supply"))
        swap = _with_rates(form, answers)
        killed = bool(form.killable and _figure(answers, "is_killed()"))
    except (ValueError, ArithmeticError) as error:
        return Unusable(str(error))
    return CurveState(replace(pool, fee=Fraction(swap.fee, FEE_UNIT)), form.all_coins, swap, below, killed)


def _of_base(answers: Named) -> Named:
    return {name.removeprefix("base "): answer for name, answer in answers.items() if name.startswith("base ")}


def _with_rates(form: Form, answers: Named) -> StableSwap:
    if form.rates not in (FRESH, CACHED):
        return _numbers(form, answers, form.multipliers)
    fresh = _numbers(form, answers, (form.multipliers[0], _figure(answers, "base get_virtual_price()")))
    if form.rates == FRESH:
        return fresh
    kept = _numbers(form, answers, (form.multipliers[0], _figure(answers, "base_virtual_price()")))
    said, sold = _figure(answers, "get_dy"), telling(form)
    for swap in (kept, fresh):
        if swap.out(0, 1, sold) == said:
            return swap
    found = f"{kept.out(0, 1, sold)} or {fresh.out(0, 1, sold)}"
    raise ValueError(f"get_dy of {_TELLING} whole coins: expected {found}, was {said}")


def _numbers(form: Form, answers: Named, rates: Sequence[int]) -> StableSwap:
    n = len(form.coins)
    if form.listed and not form.old_index:
        balances = _list(answers, "get_balances()", n)
    else:
        balances = [_figure(answers, f"balances({k})") for k in range(n)]
    if form.rates == STORED:
        rates = _list(answers, "stored_rates()", n)
    amp = _figure(answers, "A_precise()" if form.scale > 1 else "A()")
    fee = _figure(answers, "fee()")
    offpeg = _figure(answers, "offpeg_fee_multiplier()") if form.offpeg else 0
    admin = _share(answers.get(ADMIN_FEE))
    if not 0 < amp <= MAX_A * form.scale:
        raise ValueError(f"A: expected 1 to {MAX_A}, was {Fraction(amp, form.scale)}")
    if fee > _MOST_FEE or (offpeg > FEE_UNIT and fee * offpeg > _MOST_FEE * FEE_UNIT):
        raise ValueError(f"fee: expected at most {_MOST_FEE} of 10^10, was {fee} times {offpeg or FEE_UNIT} of 10^10")
    for k, (balance, rate) in enumerate(zip(balances, rates, strict=True)):
        if not balance * rate // PRECISION:
            raise ValueError(f"the pool is empty of coin {k}, {form.coins[k]}")
    return StableSwap.of(balances, rates, amp, form.scale, form.product, fee, offpeg, admin)


def _share(answer: bytes | None) -> int | None:
    """{of FEE_UNIT} None where there is none: such a pool is quoted, but nobody knows what it is after a swap."""
    found = word(answer, 0) if answer is not None and len(answer) >= WORD else FEE_UNIT + 1
    return found if found <= FEE_UNIT else None


def _figure(answers: Named, name: str) -> int:
    """Raises ValueError, which names what did not answer."""
    answer = answers[name]
    if answer is None or len(answer) < WORD:
        raise ValueError(f"{name} does not answer")
    return word(answer, 0)


def _list(answers: Named, name: str, n: int) -> list[int]:
    """n numbers, in a list that tells its length or in an array that does not."""
    answer = answers[name]
    if figures := parse_list(answer, n):
        return figures
    raise ValueError(f"{name}: expected {n} figures, was {'none' if answer is None else f'{len(answer)} bytes'}")


def parse_list(answer: bytes | None, n: int) -> list[int] | None:
    if answer is None:
        return None
    if len(answer) == n * WORD:
        return [word(answer, k) for k in range(n)]
    if len(answer) == (n + 2) * WORD and word(answer, 0) == WORD and word(answer, 1) == n:
        return [word(answer, k + 2) for k in range(n)]
    return None
