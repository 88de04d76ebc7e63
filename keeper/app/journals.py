"""Where a configuration's journal is. Imports little: whoever only reads it should start quickly."""

from __future__ import annotations

from pathlib import Path

from keeper.config import Loaded


def journal_url(loaded: Loaded) -> str:
    """SQLAlchemy's name for the journal. Beside the configuration where it says nothing."""
    journal = loaded.config.journal
    if journal.url is not None:
        return journal.url.reveal()
    path = journal.path or loaded.path.with_suffix(".db")
    return f"sqlite:///{path.resolve()}"


def has_journal(loaded: Loaded) -> bool:
    """Whether there is anything to read yet; a database by URL is asked when it is opened."""
    url = journal_url(loaded)
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()
