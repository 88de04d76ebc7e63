"""Recognises a Curve pool by asking it: which coins, which of the contracts, over which base pool; and then whether it
quotes what keeper calculates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import takewhile

from keeper.core.abi import WORD, calldata, word
from keeper.core.chain import Answers, Needs, Read, Unusable
from keeper.core.pools import NoQuote, Pool, Router
from keeper.core.units import NATIVE, Address, Rounding, Token, TokenAmount, ratio_to_int
from keeper.venues.curve import ROUTER, Curve, parse_list
from keeper.venues.curve_form import CACHED, CURVE, FIXED, FRESH, STORED, Form
from keeper.venues.curve_math import FEE_UNIT, Product
from keeper.venues.curve_swap import StableSwap
from keeper.venues.facts import Facts, parse_address

MOST_COINS = 8
MOST_DECIMALS = 36
_NATIVE_DECIMALS = 18
_NEAR = 10_000
"""A quote may differ by one part in so many: roundings are nearer, a wrong rate is further."""

_NAMES = (
    "A()",
    "fee()",
    "A_precise()",
    "gamma()",
    "initial_A()",
    "offpeg_fee_multiplier()",
    "stored_rates()",
    "get_balances()",
    "is_killed()",
    "totalSupply()",
    "base_pool()",
    "BASE_POOL()",
    "base_virtual_price()",
)
_OLD, _NEW = "coins(int128)", "coins(uint256)"
_PPM_OF_FEE = FEE_UNIT // 10**6


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an address answered to everything that tells Curve's contracts apart."""

    coins: tuple[Address, ...]
    old_index: bool
    said: Mapping[str, bytes | None]

    def has(self, name: str) -> bool:
        answer = self.said[name]
        return answer is not None and len(answer) >= WORD

    @property
    def is_ng(self) -> bool:
        return self.has("offpeg_fee_multiplier()") and self.has("stored_rates()")


class CurvePin:
    """A pool that is known and cannot be traded is pinned all the same, with the reason, so that a plan can tell it."""

    def reads(self, address: Address) -> tuple[Read, ...]:
        """Few, because every address of every family is asked them."""
        return _first_reads(address)

    def pin(self, address: Address, answers: Answers) -> Facts | Needs | None:
        seen = _look(address, answers)
        if not isinstance(seen, _Seen):
            return seen
        form = _form(seen, answers)
        if isinstance(form, Needs):
            return form
        if form is None:
            return None
        form = _over_its_base(seen, form, answers)
        if isinstance(form, Needs):
            return form
        form = _proved(address, form, answers)
        return form if isinstance(form, Needs) else _facts(address, form, seen)


def _facts(address: Address, form: Form, seen: _Seen) -> Facts:
    # {ppm} Rounded up: what the state of a block says of its fee is exact.
    ppm = ratio_to_int(Fraction(_word(seen.said["fee()"]), _PPM_OF_FEE), Rounding.UP)
    native = "it holds the chain's native coin, which is left out" if NATIVE in form.all_coins else ""
    return Facts(
        kind=form.kind,
        tokens=form.tradable,
        fee_ppm=ppm,
        factory=address,  # no contract of Curve's pools says who made it, and none needs another router than itself
        details=form.details(),
        router=Router(ROUTER, address, form.all_coins),
        warning=form.refused or native,
    )


# --- what it is ----------------------------------------------------------------------------------------------------


def _look(address: Address, answers: Answers) -> _Seen | Needs | None:
    """None where the address is no StableSwap pool."""
    places = {signature: _places(address, signature) for signature in (_NEW, _OLD)}
    figures = {name: Read(address, calldata(name)) for name in _NAMES}
    everything = (*places[_NEW], *places[_OLD], *figures.values())
    if needs := _missing(answers, everything):
        first = _first_reads(address)
        return needs if any(read not in answers for read in first) or _may_be_curve(first, answers) else None
    if not _may_be_curve(_first_reads(address), answers):
        return None
    old_index = parse_address(answers[places[_NEW][0]]) is None
    found = [parse_address(answers[read]) for read in places[_OLD if old_index else _NEW]]
    coins = list(takewhile(lambda coin: coin is not None, found))
    said = {name: answers[read] for name, read in figures.items()}
    # A pool that knows gamma keeps another invariant, and trades by other indices.
    if len(coins) < 2 or len(set(coins)) != len(coins) or _is_word(said["gamma()"]):
        return None
    return _Seen(tuple(coin for coin in coins if coin is not None), old_index, said)


def _first_reads(address: Address) -> tuple[Read, ...]:
    return tuple(Read(address, data) for data in (_coin(_NEW, 0), _coin(_OLD, 0), calldata("A()"), calldata("fee()")))


def _may_be_curve(first: tuple[Read, ...], answers: Answers) -> bool:
    new, old, amp, fee = (answers[read] for read in first)
    return (parse_address(new) or parse_address(old)) is not None and _is_word(amp) and _is_word(fee)


def _places(address: Address, signature: str) -> tuple[Read, ...]:
    return tuple(Read(address, _coin(signature, k)) for k in range(MOST_COINS))


def _form(seen: _Seen, answers: Answers) -> Form | Needs | None:
    """Its form as if it stood alone."""
    asked = {coin: Read(coin, calldata("decimals()")) for coin in seen.coins if coin != NATIVE}
    if needs := _missing(answers, (*asked.values(), _minter(seen))):
        return needs
    decimals = [_word(answers[asked[coin]]) if coin in asked else _NATIVE_DECIMALS for coin in seen.coins]
    if max(decimals) > MOST_DECIMALS:
        return None
    n = len(seen.coins)
    stored = seen.has("stored_rates()") and parse_list(seen.said["stored_rates()"], n) is not None
    form = Form(
        coins=seen.coins,
        decimals=tuple(decimals),
        product=_product(seen),
        rates=STORED if stored else FIXED,
        scale=100 if seen.has("A_precise()") else 1,
        old_index=seen.old_index,
        listed=parse_list(seen.said["get_balances()"], n) is not None,
        offpeg=seen.has("offpeg_fee_multiplier()"),
        killable=seen.has("is_killed()"),
    )
    return replace(form, refused=_refusal(form))


