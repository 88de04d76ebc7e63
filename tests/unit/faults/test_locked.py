"""Nothing is installed that was not looked at: every dependency is pinned to its content, and none runs a script."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.fault("S17")
@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock__each_requirement__is_one_version_with_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(lines) > 50
    unpinned = [
        line for line in lines if not re.match(r"^[a-z0-9._-]+==[^ ;]+( ;[^-]+)? +--hash=sha256:[0-9a-f]{64}", line)
    ]
    assert unpinned == []


@pytest.mark.fault("S17")
def test_install__wherever_it_is_written__insists_on_the_hashes() -> None:
    for name in ("Makefile", "Dockerfile"):
        commands = re.findall(r"pip install [^\n]*-r requirements\S*", (ROOT / name).read_text())
        assert commands and all("--require-hashes" in command for command in commands), name


@pytest.mark.fault("S17")
def test_npm__each_package__is_pinned_to_its_content_and_runs_no_script() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    open_ones = {name.rpartition("/")[2] for name, package in packages.items() if name and "integrity" not in package}
    # Builds of Anvil for machines that are not ours: nothing here ever installs them.
    assert open_ones <= {f"anvil-{other}" for other in ("darwin-amd64", "darwin-arm64", "linux-arm64", "win32-amd64")}
    assert len(packages) > 5
    assert "ignore-scripts=true" in (ROOT / ".npmrc").read_text().splitlines()
