import pytest

from keeper.chain.nodes.rpc import Rpc
from keeper.chain.nodes.transport import Endpoint, is_loopback, masked
from keeper.core.errors import ConfigError

SECRET = "s3cr3tAp1Key0123456789"


@pytest.mark.fault("S3")
@pytest.mark.parametrize(
    ("url", "label"),
    [
        (f"https://node.example/v2/{SECRET}", "https://node.example"),
        (f"https://node.example:8443/?key={SECRET}", "https://node.example:8443"),
        (f"https://user:{SECRET}@node.example/", "https://node.example"),
        (f"http://127.0.0.1:8545/{SECRET}", "http://127.0.0.1:8545"),
        ("http://[::1]:8545", "http://[::1]:8545"),
    ],
)
def test_masked__of_a_url_with_a_key__is_scheme_and_host(url: str, label: str) -> None:
    assert masked(url) == label
    endpoint = Endpoint(url, timeout=1)
    assert repr(endpoint) == f"Endpoint({label})"
    assert SECRET not in repr(Rpc("main", [url]))


@pytest.mark.fault("S3")
@pytest.mark.parametrize("text", [f"invalid project id {SECRET}", f"https://user:{SECRET}@h/x", SECRET * 2])
def test_hide__where_a_node_quotes_our_key__shows_none_of_it(text: str) -> None:
    for url in (f"https://h/v3/{SECRET}", f"https://user:{SECRET}@h/", f"https://h/?apikey={SECRET}&x=1"):
        assert SECRET not in Endpoint(url, timeout=1).hide(text)


@pytest.mark.fault("R33")
@pytest.mark.fault("C16")
@pytest.mark.parametrize("url", ["http://node.example", "http://10.0.0.5:8545", "http://127.0.0.1.example.org"])
def test_endpoint__plain_http_to_another_machine__is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected https, or http on this machine, found http://"):
        Endpoint(url, timeout=1)


@pytest.mark.fault("S3")
@pytest.mark.parametrize(
    "url",
    [
        SECRET,
        f"ftp://h/{SECRET}",
        f"https:///{SECRET}",
        f"https://h:0/{SECRET}",
        "",
        f"https://h:x{SECRET}",
        f"https://h..{SECRET}",
    ],
)
def test_endpoint__that_is_no_url__is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Endpoint(url, timeout=1)
    assert SECRET not in str(caught.value)


def test_rpc__without_a_url__is_refused() -> None:
    with pytest.raises(ConfigError, match=r"main\.rpc: expected at least one URL, found none"):
        Rpc("main", [])


@pytest.mark.parametrize(
    ("host", "expected"), [("localhost", True), ("127.8.9.1", True), ("::1", True), ("1.1.1.1", False)]
)
def test_loopback__by_name_or_address__is_told(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_hide__of_foreign_text__is_one_short_line() -> None:
    endpoint = Endpoint("https://h", timeout=1)
    assert endpoint.hide("a\x1b[2J\nb") == r"a\x1b[2J\nb"
    assert len(endpoint.hide("x" * 10_000)) < 420