def _product(seen: _Seen) -> Product:
    if seen.is_ng:
        return Product.WHOLE
    if seen.old_index and not seen.has("initial_A()"):
        return Product.EACH_PLUS
    # A pool of two coins that is its own share came out of a factory.
    return Product.WHOLE if len(seen.coins) == 2 and seen.has("totalSupply()") else Product.EACH


def _refusal(form: Form) -> str:
    if len(form.tradable) < 2:
        return "it trades the chain's native coin, which a swap would have to carry along"
    if form.offpeg and form.rates != STORED:
        return "its coins grow in the pool by themselves (Aave's), and a transfer of them is not exact"
    return ""


# --- its base pool -------------------------------------------------------------------------------------------------


def _over_its_base(seen: _Seen, form: Form, answers: Answers) -> Form | Needs:
    """A metapool's second coin is the share of another pool, which it or the share names; some factories' metapools
    name neither, and there the share's minter does."""
    if len(form.coins) != 2 or (form.rates == STORED and not seen.has("BASE_POOL()")):
        return form
    share = form.coins[1]
    base = next((found for name in ("BASE_POOL()", "base_pool()") if (found := parse_address(seen.said[name]))), None)
    if base is None:
        base = parse_address(answers[_minter(seen)]) or share
    below = _look(base, answers)
    if not isinstance(below, _Seen):
        return below or form
    under = _form(below, answers)
    if not isinstance(under, Form):
        return under or form
    rates = STORED if form.rates == STORED else CACHED if seen.has("base_virtual_price()") else FRESH
    product = Product.WHOLE if rates == STORED else Product.EACH
    # A base pool over a base pool is priced by its shares alone; so is one that keeper does not trade itself.
    is_plain = under.rates in (FIXED, STORED) and not under.refused and not _is_over_another(below)
    return replace(form, rates=rates, product=product, base=base, under=under if is_plain else None)


def _minter(seen: _Seen) -> Read:
    return Read(seen.coins[1], calldata("minter()"))


def _is_over_another(seen: _Seen) -> bool:
    return any(parse_address(seen.said[name]) is not None for name in ("BASE_POOL()", "base_pool()"))


# --- whether it is so ----------------------------------------------------------------------------------------------


def _proved(address: Address, form: Form, answers: Answers) -> Form | Needs:
    """The form, refused where the pool's own quotes for one whole coin are not what comes out of it."""
    if form.refused:
        return form
    tokens = tuple(Token(0, coin, coin, 0) for coin in form.tradable)
    pool = Pool(0, CURVE, address, tokens, Fraction(0), address, Router(ROUTER, address), details=form.details())
    known = {token.address: token for token in tokens}
    n = len(form.coins)
    pairs = [(k, (k + 1) % n) for k in range(n) if form.coins[k] in known and form.coins[(k + 1) % n] in known]
    quotes = {pair: Read(address, _get_dy(*pair, 10 ** form.decimals[pair[0]])) for pair in pairs}
    if needs := _missing(answers, (*Curve().reads(pool, None), *quotes.values())):
        return needs
    state = Curve().decode(pool, answers)
    if isinstance(state, Needs):
        return state
    if isinstance(state, Unusable):
        return replace(form, refused=f"it could not be checked: {state.reason}")
    try:
        state = replace(state, swap=_viewed(form, state.swap), killed=False)
    except ArithmeticError as error:
        return replace(form, refused=f"it could not be checked: {error}")
    for (i, j), read in quotes.items():
        sold = TokenAmount(known[form.coins[i]], 10 ** form.decimals[i])
        ours, theirs = state.out_for(sold, known[form.coins[j]]), answers[read]
        if isinstance(ours, NoQuote) or not _is_word(theirs):
            return replace(form, refused=f"it could not be checked: no quote of coin {i} for coin {j}")
        if abs(ours.raw - _word(theirs)) > 1 + ours.raw // _NEAR:
            return replace(form, refused=f"get_dy({i}, {j}): expected {ours.raw}, was {_word(theirs)}")
    return form


def _viewed(form: Form, swap: StableSwap) -> StableSwap:
    """As get_dy has it: the view of stableswap-ng cuts A to a whole number, which shows while it ramps."""
    if not form.offpeg or form.rates != STORED:
        return swap
    amp = swap.ann // len(swap.xp) // swap.scale * swap.scale
    if not amp:
        raise ArithmeticError("its view calculates with an A of 0")
    return StableSwap.of(swap.balances, swap.rates, amp, swap.scale, swap.product, swap.fee, swap.offpeg)


# --- answers -------------------------------------------------------------------------------------------------------


def _missing(answers: Answers, reads: Iterable[Read]) -> Needs | None:
    missing = tuple(read for read in reads if read not in answers)
    return Needs(missing) if missing else None


def _coin(signature: str, k: int) -> bytes:
    return calldata(signature, k)


def _get_dy(i: int, j: int, sold: int) -> bytes:
    return calldata("get_dy(int128,int128,uint256)", i, j, sold)


def _is_word(answer: bytes | None) -> bool:
    return answer is not None and len(answer) == WORD


def _word(answer: bytes | None) -> int:
    """More than any figure that is asked for, where there is none."""
    return word(answer, 0) if answer is not None and len(answer) == WORD else 1 << 256
