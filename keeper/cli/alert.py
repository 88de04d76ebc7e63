"""Who is told of trouble, and whether they can be reached."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from time import monotonic

from keeper.app.loading import open_config
from keeper.telemetry.apprise_alerts import apprise_send, target_name

PATIENCE = 30.0
"""{s} For all targets together: longer than any of their time-outs."""


def alert(path: Path, *, test: bool) -> None:
    """Exit 1 where `test` and no target took it."""
    loaded = open_config(path, need_env=test)
    # Whose variable is not set has no URL to show.
    urls = [url.reveal() if url.is_set else "" for url in loaded.config.alerts.to]
    names = [target_name(number, url) if url else f"alerts.to[{number}]" for number, url in enumerate(urls)]
    if not urls:
        sys.stdout.write("nobody is told: alerts.to is empty\n")
    if test:
        results = _send_all(urls, f"keeper: this is a test of {path.name}; nothing is wrong")
        for name, result in zip(names, results, strict=True):
            sys.stdout.write(f"{name}: {result}\n")
        if "took it" not in results:
            sys.exit(1)
    else:
        sys.stdout.write("".join(f"{name}\n" for name in names))


def _send_all(urls: list[str], text: str) -> list[str]:
    """Each in a thread of its own, so that a slow target does not keep the others from being heard."""
    results = [f"did not answer within {PATIENCE:.0f} s"] * len(urls)

    def send(number: int) -> None:
        opened = apprise_send(urls[number])
        if opened is None:
            results[number] = "is not a URL that Apprise understands"
        else:
            results[number] = "took it" if opened("keeper: test", text, "info") else "did not take it"

    threads = [threading.Thread(target=send, args=(number,), daemon=True) for number in range(len(urls))]
    for thread in threads:
        thread.start()
    end = monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, end - monotonic()))
    return list(results)
