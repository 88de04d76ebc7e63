"""The command line: what each command is called, what it takes, and what its exit code says.

Exit codes: 0 done · 1 a fault of the keeper's own · 2 the configuration or the command is wrong · 3 no node answers ·
4 the journal cannot be used · 5 something is halted and waits for a person.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from keeper import __version__
from keeper.cli import keys
from keeper.core.errors import ConfigError, KeeperError

app = typer.Typer(
    name="keeper",
    help="Keeps on-chain vaults where they should be, and shows why it did or did not trade.",
    epilog="Exit codes: 0 done, 1 keeper fault, 2 configuration, 3 no node answers, 4 journal, 5 halted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(keys.app, name="keys", help="Make, show and change the keys that sign.", rich_help_panel="Run it")

DEFAULT = Path("keeper.yaml")
Config = Annotated[Path, typer.Argument(help="The configuration file.", metavar="CONFIG")]
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.", metavar="FILE")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]
Live = Annotated[bool, typer.Option("--live", help="Arm the vaults whose mode is live. Without it nothing is signed.")]
ChainIds = Annotated[
    list[int] | None,
    typer.Option("--chain-id", help="With --live: must equal the set of live chains. Repeatable.", metavar="ID"),
]
Reason = Annotated[str, typer.Option(help="Why; kept in the journal.")]
Tx = Annotated[str, typer.Argument(help="A vault, a number of `keeper txs`, or a hash.", metavar="TX|VAULT")]
Adopt = Annotated[
    bool,
    typer.Option(
        "--adopt", help="With --live: you answer for nonces that the senders used and the journal does not know."
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every guard's answer, not only the near ones.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"keeper {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


@app.command(rich_help_panel="Try it")
def demo(
    days: Annotated[int, typer.Option(help="Simulated days.", min=1, max=30)] = 5,
    seed: Annotated[int, typer.Option(help="Of the market's path.")] = 7,
    out: Annotated[Path, typer.Option(help="Where its config and journal go.")] = Path("keeper-demo"),
    port: Annotated[int, typer.Option(help="Loopback port of the chain; 0 takes a free one.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the chain up at the end, until Ctrl-C.")] = False,
    rpc: Annotated[
        str | None, typer.Option(help="Deploy to this testnet instead: a URL, or the variable that holds it.")
    ] = None,
    keystore: Annotated[Path | None, typer.Option(help="With --rpc: whose key deploys and keeps.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="With --rpc: beside the keystore by default.")] = None,
    signer: Annotated[str | None, typer.Option(help="With --rpc: a signer of --config, for its keystore.")] = None,
    config: ConfigOption = DEFAULT,
    private_chain: Annotated[
        int | None, typer.Option(help="With --rpc: the id of a chain of your own, whose coins are worth nothing.")
    ] = None,
) -> None:
    """Watch a live keeper hold two vaults through some bad days, on a chain inside this process. No node, no key."""
    if rpc is not None:
        from keeper.cli.testnet import demo_on_testnet

        files = {"keystore": keystore, "password_file": password_file}
        demo_on_testnet(rpc, out, signer=signer, config=config, private=private_chain, **files)
        return
    from keeper.cli.demo import demo as run_demo

    run_demo(days=days, seed=seed, out=out, port=port, keep=keep)


@app.command(rich_help_panel="Try it")
def init(
    path: Annotated[Path, typer.Argument(help="The file to write.", metavar="CONFIG")] = DEFAULT,
    chain: Annotated[str | None, typer.Option(help="A chain preset: mainnet, base, sepolia, …")] = None,
    account: Annotated[str | None, typer.Option(help="The address that holds the funds.")] = None,
    weights: Annotated[str | None, typer.Option(help="Target weights: WETH=60,USDC=40.")] = None,
    pools: Annotated[str | None, typer.Option(help="Pool addresses, comma-separated.")] = None,
    rpc: Annotated[str | None, typer.Option(help="RPC URL, or the name of its environment variable.")] = None,
) -> None:
    """Write a commented configuration from a few questions, or from flags."""
    from keeper.cli.init import init as run_init

    run_init(path, chain=chain, account=account, weights=weights, pools=pools, rpc=rpc)


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


@app.command(rich_help_panel="Try it")
def fork(
    config: Config = DEFAULT,
    block: Annotated[int | None, typer.Option(help="The last block it shares; the head by default.", min=0)] = None,
    span: Annotated[str, typer.Option("--for", help="How much of the chain's time passes: 30m, 2h.")] = "10m",
    vault: Annotated[str | None, typer.Option(help="One vault; all by default.")] = None,
    move: Annotated[list[str] | None, typer.Option(help="Move the market first: 'WETH -8%'. Repeatable.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the fork up at the end, until Ctrl-C.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where its journal goes; CONFIG-fork by default.")] = None,
) -> None:
    """Run your vaults live on a fork of their chain: real contracts, no key, and nothing reaches the chain."""
    from keeper.cli.fork import fork as run_fork

    run_fork(config, block=block, span=span, vault=vault, moves=move or (), keep=keep, out=out)


@app.command(rich_help_panel="Run it")
def once(config: Config = DEFAULT, live: Live = False, chain_id: ChainIds = None, adopt: Adopt = False) -> None:
    """One cycle for every vault, journaled; with --live it follows what it sends until it is confirmed."""
    from keeper.cli.operate import once as run_once

    run_once(config, live=live, chain_ids=chain_id, adopt=adopt)


@app.command(name="run", rich_help_panel="Run it")
def run_(config: Config = DEFAULT, live: Live = False, chain_id: ChainIds = None, adopt: Adopt = False) -> None:
    """The daemon. Ctrl-C and SIGTERM let it finish the step in hand."""
    from keeper.cli.operate import run as run_daemon

    run_daemon(config, live=live, chain_ids=chain_id, adopt=adopt)


@app.command(rich_help_panel="Run it")
def pause(
    vault: Annotated[str, typer.Argument(help="A vault, or '*' for all.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")],
    config: ConfigOption = DEFAULT,
) -> None:
    """Stop a vault from trading. The daemon honours it before it signs and again before it sends."""
    from keeper.cli.asking import switch

    switch(config, "pause", vault, reason)


@app.command(rich_help_panel="Run it")
def resume(
    vault: Annotated[str, typer.Argument(help="A vault, or '*' for all.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "",
    config: ConfigOption = DEFAULT,
) -> None:
    """Lift a pause. What is halted stays so until `clear`."""
    from keeper.cli.asking import switch

    switch(config, "resume", vault, reason)


@app.command(rich_help_panel="Run it")
def proposals(
    config: Config = DEFAULT,
    everything: Annotated[bool, typer.Option("--all", help="What became of the latest ones, too.")] = False,
    json: Json = False,
) -> None:
    """What waits for the signatures of a Safe's owners: hash, files, and until when."""
    from keeper.cli.proposals import proposals as run_proposals

    run_proposals(config, everything=everything, json=json)


