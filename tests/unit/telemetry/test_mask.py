from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.telemetry.mask import MASK, Masker, mask, mask_url

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
TOKEN = "abcdef0123456789token"
URL = f"https://me:hunter2hunter2@base.example.com:8545/v3/{TOKEN}?auth=querysecret#frag"


@pytest.mark.fault("S3")
@pytest.mark.parametrize(
    ("url", "masked"),
    [
        (URL, f"https://base.example.com:8545/{MASK}"),
        ("https://base.example.com", "https://base.example.com"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        ("http://[::1]:8545/key", f"http://[::1]:8545/{MASK}"),
        ("wss://a.example/ws/x", f"wss://a.example/{MASK}"),
        ("postgresql://u:p@db.example:5432/keeper", f"postgresql://db.example:5432/{MASK}"),
        ("sqlite:////var/lib/keeper/journal.sqlite", "sqlite:////var/lib/keeper/journal.sqlite"),
        ("https://host:notaport/x", MASK),
    ],
)
def test_url__any__keeps_scheme_host_and_port_only(url: str, masked: str) -> None:
    assert mask_url(url) == masked


@pytest.mark.fault("S1")
@pytest.mark.parametrize(
    "text", [KEY, "0x" + KEY, f"key={KEY}.", f"('0x{KEY.upper()}')", f"a\n{KEY}\nb", f"\x1b[31m{KEY}", f"key{KEY}s"]
)
def test_text__private_key_anywhere__is_masked(text: str) -> None:
    assert KEY not in Masker().text(text).lower()


def test_text__calldata_and_addresses__are_left() -> None:
    text = f"0x{'ab' * 20} 0x095ea7b3{'00' * 64}"
    assert Masker().text(text) == text


@pytest.mark.fault("S3")
def test_register__url__masks_its_parts_wherever_they_turn_up() -> None:
    masker = Masker()
    masker.register(URL)
    said = masker.text(f"POST /v3/{TOKEN}?auth=querysecret as me:hunter2hunter2 failed for {URL}")
    assert not [part for part in (TOKEN, "querysecret", "hunter2hunter2") if part in said]


def test_register__password__is_masked_percent_encoded_too() -> None:
    masker = Masker()
    masker.register("p@ss word/1")
    assert masker.text("p@ss word/1 and p%40ss%20word%2F1") == f"{MASK} and {MASK}"


def test_register__short_text__is_left_alone() -> None:
    masker = Masker()
    masker.register("8545")
    assert masker.text("http://127.0.0.1:8545") == "http://127.0.0.1:8545"


@pytest.mark.parametrize("key", ["hash", "tx", "block_hash", "parent_hash", "config_hash"])
def test_value__hash_fields__keep_their_digits(key: str) -> None:
    assert Masker().value({key: "0x" + KEY})[key] == "0x" + KEY


def test_value__registered_key_in_a_hash_field__is_masked_all_the_same() -> None:
    masker = Masker()
    masker.register("0x" + KEY)
    assert masker.value({"hash": KEY, "tx": ["0x" + KEY.upper()]}) == {"hash": MASK, "tx": [f"0x{MASK}"]}


def test_value__anything__becomes_plain_data() -> None:
    found = Masker().value({"a": 1, "b": None, "c": (1.5, float("nan")), "d": {"x": b"\x01"}, "e": object, "f": {2, 1}})
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["c"], found["d"], found["f"]) == ([1.5, "nan"], {"x": "01"}, [1, 2])


def test_value__circle__ends() -> None:
    circle: dict[str, Any] = {}
    circle["self"] = circle
    assert "…" in json.dumps(Masker().value(circle), ensure_ascii=False)


@given(before=st.text(), after=st.text(), secret=st.text(st.characters(codec="ascii", min_codepoint=33), min_size=6))
def test_value__registered_secret_in_any_text__does_not_pass(before: str, after: str, secret: str) -> None:
    masker = Masker()
    masker.register(secret)
    assert secret not in masker.value(f"{before}{secret}{after}").replace(MASK, "")


def test_mask__for_the_last_line_of_a_command__is_one_harmless_line() -> None:
    assert mask(f"cannot reach {URL}:\n\x1b[31m0x{KEY}") == (
        f"cannot reach https://base.example.com:8545/{MASK}:\\n\\x1b[31m{MASK}"
    )


def test_register__database_url__masks_the_password_and_leaves_the_plain_user_name() -> None:
    masker = Masker()
    masker.register("postgresql://keeper:hunter2-hunter2@db.example/journal")
    assert masker.text("keeper says hunter2-hunter2") == f"keeper says {MASK}"


def test_register__url_that_is_all_host__is_left_readable() -> None:
    masker = Masker()
    masker.register("http://127.0.0.1:8545")
    assert masker.text("http://127.0.0.1:8545: connection refused") == "http://127.0.0.1:8545: connection refused"
