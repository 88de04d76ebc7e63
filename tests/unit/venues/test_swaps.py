from dataclasses import replace
from fractions import Fraction

import pytest
from eth_abi.abi import decode
from eth_utils.crypto import keccak

from keeper.core.calls import Purpose
from keeper.core.plan import Leg, OrderLeg
from keeper.core.pools import Pool, Router
from keeper.core.units import TokenAmount
from keeper.venues.swaps import encode_together, encode_v2_swap, encode_v3_swap
from tests.builders import ACCOUNT, CHAIN, DAI, NOW, SWAP_ROUTER, SWAP_ROUTER02, USDC, V2_ROUTER, WETH, address, units

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


# --- paths, forks and several legs ------------------------------------------------------------------------------------

PANCAKE_ROUTER = Router("pancake_router", address(0x3203))
SLIPSTREAM_ROUTER = Router("slipstream_router", address(0x3204))
CL = "(address,address,int24,address,uint256,uint256,uint256,uint160)"


def path_leg(kind: str, router: Router) -> OrderLeg:
    """WETH through 0.05 % (spacing 10) to DAI, and through 0.01 % (spacing 1) to USDC."""
    hops = (((WETH, DAI), 500, 10, 0xB2), ((DAI, USDC), 100, 1, 0xB3))
    pools = tuple(
        Pool(CHAIN, kind, address(at), pair, Fraction(ppm, 10**6), address(0xFAC), router, spacing=spacing)
        for pair, ppm, spacing, at in hops
    )
    return OrderLeg(Leg(pools, SELL, FLOOR, Fraction(1), (DAI,)), FLOOR, TokenAmount.zero(USDC))


def packed(*keys: int) -> bytes:
    first, second = (key.to_bytes(3, "big") for key in keys)
    weth, dai, usdc = (bytes.fromhex(each.address[2:]) for each in (WETH, DAI, USDC))
    return weth + first + dai + second + usdc


def test_path__of_v2_pairs__is_the_list_of_its_tokens() -> None:
    call = encode_v2_swap(path_leg("uniswap_v2", V2_ROUTER), ACCOUNT, DEADLINE)
    found = decode(["uint256", "uint256", "address[]", "address", "uint256"], call.data[4:])
    assert same(found[2], (WETH.address, DAI.address, USDC.address))
    assert call.text.endswith("in uniswap_v2 0.05 % → uniswap_v2 0.01 %")


@pytest.mark.parametrize(
    ("router", "kind", "keys"),
    [(SWAP_ROUTER, "uniswap_v3", (500, 100)), (SLIPSTREAM_ROUTER, "slipstream", (10, 1))],
)
def test_path__through_swap_router_and_slipstreams__is_packed_with_the_deadline(router, kind, keys) -> None:  # type: ignore[no-untyped-def]
    call = encode_v3_swap(path_leg(kind, router), ACCOUNT, DEADLINE)
    assert call.selector == bytes.fromhex("c04b8d59")
    (found,) = decode(["(bytes,address,uint256,uint256,uint256)"], call.data[4:])
    assert found[0] == packed(*keys)
    assert same(found[1:], (ACCOUNT, DEADLINE, SELL.raw, FLOOR.raw))


@pytest.mark.parametrize(("router", "kind"), [(SWAP_ROUTER02, "uniswap_v3"), (PANCAKE_ROUTER, "pancake_v3")])
def test_path__through_swap_router02_and_pancakes__is_packed_inside_the_multicall(router, kind) -> None:  # type: ignore[no-untyped-def]
    call = encode_v3_swap(path_leg(kind, router), ACCOUNT, DEADLINE)
    deadline, (inner,) = decode(["uint256", "bytes[]"], call.data[4:])
    assert (call.selector, deadline, inner[:4]) == (bytes.fromhex("5ae401dc"), DEADLINE, bytes.fromhex("b858183f"))
    (found,) = decode(["(bytes,address,uint256,uint256)"], inner[4:])
    assert found[0] == packed(500, 100)
    assert same(found[1:], (ACCOUNT, SELL.raw, FLOOR.raw))


def test_slipstream__names_its_pool_by_spacing() -> None:
    single = leg("slipstream", SLIPSTREAM_ROUTER)
    pool = replace(single.leg.pool, spacing=2_000)
    call = encode_v3_swap(replace(single, leg=replace(single.leg, pools=(pool,))), ACCOUNT, DEADLINE)
    assert call.selector == bytes.fromhex("a026383e") == signature(f"exactInputSingle({CL})")
    (found,) = decode([CL], call.data[4:])
    assert same(found, (WETH.address, USDC.address, 2_000, ACCOUNT, DEADLINE, SELL.raw, FLOOR.raw, 0))


@pytest.mark.parametrize("kind", ["uniswap_v2", "pancake_v3"])
def test_pancake__through_its_own_router__speaks_as_swap_router02_does(kind: str) -> None:
    encode = encode_v2_swap if kind == "uniswap_v2" else encode_v3_swap
    ours, uniswaps = (encode(leg(kind, router), ACCOUNT, DEADLINE) for router in (PANCAKE_ROUTER, SWAP_ROUTER02))
    assert (ours.to, ours.data) == (PANCAKE_ROUTER.address, uniswaps.data)


def test_together__through_swap_router02__is_one_multicall_with_a_floor_for_each() -> None:
    legs = [leg("uniswap_v2", SWAP_ROUTER02), leg("uniswap_v3", SWAP_ROUTER02), path_leg("uniswap_v3", SWAP_ROUTER02)]
    call = encode_together(legs, ACCOUNT, DEADLINE)
    deadline, inner = decode(["uint256", "bytes[]"], call.data[4:])
    assert (call.selector, deadline) == (bytes.fromhex("5ae401dc"), DEADLINE)
    assert [each[:4].hex() for each in inner] == ["472b43f3", "04e45aaf", "b858183f"]
    assert call.spends == TokenAmount(WETH, 3 * SELL.raw)
    assert call.text.count(" for at least ") == 3


def test_together__through_swap_router__is_a_plain_multicall() -> None:
    call = encode_together([leg("uniswap_v3", SWAP_ROUTER)] * 2, ACCOUNT, DEADLINE)
    (inner,) = decode(["bytes[]"], call.data[4:])
    assert call.selector == bytes.fromhex("ac9650d8")
    assert [each[:4].hex() for each in inner] == ["414bf389"] * 2


def test_together__of_one_leg__is_that_leg() -> None:
    single = leg("uniswap_v3", SWAP_ROUTER)
    assert encode_together([single], ACCOUNT, DEADLINE) == encode_v3_swap(single, ACCOUNT, DEADLINE)


def test_together__what_is_not_one_call__is_refused() -> None:
    here, there = leg("uniswap_v3", SWAP_ROUTER), leg("uniswap_v3", SWAP_ROUTER02)
    with pytest.raises(ValueError, match=r"router: expected .* for all legs"):
        encode_together([here, there], ACCOUNT, DEADLINE)
    other = replace(here, leg=replace(here.leg, sell=units(DAI, 1)))
    with pytest.raises(ValueError, match="sell: expected WETH in all legs, was DAI"):
        encode_together([here, other], ACCOUNT, DEADLINE)
    with pytest.raises(ValueError, match="was v2_router"):
        encode_together([leg("uniswap_v2", V2_ROUTER)] * 2, ACCOUNT, DEADLINE)
    unbounded = leg("uniswap_v3", SWAP_ROUTER, floor=TokenAmount(USDC, 0))
    with pytest.raises(ValueError, match="expected amounts above 0"):
        encode_together([here, unbounded], ACCOUNT, DEADLINE)
