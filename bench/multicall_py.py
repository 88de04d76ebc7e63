"""multicall.py, which needs a web3 of before 8: in a virtual environment of its own, as a process that does what it is
told over a pipe. The environment is made once and kept in the user's cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.reading import Run, Work

NEEDS = ("multicall==0.15.2", "web3==7.16.0")
PATIENCE = 300.0
"""{s} For pip."""

CHILD = """
import json, sys
from multicall import Call, Multicall, constants
from multicall.multicall import batcher
from web3 import HTTPProvider, Web3

work = json.loads(sys.stdin.readline())
constants.MULTICALL3_ADDRESSES[work["chain_id"]] = work["multicall3"]
batcher.step = 3_000  # of its default Anvil's 2 MB would not take a request
w3 = Web3(HTTPProvider(work["url"]))
calls = [
    Call(token, ["balanceOf(address)(uint256)", account], [[at, None]])
    for at, (token, account) in enumerate(work["targets"])
]
said = [sys.stdout]
sys.stdout = sys.stderr
for _ in sys.stdin:
    found = Multicall(calls, block_id=work["block"], _w3=w3)()
    print(json.dumps([found[at] for at in range(len(calls))]) if _ == "tell\\n" else "done", file=said[0], flush=True)
"""


class CannotInstall(Exception):
    """Why this peer takes no part."""


def interpreter(*, may_install: bool) -> Path:
    """The environment's Python. Raises CannotInstall."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "keeper-bench" / f"{'-'.join(NEEDS)}-py{sys.version_info.major}.{sys.version_info.minor}"
    python, whole = place / "bin" / "python", place / "whole"
    if whole.exists():
        return python
    if not may_install:
        raise CannotInstall("its environment is made by a full run only")
    try:
        venv.create(place, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "15", *NEEDS]
        subprocess.run(pip, check=True, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.CalledProcessError as error:
        raise CannotInstall((error.stderr or "pip failed").strip().splitlines()[-1]) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstall(str(error)) from None
    whole.touch()
    return python


@contextmanager
def contestant(work: Work, multicall3: str, python: Path) -> Iterator[tuple[Run, Run]]:
    """What runs it, and what runs it and brings its figures home: the pipe is no part of its work."""
    process = subprocess.Popen([str(python), "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    told = {"url": work.url, "chain_id": work.local.chain_id, "block": work.block.number, "targets": work.targets}
    stdin, stdout = process.stdin, process.stdout

    def say(word: str) -> str:
        stdin.write(word + "\n")
        stdin.flush()
        answer = stdout.readline()
        assert answer, "multicall.py gave up"
        return answer

    def run() -> list[int]:
        say("run")
        return []

    def tell() -> list[int]:
        return [int(figure) for figure in json.loads(say("tell"))]

    try:
        stdin.write(json.dumps(told | {"multicall3": multicall3}) + "\n")
        yield run, tell
    finally:
        stdin.close()
        process.wait(timeout=10)
        stdout.close()
