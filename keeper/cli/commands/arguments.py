"""Arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
