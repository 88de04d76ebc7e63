"""`keeper` and `python -m keeper`."""

from __future__ import annotations

import sys

from keeper import __version__


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        # Asked by scripts and by people in a hurry: the command line need not be loaded to say it.
        sys.stdout.write(f"keeper {__version__}\n")
        return
    from keeper.cli.main import run  # late: importing the package must stay cheap

    run()


if __name__ == "__main__":
    main()
