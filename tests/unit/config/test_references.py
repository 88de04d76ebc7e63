"""`${NAME}`: wherever the tree holds a URL or a key, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.config.references import is_secret
from keeper.config.secret import Url
from tests.unit.config.deployments import ENV, GOOD, loaded

_URL = "wss://h.example/TOKEN"


@pytest.mark.parametrize("written", ['"${WS}"', '["${WS}"]', '["wss://other.example/1", "${WS}"]'])
def test_ws__url_from_the_environment__is_filled_in_and_masked(tmp_path: Path, written: str) -> None:
    name = next(iter(loaded(tmp_path).config.chains))
    text = GOOD.replace(f"  {name}:\n", f"  {name}:\n    ws: {written}\n", 1)
    found = loaded(tmp_path, text, ENV | {"WS": _URL}).config.chains[name].ws[-1]
    assert isinstance(found, Url)
    assert (found.reveal(), str(found)) == (_URL, "wss://h.example/***")


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        (("chains", "base", "rpc", 0), True),
        (("chains", "base", "ws", 0), True),
        (("chains", "base", "relay", "url"), True),
        (("signers", "ops", "remote"), True),
        (("vaults", "treasury", "custody", "safe_service"), True),
        (("alerts", "to", 0), True),
        (("chains", "base", "reader"), False),
        (("signers", "ops", "keystore"), False),
        (("vaults", "treasury", "custody", "safe"), False),
        (("journal", "path"), False),
    ],
)
def test_is_secret__urls_and_keys__and_nothing_else(path: tuple[str | int, ...], secret: bool) -> None:
    assert is_secret(path) is secret
