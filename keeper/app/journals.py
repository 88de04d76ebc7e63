"""Where a configuration's journal is. Imports little: whoever only reads it should start quickly."""

from __future__ import annotations

from pathlib import Path

from keeper.config import Loaded
from keeper.core.errors import ConfigError


def journal_url(loaded: Loaded) -> str:
    """SQLAlchemy's name for the journal. Beside the configuration where it says nothing. Raises ConfigError where
    the variable that holds it is not set."""
    journal = loaded.config.journal
    if journal.url is not None:
        if not journal.url.is_set:
            raise ConfigError(str(loaded.path), "journal.url", "its variable to be set", str(journal.url))
        return journal.url.reveal()
    path = journal.path or loaded.path.with_suffix(".db")
    return f"sqlite:///{path.resolve()}"


def proposals_beside(loaded: Loaded) -> Path:
    """Where what people are to sign is written: beside the journal's file, else beside the configuration."""
    journal = loaded.config.journal
    file = loaded.path if journal.url is not None else journal.path or loaded.path
    return file.resolve().parent / "proposals"


def has_journal(loaded: Loaded) -> bool:
    """Whether there is anything to read yet. Raises JournalError where a database does not answer."""
    url = journal_url(loaded)
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///")).exists()
    from keeper.journal.places import place_of

    return place_of(url).exists()
