"""What can be tried without a vault of one's own, or beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keeper.cli.commands.app import app
from keeper.cli.commands.arguments import DEFAULT, Config, ConfigOption


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
