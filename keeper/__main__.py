"""`keeper` and `python -m keeper`."""

from __future__ import annotations


def main() -> None:
    from keeper.cli.main import run  # late: importing the package must stay cheap

    run()


if __name__ == "__main__":
    main()