@app.command(rich_help_panel="At three in the morning")
def txs(
    config: Config = DEFAULT,
    everything: Annotated[bool, typer.Option("--all", help="Every transaction, not only the latest.")] = False,
    json: Json = False,
) -> None:
    """Live and recent transactions: state, age, fees, attempts."""
    from keeper.cli.transactions import txs as run_txs

    run_txs(config, everything=everything, json=json)


@app.command(name="speed-up", rich_help_panel="At three in the morning")
def speed_up(
    tx: Tx, reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "", config: ConfigOption = DEFAULT
) -> None:
    """Replace a live transaction now with one that offers more, up to the fee cap. Same nonce, same call."""
    from keeper.cli.asking import wish

    wish(config, "speed-up", tx, reason)


@app.command(rich_help_panel="At three in the morning")
def cancel(tx: Tx, reason: Reason, config: ConfigOption = DEFAULT) -> None:
    """Take a live transaction's nonce with a transfer of nothing. It may still lose the race: `txs` says which won."""
    from keeper.cli.asking import wish

    wish(config, "cancel", tx, reason)


@app.command(rich_help_panel="At three in the morning")
def halt(
    scope: Annotated[str, typer.Argument(help="A vault or a sender's address.")],
    reason: Reason,
    config: ConfigOption = DEFAULT,
) -> None:
    """Stop a vault or a sender until somebody has looked: only `clear` ends it."""
    from keeper.cli.asking import halt as run_halt

    run_halt(config, scope, reason)


