from dataclasses import replace
from fractions import Fraction

import pytest
from eth_abi.abi import decode
from eth_utils.crypto import keccak

from keeper.core.chain import Pool
from keeper.core.plan import Leg, OrderLeg, Purpose
from keeper.core.units import TokenAmount
from keeper.venues.swaps import encode_v2_swap, encode_v3_swap
from tests.builders import ACCOUNT, CHAIN, NOW, SWAP_ROUTER, SWAP_ROUTER02, USDC, V2_ROUTER, WETH, address, units

DEADLINE = NOW + 600
SELL, FLOOR = units(WETH, "15.0696"), units(USDC, "46848.49")
V3 = "(address,address,uint24,address,uint256,uint256,uint256,uint160)"
V3_02 = "(address,address,uint24,address,uint256,uint256,uint160)"


def leg(kind: str, router: object, fee: Fraction = Fraction(5, 10_000), floor: TokenAmount = FLOOR) -> OrderLeg:
    pool = Pool(CHAIN, kind, address(0xB1), (WETH, USDC), fee, address(0xFAC), router)  # type: ignore[arg-type]
    return OrderLeg(Leg((pool,), SELL, floor, Fraction(1)), floor, TokenAmount.zero(USDC))


def signature(text: str) -> bytes:
    return keccak(text=text)[:4]


def same(one: object, other: object) -> bool:
    """Addresses come back in lower case."""
    return str(one).lower() == str(other).lower()


def test_v2_swap__through_router02__is_its_own_call() -> None:
    call = encode_v2_swap(leg("uniswap_v2", V2_ROUTER), ACCOUNT, DEADLINE)
    assert call.selector == signature("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)")
    types = ["uint256", "uint256", "address[]", "address", "uint256"]
    path = (WETH.address, USDC.address)
    assert same(decode(types, call.data[4:]), (SELL.raw, FLOOR.raw, path, ACCOUNT, DEADLINE))
    assert (call.to, call.value, call.purpose, call.spends) == (V2_ROUTER.address, 0, Purpose.SWAP, SELL)


def test_v3_swap__through_swap_router__holds_the_deadline_in_its_struct() -> None:
    call = encode_v3_swap(leg("uniswap_v3", SWAP_ROUTER), ACCOUNT, DEADLINE)
    assert call.selector == signature(f"exactInputSingle({V3})")
    (found,) = decode([V3], call.data[4:])
    assert same(found, (WETH.address, USDC.address, 500, ACCOUNT, DEADLINE, SELL.raw, FLOOR.raw, 0))
    assert (call.to, call.spends) == (SWAP_ROUTER.address, SELL)


@pytest.mark.parametrize("kind", ["uniswap_v2", "uniswap_v3"])
def test_swap__through_swap_router02__is_wrapped_with_the_deadline(kind: str) -> None:
    encode = encode_v2_swap if kind == "uniswap_v2" else encode_v3_swap
    call = encode(leg(kind, SWAP_ROUTER02), ACCOUNT, DEADLINE)
    assert call.selector == signature("multicall(uint256,bytes[])")
    deadline, (inner,) = decode(["uint256", "bytes[]"], call.data[4:])
    assert deadline == DEADLINE
    if kind == "uniswap_v2":
        assert inner[:4] == signature("swapExactTokensForTokens(uint256,uint256,address[],address)")
        found = decode(["uint256", "uint256", "address[]", "address"], inner[4:])
        assert same(found, (SELL.raw, FLOOR.raw, (WETH.address, USDC.address), ACCOUNT))
    else:
        assert inner[:4] == signature(f"exactInputSingle({V3_02})")
        (found,) = decode([V3_02], inner[4:])
        assert same(found, (WETH.address, USDC.address, 500, ACCOUNT, SELL.raw, FLOOR.raw, 0))


def test_swap__in_words__says_what_where_and_at_least_how_much() -> None:
    call = encode_v3_swap(leg("uniswap_v3", SWAP_ROUTER), ACCOUNT, DEADLINE)
    assert call.text == "swap 15.0696 WETH for at least 46,848.49 USDC in uniswap_v3 0.05 %"


@pytest.mark.parametrize("raw", [0, -1])
def test_swap__without_a_floor__is_refused(raw: int) -> None:
    floor = TokenAmount(USDC, raw)
    with pytest.raises(ValueError, match=r"expected amounts above 0, was \d+ for at least"):
        encode_v2_swap(replace(leg("uniswap_v2", V2_ROUTER, floor=floor)), ACCOUNT, DEADLINE)


@pytest.mark.parametrize(
    ("encode", "router", "kind"),
    [(encode_v2_swap, SWAP_ROUTER, "swap_router"), (encode_v3_swap, V2_ROUTER, "v2_router")],
)
def test_swap__through_a_router_of_the_other_generation__is_refused(encode, router, kind) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=f"was {kind}"):
        encode(leg("uniswap_v3", router), ACCOUNT, DEADLINE)
