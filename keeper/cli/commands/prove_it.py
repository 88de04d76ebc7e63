"""What can be known before anything is armed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keeper.cli.commands.app import app
from keeper.cli.commands.arguments import DEFAULT, All, Config, Json
from keeper.core.errors import ConfigError


@app.command(rich_help_panel="Prove it")
def check(
    config: Config = DEFAULT,
    offline: Annotated[bool, typer.Option("--offline", help="Only what needs no chain.")] = False,
    json: Json = False,
) -> None:
    """Prove a configuration: its own rules, then every address in it against the chain."""
    from keeper.cli.prove import check as run_check

    run_check(config, offline=offline, json=json)


@app.command(name="config", rich_help_panel="Prove it")
def config_(config: Config = DEFAULT, json: Json = False) -> None:
    """Print every effective value with its origin, and the hash of the whole."""
    from keeper.cli.prove import show_config

    show_config(config, json=json)


@app.command(rich_help_panel="Prove it")
def rehearse(
    config: Config = DEFAULT,
    vault: Annotated[str | None, typer.Option(help="Only this vault.")] = None,
    day: Annotated[
        list[str] | None, typer.Option(help="Only this day, by its name. Repeatable.", metavar="NAME")
    ] = None,
    value: Annotated[str | None, typer.Option(help="What the vault is worth: '500000 USD'.")] = None,
    depth: Annotated[str | None, typer.Option(help="Of each side of a pool: '2000000 USD'.")] = None,
    json: Json = False,
) -> None:
    """Put your own vaults through bad days, on a chain inside this process. No node, no key."""
    from keeper.cli.rehearse import rehearse as run_rehearse

    run_rehearse(config, vault, day or (), value, depth, json=json)


@app.command(rich_help_panel="Prove it")
def plan(
    config: Config = DEFAULT,
    vault: Annotated[str | None, typer.Argument(help="One vault; all by default.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="The configuration in force: what the edit changes, and would do.")
    ] = None,
    all_: All = False,
    json: Json = False,
) -> None:
    """Show what would be traded now, at what cost, and what each guard says. Needs no key and signs nothing."""
    from keeper.cli.prove import plan as run_plan

    run_plan(config, vault, against=against, all_guards=all_, json=json)


@app.command(rich_help_panel="Prove it")
def quote(
    config: Config = DEFAULT,
    sell: Annotated[str, typer.Option(help="What is sold: '10 WETH', or native coin.")] = ...,  # type: ignore[assignment]
    buy: Annotated[str, typer.Option("--for", help="The token that is bought.", metavar="SYMBOL")] = ...,  # type: ignore[assignment]
    vault: Annotated[str | None, typer.Option(help="Only from this vault's pools.")] = None,
    json: Json = False,
) -> None:
    """Say how a sale would be split over a vault's pools now, and what the best single pool would give."""
    from keeper.cli.market import show_quote

    show_quote(config, sell, buy, vault, json=json)


@app.command(rich_help_panel="Prove it")
def pools(
    config: Config = DEFAULT,
    vault: Annotated[str | None, typer.Option(help="Only this vault.")] = None,
    json: Json = False,
) -> None:
    """List each vault's pools: fee, depth for 10, 50 and 100 bps of impact, age, and why one is left out."""
    from keeper.cli.market import show_pools

    show_pools(config, vault, json=json)


@app.command(rich_help_panel="Prove it")
def authority(
    config: Config = DEFAULT,
    vault: Annotated[str | None, typer.Option(help="Only this vault.")] = None,
    grant: Annotated[
        bool, typer.Option("--grant", help="Write the Safe's transaction that gives the key's role what it needs.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Compare the role on chain with what it needs.")] = False,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Write the Safe's transaction that takes the role away.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what a thief of each key could take at most: at once, in a day, in total, and why no more."""
    from keeper.cli import authority as run

    if grant + diff + revoke > 1:
        raise ConfigError("command", "authority", "one of --grant, --diff and --revoke", "several")
    if grant:
        run.grant(config, vault)
    elif diff:
        run.diff(config, vault)
    elif revoke:
        run.revoke(config, vault)
    else:
        run.authority(config, vault, json=json)


@app.command(rich_help_panel="Prove it")
def backtest(
    config: Config = DEFAULT,
    vault: Annotated[str | None, typer.Option(help="One vault, where there are several.")] = None,
    prices: Annotated[Path | None, typer.Option(help="A CSV: time, and a column in USD for each token.")] = None,
    synthetic: Annotated[str | None, typer.Option(help="Made-up prices: 'gbm seed=7 years=3', jumps, depeg.")] = None,
    value: Annotated[str, typer.Option(help="What the vault begins with.")] = "1000000 USD",
    depth: Annotated[str, typer.Option(help="One side of each pool.")] = "5000000 USD",
    fee: Annotated[str, typer.Option(help="Of each pool.")] = "5bps",
    gas: Annotated[str, typer.Option(help="Of one trade, approvals included.")] = "2 USD",
    max_gap: Annotated[str | None, typer.Option(help="Accept longer gaps between two prices.")] = None,
    calendar: Annotated[str, typer.Option(help="How often the calendar beside it rebalances.")] = "30d",
    html: Annotated[Path | None, typer.Option(help="Write one page with pictures.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write the pictures.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the trades.")] = None,
    json: Json = False,
) -> None:
    """Ride a vault over past or made-up prices, beside rules of thumb: trades, cost by part, tracking error."""
    from keeper.cli.backtest import Wish, run_backtest

    wish = Wish(vault, prices, synthetic, value, depth, fee, gas, max_gap)
    run_backtest(config, wish, calendar=calendar, html=html, png=png, csv=csv, json=json)


@app.command(rich_help_panel="Prove it")
def advise(
    config: Config = DEFAULT,
    vault: Annotated[str | None, typer.Option(help="One vault, where there are several.")] = None,
    prices: Annotated[Path | None, typer.Option(help="A CSV: time, and a column in USD for each token.")] = None,
    synthetic: Annotated[str | None, typer.Option(help="Made-up prices: 'gbm seed=7 years=3', jumps, depeg.")] = None,
    value: Annotated[str, typer.Option(help="What the vault begins with.")] = "1000000 USD",
    depth: Annotated[str, typer.Option(help="One side of each pool.")] = "5000000 USD",
    fee: Annotated[str, typer.Option(help="Of each pool.")] = "5bps",
    gas: Annotated[str, typer.Option(help="Of one trade, approvals included.")] = "2 USD",
    max_gap: Annotated[str | None, typer.Option(help="Accept longer gaps between two prices.")] = None,
    json: Json = False,
) -> None:
    """Recommend bands from the journal's samples or a price file, and say what each choice would have cost."""
    from keeper.cli.backtest import Wish, run_advise

    run_advise(config, Wish(vault, prices, synthetic, value, depth, fee, gas, max_gap), json=json)