@app.command(rich_help_panel="At three in the morning")
def clear(
    scope: Annotated[
        str, typer.Argument(help="A vault, a sender's address, or the number of a halt. Without it: what is halted.")
    ] = "",
    reason: Reason = "",
    adopt: Annotated[
        bool, typer.Option("--adopt", help="You account for every nonce of the sender that the journal cannot explain.")
    ] = False,
    config: ConfigOption = DEFAULT,
) -> None:
    """End a halt or a breaker; alone, list what stands. Who, when and why are kept."""
    if not scope:
        from keeper.cli.read import halts

        halts(config)
        return
    from keeper.cli.asking import clear as run_clear

    run_clear(config, scope, reason, adopt=adopt)


@app.command(rich_help_panel="At three in the morning")
def verify(
    config: Config = DEFAULT,
    everything: Annotated[bool, typer.Option("--all", help="A line for every nonce.")] = False,
    json: Json = False,
) -> None:
    """Explain every nonce that our keys ever used, from chain and journal. Exit 5 where one is not explained."""
    from keeper.cli.transactions import verify as run_verify

    run_verify(config, everything=everything, json=json)


@app.command(rich_help_panel="At three in the morning")
def backup(
    target: Annotated[Path, typer.Argument(help="A file that does not exist yet.", metavar="PATH")],
    config: ConfigOption = DEFAULT,
) -> None:
    """Copy the journal while the daemon runs."""
    from keeper.cli.transactions import backup as run_backup

    run_backup(config, target)


@app.command(rich_help_panel="Understand it")
def status(
    config: Config = DEFAULT,
    watch: Annotated[bool, typer.Option("--watch", help="Keep it live until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """The vaults as a table: where they stand, what they wait for, when they look next."""
    from keeper.cli.read import status as run_status

    run_status(config, watch=watch, json=json)


@app.command(rich_help_panel="Understand it")
def explain(
    cycle: Annotated[int | None, typer.Argument(help="A cycle's number; the latest by default.")] = None,
    vault: Annotated[str | None, typer.Option(help="The latest cycle of this vault.")] = None,
    config: ConfigOption = DEFAULT,
    all_: All = False,
    json: Json = False,
) -> None:
    """Tell in sentences why a cycle did what it did."""
    from keeper.cli.read import explain as run_explain

    run_explain(config, cycle, vault, all_guards=all_, json=json)


@app.command(rich_help_panel="Understand it")
def replay(
    cycle: Annotated[int | None, typer.Argument(help="One cycle's number; all that are kept by default.")] = None,
    vault: Annotated[str | None, typer.Option(help="Only this vault.")] = None,
    since: Annotated[str | None, typer.Option(help="Day or time in UTC: 2026-11-01.")] = None,
    config: ConfigOption = DEFAULT,
    json: Json = False,
) -> None:
    """Make recorded decisions again, offline: byte for byte, or as another configuration would have decided."""
    from keeper.cli.repeat import replay as run_replay

    run_replay(config, cycle, vault, since, json=json)


@app.command(rich_help_panel="Understand it")
def history(
    config: Config = DEFAULT,
    vault: Annotated[str | None, typer.Option(help="Only this vault.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Day or time in UTC: 2026-11-01.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Day or time in UTC, exclusive.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets.")] = False,
    json: Json = False,
) -> None:
    """Every trade: hash, amounts, value at its block, gas and cost by part."""
    from keeper.cli.read import history as run_history

    run_history(config, vault, start, end, csv=csv, json=json)


@app.command(rich_help_panel="Understand it")
def health(config: Config = DEFAULT) -> None:
    """Exit 0 while every chain ticks, 1 when one has stopped. For HEALTHCHECK."""
    from keeper.cli.read import health as run_health

    run_health(config)


@app.command(rich_help_panel="Run it")
def alert(
    config: Config = DEFAULT,
    test: Annotated[bool, typer.Option("--test", help="Send a test to every target.")] = False,
) -> None:
    """Say who is told of trouble; with --test tell them, and say which of them took it."""
    from keeper.cli.alert import alert as run_alert

    run_alert(config, test=test)


def run() -> None:
    """Runs the command line; every failure becomes one masked line and an exit code."""
    try:
        app(prog_name="keeper")
    except KeeperError as error:
        _die(str(error), error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left; nothing to say to it
        sys.exit(0)
    except Exception as error:  # noqa: BLE001  a person sees one line; the daemon has its own isolation
        _die(f"{type(error).__name__}: {error} (a fault of keeper's own: please report it)", 1)


def _die(text: str, code: int) -> None:
    from keeper.telemetry.mask import mask

    sys.stderr.write(f"keeper: {mask(' '.join(text.split()))}\n")
    sys.exit(code)
