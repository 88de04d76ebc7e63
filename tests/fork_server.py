"""A process that has imported much already, and forks one that goes on from there for each request (see forks.py).

`python -m tests.fork_server FD MODULE…`: FD is a socket of whoever asks, MODULE what is imported once and for all;
`package.*` stands for each of its modules.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass

LARGEST = 1 << 17
"""{bytes} Of a request."""


@dataclass(frozen=True)
class Request:
    """A module to run as `python -m` would, and what differs between two processes that run it."""

    module: str
    words: list[str]
    env: dict[str, str]
    folder: str
    streams: tuple[int, ...]
    """Descriptors of its input, its output and its errors."""


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        _load(name)
    # What is here is here for good: no child needs to look at it, and to copy the pages by looking.
    gc.freeze()
    if (request := _serve(control)) is not None:
        _become(request)


def _load(name: str) -> None:
    package = importlib.import_module(name.removesuffix(".*"))
    if name.endswith(".*"):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)


def _serve(control: socket.socket) -> Request | None:
    """Returns in each child with its request; in the server, once nobody can ask any more."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake)
    children: dict[int, int] = {}
    while True:
        ready, *_ = select.select([control, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            _bury(children)
        if control not in ready:
            continue
        body, descriptors, *_ = socket.recv_fds(control, LARGEST, 4)
        if not body:
            return None
        *streams, told = descriptors
        pid = os.fork()
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (control.detach(), ended, wake, told, *children.values()):
                os.close(descriptor)
            return Request(**json.loads(body), streams=tuple(streams))
        children[pid] = told
        os.write(told, f"{pid}\n".encode())
        for descriptor in streams:
            os.close(descriptor)


def _bury(children: dict[int, int]) -> None:
    """Tells how each ended that has."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        told = children.pop(pid)
        with contextlib.suppress(BrokenPipeError):  # nobody waits for it
            os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os.close(told)


def _become(request: Request) -> None:
    for place, descriptor in enumerate(request.streams):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request.env)
    time.tzset()
    os.chdir(request.folder)
    sys.argv[1:] = request.words
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
