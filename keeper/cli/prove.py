"""What can be known before anything is armed: check, config, plan. None of these needs a key."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from keeper.cli.screen import console, print_json
from keeper.config import Loaded, show
from keeper.config.compare import changes
from keeper.core.errors import ConfigError, KeeperError

if TYPE_CHECKING:
    from keeper.chain.reading.pins import Finding

MARKS = {True: ("ok", "green"), False: ("wrong", "bold red")}
WARNS = "warning", "yellow"


def show_config(path: Path, *, json: bool) -> None:
    from keeper.app.loading import open_config

    loaded = open_config(path, need_env=False)
    rows = show(loaded)
    if json:
        values = [{"path": place, "value": value, "origin": origin} for place, value, origin in rows]
        print_json({"hash": loaded.hash, "values": values})
        return
    wide = max(len(place) for place, _, _ in rows)
    values_wide = min(44, max(len(value) for _, value, _ in rows))
    out = console()
    for place, value, origin in rows:
        style = "" if origin == "file" else "dim"
        out.print(Text(f"{place:<{wide}}  {value:<{values_wide}}  {origin}", style=style), soft_wrap=True)
    out.print(f"\nhash {loaded.hash}", soft_wrap=True)


def check(path: Path, *, offline: bool, json: bool) -> None:
    """Exit 2 where anything is wrong, 3 where a chain does not answer and nothing else is wrong."""
    from keeper.app.loading import open_config

    loaded = open_config(path, need_env=not offline)
    if offline:
        _offline(loaded, json)
        return
    from keeper.app.checking import check_chain

    found: dict[str, Sequence[Finding]] = {}
    down: dict[str, KeeperError] = {}
    for name in dict.fromkeys(kept.chain for kept in loaded.config.kept.values()):
        try:
            found[name] = check_chain(loaded, name)
        except KeeperError as error:
            down[name] = error
    findings = [finding for chain in found.values() for finding in chain]
    if json:
        print_json(
            {
                "findings": [{"path": f.path, "expected": f.expected, "found": f.found, "ok": f.ok} for f in findings],
                "down": {name: str(error) for name, error in down.items()},
                "warnings": list(loaded.warnings),
            }
        )
    else:
        _print_findings(loaded, findings, down)
    wrong = sum(not finding.ok for finding in findings)
    if wrong or down:
        sys.exit(2 if wrong else 3)


def _offline(loaded: Loaded, json: bool) -> None:
    if json:
        print_json({"hash": loaded.hash, "warnings": list(loaded.warnings)})
        return
    out = console()
    for warning in loaded.warnings:
        out.print(Text(f"warning  {warning}", style="yellow"), soft_wrap=True)
    vaults = ", ".join(loaded.config.kept)
    out.print(f"{loaded.path}: valid, as far as can be said without a chain ({vaults}; hash {loaded.hash[:12]})")


def _print_findings(loaded: Loaded, findings: Sequence[Finding], down: dict[str, KeeperError]) -> None:
    out = console()
    for warning in loaded.warnings:
        out.print(Text(f"warning  {warning}", style="yellow"), soft_wrap=True)
    show_findings(findings)
    for name, error in down.items():
        out.print(Text(f"down     chains.{name}: {error}", style="bold red"), soft_wrap=True)
    wrong = sum(not finding.ok for finding in findings)
    out.print(f"\n{len(findings) - wrong} ok, {wrong} wrong" + (f", {len(down)} down" if down else ""), soft_wrap=True)


def show_findings(findings: Sequence[Finding]) -> None:
    """A line each."""
    out = console()
    for finding in findings:
        word, style = WARNS if finding.warns else MARKS[finding.ok]
        line = Text(f"{word:<8} ", style=style)
        said = _agreed(finding) if finding.ok else str(finding)
        out.print(line.append(said, style="default not bold"), soft_wrap=True)


def _agreed(finding: Finding) -> str:
    """`vaults.a.pools[0]: a pool of WETH and USDC: USDC/WETH`: what was asked, and the answer where it says more."""
    if finding.warns:
        return f"{finding.path}: {finding.found}"
    if finding.found in (finding.expected, finding.expected.removeprefix("decimals ")):
        return f"{finding.path}: {finding.expected}"
    return f"{finding.path}: {finding.expected}: {finding.found}"


def plan(path: Path, vault: str | None, *, against: Path | None, all_guards: bool, json: bool) -> None:
    from keeper.app.loading import open_config
    from keeper.report.plan import render_plan

    loaded = open_config(path)
    if vault is not None and vault not in loaded.config.kept:
        raise ConfigError("command", "VAULT", f"one of {', '.join(loaded.config.kept)}", vault)
    from keeper.app.planning import plans

    if against is not None:
        _compare(open_config(against), loaded, vault, json=json)
        return
    records = list(plans(loaded, vault))
    if json:
        print_json([record for record, _ in records])
        return
    out = console()
    for index, (record, now) in enumerate(records):
        if index:
            out.print()
        render_plan(record, now=now, show_all=all_guards, next_commands=_next(path)).show(out)


def _compare(old: Loaded, new: Loaded, vault: str | None, *, json: bool) -> None:
    """Both plans, made one after the other; a block may pass between them."""
    from keeper.app.planning import plans
    from keeper.report.compare import render_compared

    was = {str(record["vault"]): record for record, _ in plans(old, vault)}
    would = {str(record["vault"]): record for record, _ in plans(new, vault)}
    changed = changes(old, new)
    if json:
        edits = [{"path": change.path, "old": change.old, "new": change.new} for change in changed]
        print_json({"changes": edits, "old": list(was.values()), "new": list(would.values())})
        return
    rows = [(change.path, change.old, change.new) for change in changed]
    render_compared(rows, was, would).show(console())


def _next(path: Path) -> list[str]:
    return [f"keeper check {path}", f"keeper run {path}"]
