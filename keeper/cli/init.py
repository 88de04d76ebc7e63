"""`keeper init`: a first configuration from a few questions, dry and without a key. The loader judges every answer."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import typer

from keeper.config import load, presets
from keeper.config.secret import masked
from keeper.core.errors import ConfigError

LONGEST_WORD = 12
"""A longer part of a URL's path could be a token."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_WEIGHT = re.compile(r"([A-Za-z0-9.]+)\s*[=:]\s*(\d+(?:\.\d+)?)\s*%?", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)

TEXT = """\
# A keeper's configuration, written by `keeper init`. Nothing here can sign: the vault is dry, and no key is named.
# What it does not say comes from the preset or has a default: keeper config {path}
chains:
  {chain}:
    # The preset brings chain id, tokens, factories, routers and price feeds.
    preset: {chain}
    # Of two nodes one can contradict the other, and stand in for it.
    rpc: [{rpc}]

# To trade, a vault needs a signer (`custody: {{kind: wallet, signer: ops}}`), `mode: live`, what a stolen key may cost
# (`max_authority: 50000 USD per 24h`; `keeper authority` says what it could), and `keeper run --live`:
# signers:
#   ops: {{keystore: keys/ops.json, password_file: keys/ops.pw, address: "{account}"}}

vaults:
  treasury:
    chain: {chain}
    mode: dry
    custody: {{kind: wallet, address: "{account}"}}
    strategy:
      kind: weights
      weights: {weights}
      trigger: {trigger:<22} # it trades once a weight is this far from its target,
      destination: {destination:<18} # and comes back to within this of it
    # Kind, tokens and fee of a pool are read from the chain and pinned.
    pools: [{pools}]
    schedule: {{every: 5m}}
    # Each guard has a default and a hard ceiling; these are the first to think about.
    guards: {{max_slippage: 30bps, max_trade: 100000 USD, max_turnover: 25% per 24h}}
"""


def init(
    path: Path, *, chain: str | None, account: str | None, weights: str | None, pools: str | None, rpc: str | None
) -> None:
    """Asks on a terminal for what no flag says. Raises ConfigError where the file exists or an answer is wrong."""
    if path.exists() or path.is_symlink():
        raise ConfigError("command", "CONFIG", "a file that does not exist yet", f"{path}, which is left as it is")
    given = {"--chain": chain, "--account": account, "--weights": weights, "--pools": pools, "--rpc": rpc}
    text = _write(path, {flag: answer for flag, answer in given.items() if answer is not None})
    _create(path, text)
    _say_next(path, text)


# --- questions -------------------------------------------------------------------------------------------------------


def _write(path: Path, answers: dict[str, str]) -> str:
    """The file's text. On a terminal a wrong answer is asked for again; elsewhere it raises."""
    while True:
        try:
            for flag in QUESTIONS:
                if flag not in answers:
                    answers[flag] = _ask(flag, answers)
                if flag == "--chain":
                    _check_chain(answers[flag])
            text = _text(path, answers)
            _judge(path, text)
        except ConfigError as error:
            if not _is_terminal() or error.path not in answers:
                raise
            typer.echo(f"{error.path}: expected {error.expected}, found {error.found}", err=True)
            del answers[error.path]
        else:
            return text


def _ask(flag: str, answers: Mapping[str, str]) -> str:
    question, default = QUESTIONS[flag]
    if not _is_terminal():
        raise ConfigError("command", flag, f"{question[0].lower()}{question[1:]}", "nothing, and no terminal to ask on")
    answer: str = typer.prompt(question, default=default(answers) or None, err=True)
    return answer.strip()


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _check_chain(chain: str) -> None:
    """Only presets that bring tokens will do: on a bare local chain there is nothing to choose from."""
    known = [name for name in presets.known() if presets.read(name).get("tokens")]
    if chain not in known:
        raise ConfigError("command", "--chain", f"one of {', '.join(known)}", chain)


def _usual_pools(answers: Mapping[str, str]) -> str:
    """The preset's own pools between the tokens that were named: `weth-usdc-500` is one of WETH and USDC."""
    symbols = {symbol.lower() for symbol, _ in _WEIGHT.findall(answers.get("--weights", ""))}
    known = map(str, presets.read(answers["--chain"]).get("pools") or {})
    return ", ".join(name for name in known if set(name.split("-")[:2]) <= symbols)


def _variable(answers: Mapping[str, str]) -> str:
    """`BASE_RPC`, `BASE_SEPOLIA_RPC`"""
    return f"{answers['--chain'].upper().replace('-', '_')}_RPC"


