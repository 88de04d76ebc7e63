"""Secrets: revealed on purpose, shown never."""

from __future__ import annotations

import copy
import pickle

import pytest

from keeper.config.development import KEY_DIGESTS
from keeper.config.literals import refuse_secrets
from keeper.config.secret import FromEnv, Secret, Url, masked
from keeper.core.development import ACCOUNTS
from keeper.core.errors import ConfigError
from tests.unit.config.bad_deployments import KEY


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host.example", "https://host.example"),
        ("https://host.example/v3/TOKEN", "https://host.example/***"),
        ("https://me:TOKEN@host.example:8545/x?key=TOKEN", "https://host.example:8545/***"),
        ("https://host.example/?k=TOKEN", "https://host.example/***"),
        ("http://[::1]:8545/TOKEN", "http://[::1]:8545/***"),
        ("TOKEN", "***"),
        ("https://[TOKEN", "***"),
    ],
)
def test_masked__url__keeps_the_host_only(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.fault("C16")
@pytest.mark.parametrize(
    "url", ["http://localhost:8545", "http://127.0.0.1:8545", "http://[::1]:8545", "https://a.example"]
)
def test_of_node__https_or_this_machine__accepted(url: str) -> None:
    assert Url.of_node(url).reveal() == url


@pytest.mark.fault("C16")
@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "http://10.0.0.1",
        "http://localhost.example",
        "ws://127.0.0.1",
        "https://",
        "https://a b",
        "ftp://a",
        "",
    ],
)
def test_of_node__anything_else__refused(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Url.of_node(url)


@pytest.mark.fault("S4")
def test_hidden__repr_str_copy_and_pickle__give_nothing_away() -> None:
    url = Url.of_node(FromEnv("https://host.example/TOKEN", "${RPC}", ("RPC",)))
    key = Secret.of_key(FromEnv(KEY, "${KEY}", ("KEY",)))
    assert "TOKEN" not in f"{url} {url!r}"
    assert KEY not in f"{key} {key!r}"
    for hidden in (url, key):
        with pytest.raises(TypeError):
            pickle.dumps(hidden)
        with pytest.raises(TypeError):
            copy.deepcopy(hidden)
    assert (url.reveal(), key.reveal()) == ("https://host.example/TOKEN", KEY)


@pytest.mark.fault("C11")
def test_of_key__what_is_no_reference__refused() -> None:
    with pytest.raises(ValueError, match="a reference such as") as caught:
        Secret.of_key(KEY)
    assert KEY not in str(caught.value)


@pytest.mark.fault("C18")
def test_digest__of_a_development_key__known() -> None:
    assert Secret.of_key(FromEnv(f"0x{KEY.upper()}", "${K}", ("K",))).digest in KEY_DIGESTS
    assert Secret.of_key(FromEnv("1" * 64, "${K}", ("K",))).digest not in KEY_DIGESTS
    assert len(ACCOUNTS) == len(KEY_DIGESTS) == 20


@pytest.mark.fault("C11")
@pytest.mark.parametrize(
    "line",
    [
        f"key: {KEY}",
        f"key: '0x{KEY.upper()}'",
        f"# {KEY}",
        f"rpc: https://a.example/{KEY}",
        "phrase: legal winner thank year wave sausage worth useful legal winner thank yellow",
        'x: {phrase: "legal winner thank year wave sausage worth useful legal winner thank yellow"}',
        "- legal winner thank year wave sausage worth useful legal winner thank yellow",
    ],
)
def test_refuse_secrets__key_or_phrase__refused_with_its_line_only(line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_secrets(f"a: b\n{line}\n", "f")
    assert str(caught.value).startswith("f:2: file: expected ")
    assert "sausage" not in str(caught.value)
    assert KEY not in str(caught.value).lower()


@pytest.mark.parametrize(
    "line",
    [
        'pool: "0xd0b53D9277642d899DF5C87A3966A349A798F224"',
        "# twelve words make a phrase only where they stand as a value and not in some comment",
        "a: b  # note: legal winner thank year wave sausage worth useful legal winner thank yellow",
    ],
)
def test_refuse_secrets__addresses_and_comments__left_alone(line: str) -> None:
    assert refuse_secrets(line, "f") is None
