from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.core.abi import calldata
from keeper.core.template import REBALANCE, REBALANCE_ARGUMENTS, CallTemplate, Values, make_template
from tests.builders import address

A, B, C = (address(number) for number in (1, 2, 3))


def template(signature: str = REBALANCE, arguments: str = REBALANCE_ARGUMENTS) -> CallTemplate:
    made = make_template(signature, arguments)
    assert isinstance(made, CallTemplate), made
    return made


def swap(data: bytes = b"swap", sell_amount: int = 5, min_out: int = 4) -> Values:
    return {"target": A, "data": data, "sell": B, "sell_amount": sell_amount, "buy": C, "min_out": min_out}


def test_encode__our_vaults_template__is_the_call_as_written_by_hand() -> None:
    expected = calldata(REBALANCE, [(A, b"swap", B, 5, C, 4), (A, b"more", B, 6, C, 4)], 99)
    assert template().encode([swap(), swap(b"more", 6)], 99) == expected


@pytest.mark.parametrize(
    ("signature", "arguments", "expected"),
    [
        ("f(address[],bytes[])", "[{target}], [{data}]", ([A, A], [b"swap", b"more"])),
        (
            "f(uint256,address[],bytes[],uint128[])",
            "{deadline}, [{target}], [{data}], [{min_out}]",
            (99, [A, A], [b"swap", b"more"], [4, 4]),
        ),
        (
            "f((address,bytes[])[],bool,bytes,int24)",
            "[({target}, [{data}])], true, 0xaa, -7",
            ([(A, [b"swap"]), (A, [b"more"])], True, b"\xaa", -7),
        ),
        (
            "f((address,(bytes,uint8))[],address[])",
            f"[( {{target}},({{data}},3) )],[{B},{C}]",
            ([(A, (b"swap", 3)), (A, (b"more", 3))], [B, C]),
        ),
    ],
)
def test_template__of_other_contracts__is_written_and_read_back(
    signature: str, arguments: str, expected: tuple[object, ...]
) -> None:
    made = template(signature, arguments)
    data = made.encode([swap(), swap(b"more")], 99)
    assert data == calldata(signature, *expected)
    found = made.decode(data)
    assert not isinstance(found, str)
    assert [(each["target"], each["data"]) for each in found[0]] == [(A, b"swap"), (A, b"more")]


@pytest.mark.parametrize(
    ("signature", "arguments", "wrong"),
    [
        ("rebalance", "1", "a function such as rebalance((address,bytes)[],uint256)"),
        ("f(adress[],bytes[])", "[{target}], [{data}]", "a function such as rebalance((address,bytes)[],uint256)"),
        ("f()", "", "a function such as rebalance((address,bytes)[],uint256)"),
        ("f(uint7)[]", "1", "a function such as rebalance((address,bytes)[],uint256)"),
        ("f(address[],bytes[])", "[{target}]", "2 arguments, as the function has, not 1"),
        ("f(address[],bytes[])", "[{target}], [{data}", "items in pairs of brackets, with commas between them"),
        ("f(address[],bytes[])", "[{target}] [{data}]", "items in pairs of brackets, with commas between them"),
        ("f(address[],bytes[])", "", "items in pairs of brackets, with commas between them"),
        ("f(address[],bytes[])", "[{target], [{data}]", "names in braces such as {target} at '{target], [{data}]'"),
        (
            "f(address[],bytes[])",
            "[{router}], [{data}]",
            "only the places {target}, {data}, {sell}, {sell_amount}, {buy}, {min_out}, {deadline}, not {router}",
        ),
        ("f(address[],uint8)", "[{target}], 1", "a place {data}, without which no swap is made"),
        (
            "f(address,bytes)",
            "{target}, {data}",
            "arguments that fit the function: {target} stands outside of an array of swaps",
        ),
        (
            "f((address,bytes))",
            "[({target}, {data})]",
            "arguments that fit the function: (address,bytes) is not written in []",
        ),
        (
            "f((address,bytes)[],bool)",
            "[({target}, {data})], maybe",
            "arguments that fit the function: bool is not maybe",
        ),
        (
            "f((address,bytes)[],address)",
            "[({target}, {data})], 7",
            "arguments that fit the function: address is not 7",
        ),
    ],
)
def test_make_template__that_cannot_work__says_in_one_line_what_it_should_be(
    signature: str, arguments: str, wrong: str
) -> None:
    assert make_template(signature, arguments) == wrong


@pytest.mark.parametrize("arguments", ["[{data}], [{target}]", "[{target}], [{data}], 300"])
def test_make_template__of_values_that_do_not_fit__is_refused_in_a_short_line(arguments: str) -> None:
    found = make_template(
        "f(address[],bytes[])" if arguments.count(",") == 1 else "f(address[],bytes[],uint8)", arguments
    )
    assert isinstance(found, str)
    assert found.startswith("arguments that fit the function: ")
    assert len(found) <= 200


def test_decode__another_function_or_constant_or_form__says_so() -> None:
    made = template("f(address[],bytes[],bool)", "[{target}], [{data}], true")
    good = made.encode([swap()], 0)
    assert made.decode(b"\1\2\3\4" + good[4:]) == f"selector: expected 0x{good[:4].hex()}, was 0x01020304"
    other = calldata("f(address[],bytes[],bool)", [A], [b"swap"], False)
    assert made.decode(other) == "calldata is not what the template writes"
    assert made.decode(good + bytes(32)) == "calldata is not what the template writes"
    uneven = calldata("f(address[],bytes[],bool)", [A, A], [b"swap"], True)
    for bad in (good[:-32], good[:4], uneven):
        assert str(made.decode(bad)).startswith("no call of f as configured: ")


AMOUNTS = st.integers(0, 2**256 - 1)
SWAPS = st.lists(st.builds(swap, st.binary(max_size=80), AMOUNTS, AMOUNTS), max_size=4)


@given(SWAPS, st.integers(0, 2**256 - 1))
def test_decode__whatever_was_encoded__gives_it_back(swaps: list[Values], deadline: int) -> None:
    made = template()
    assert made.decode(made.encode(swaps, deadline)) == (swaps, deadline)


@given(SWAPS.filter(bool), st.data())
def test_decode__one_byte_changed__is_refused_or_tells_the_change(swaps: list[Values], data: st.DataObject) -> None:
    made = template()
    good = made.encode(swaps, 99)
    place = data.draw(st.integers(0, len(good) - 1))
    spoiled = good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1 :]
    found = made.decode(spoiled)
    assert isinstance(found, str) or made.encode(found[0], found[1] or 0) == spoiled