QUESTIONS: Mapping[str, tuple[str, Callable[[Mapping[str, str]], str]]] = {
    "--chain": ("The chain", lambda _: "base"),
    "--account": ("The address that holds the funds", lambda _: ""),
    "--weights": ("Target weights in per cent", lambda _: "WETH=60, USDC=40"),
    "--pools": ("Pools to trade in, by address or by the preset's name", _usual_pools),
    "--rpc": ("The RPC's URL, or the name of the environment variable that holds it", _variable),
}
"""Flag -> what it asks for, and what to suggest given the answers so far."""


# --- the file --------------------------------------------------------------------------------------------------------


def _text(path: Path, answers: Mapping[str, str]) -> str:
    weights = _weights(answers["--weights"])
    # A band in percentage points would swallow a small target whole.
    is_wide = all(Fraction(weight) >= 10 for weight in weights.values())
    return TEXT.format(
        path=path,
        chain=answers["--chain"],
        rpc=", ".join(f'"{_rpc(url)}"' for url in _split(answers["--rpc"])),
        account=_plain("--account", answers["--account"], "an address: 0x and 40 hex digits"),
        weights="{" + ", ".join(f"{symbol}: {weight}%" for symbol, weight in weights.items()) + "}",
        trigger="4pp" if is_wide else "20% of weight",
        destination="2pp" if is_wide else "10% of weight",
        pools=", ".join(f'"{_plain("--pools", pool, "addresses or names")}"' for pool in _split(answers["--pools"])),
    )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _plain(flag: str, text: str, expected: str) -> str:
    """Letters, digits and the like: nothing that would mean something else inside the file."""
    if not _PLAIN.fullmatch(text):
        raise ConfigError("command", flag, expected, repr(text[:60])[1:-1] or "nothing")
    return text


def _weights(text: str) -> dict[str, str]:
    found = {}
    for part in _split(text):
        match = _WEIGHT.fullmatch(part)
        if match is None:
            raise ConfigError("command", "--weights", "weights such as WETH=60,USDC=40", repr(part[:60])[1:-1])
        found[match[1]] = match[2]
    return found


def _rpc(text: str) -> str:
    """A reference to the variable that was named, or a URL that may be shown to anybody."""
    name = text.removeprefix("${").removesuffix("}")
    if _NAME.fullmatch(name):
        return f"${{{name}}}"
    if '"' in text or "\\" in text or not text.isprintable() or " " in text or "://" not in text:
        raise ConfigError("command", "--rpc", "a URL, or the name of an environment variable", "another text")
    if _may_carry_token(text):
        expected = "the name of an environment variable, such as BASE_RPC, where the URL carries a token"
        raise ConfigError("command", "--rpc", expected, masked(text))
    return text


def _may_carry_token(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return True
    words = parts.path.split("/")
    return bool("@" in parts.netloc or parts.query or parts.fragment or max(map(len, words)) > LONGEST_WORD)


def _judge(path: Path, text: str) -> None:
    """Loads it as every command will. Raises ConfigError, which names the flag whose answer is to blame."""
    with TemporaryDirectory() as folder:
        trial = Path(folder, path.name)
        trial.write_text(text, "utf-8")
        try:
            load(trial, os.environ, need_env=False)
        except ConfigError as error:
            blamed = next((flag for place, flag in BLAME if place in error.path), None)
            raise ConfigError("command", blamed or error.path, error.expected, error.found) from None


BLAME = (
    (".rpc", "--rpc"),
    (".custody", "--account"),
    (".strategy", "--weights"),
    (".pools", "--pools"),
)
"""Part of a place in the file -> the answer that stands there."""


def _create(path: Path, text: str) -> None:
    try:
        # Exclusive: whoever was quicker keeps what they wrote.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError("command", "CONFIG", "a place to write to", f"{path}: {error.strerror}") from None


def _say_next(path: Path, text: str) -> None:
    missing = [name for name in re.findall(r"\$\{(\w+)\}", text) if not os.environ.get(name)]
    typer.echo(f"wrote {path}: one dry vault, no key")
    typer.echo("next:")
    for name in missing:
        typer.echo(f"  export {name}=https://…")
    for command, what in (
        ("check", "every address in it, against the chain"),
        ("plan", "what it would trade now, and what that would cost"),
        ("run", "the daemon, dry: it looks every five minutes and signs nothing"),
    ):
        typer.echo(f"  keeper {command} {path}".ljust(32) + f"  {what}")
