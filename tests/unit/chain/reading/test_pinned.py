from dataclasses import asdict

import pytest

from keeper.chain.reading.pinned import parse_pins, pins_text, upgrades_between
from keeper.chain.reading.pins import Pins
from keeper.chain.reading.token_code import TokenCode
from tests.builders import DAI, USDC, WETH, address, fake_pool, make_block, units

BLOCK = make_block()
PINS = Pins(
    BLOCK,
    tokens={token.address: token for token in (WETH, USDC, DAI)},
    pools={pool.address: pool for pool in (fake_pool(units(WETH, 1), units(USDC, 3_000)).pool,)},
    feed_decimals={address(9): 8, address(7): 18},
    token_codes={USDC.address: TokenCode("0x01", address(5), "6"), WETH.address: TokenCode("0x02", None, "18")},
)


def test_pins__as_text_and_back__are_the_same_in_every_field() -> None:
    found = parse_pins(pins_text(PINS), BLOCK)
    assert asdict(found) == asdict(PINS)  # tokens compare by address alone, their fields do not


def test_text__of_pins_in_another_order__is_the_same() -> None:
    turned = Pins(BLOCK, tokens=dict(reversed(PINS.tokens.items())), pools=PINS.pools)
    turned.token_codes = dict(reversed(PINS.token_codes.items()))
    turned.feed_decimals.update(reversed(PINS.feed_decimals.items()))
    assert pins_text(turned) == pins_text(PINS)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"tokens": [1], "pools": [], "feed_decimals": {}}'])
def test_parse__of_damaged_text__says_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"damaged|Expecting value"):
        parse_pins(text, BLOCK)


@pytest.mark.fault("K16")
def test_upgrades__since_an_earlier_start__are_told_of_tokens_of_both() -> None:
    now = Pins(BLOCK, tokens=PINS.tokens, token_codes={USDC.address: TokenCode("0x01", address(6), "6")})
    assert upgrades_between(parse_pins(pins_text(PINS), BLOCK), now) == {
        USDC.address: f"USDC {USDC.address}: implementation: expected {address(5)}, found {address(6)}"
    }
    assert upgrades_between(PINS, PINS) == {}
