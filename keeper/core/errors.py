"""Errors, named by who must act.

    KeeperError
    ├── ConfigError      the operator edits a file; exit 2 at start
    ├── Unreachable      no node answers; exit 3 at start, a skipped tick later
    ├── Halted           a person must look; nothing is sent until `clear`
    ├── JournalError     the journal cannot be trusted or written; exit 4, nothing is sent
    ├── TransientError   the next cycle tries again
    └── SubmitError      the submitter decides

"No" is not an error: a hold, a denial and an unusable price are values with a reason (`core.chain`, `core.plan`).
"""

from __future__ import annotations


class KeeperError(Exception):
    """Base of every error that the keeper raises on purpose. Its text is one line, fit for an operator."""

    exit_code = 1


class ConfigError(KeeperError):
    """The configuration is wrong: one line with the file, the path in it, what was expected and what was found."""

    exit_code = 2

    def __init__(self, where: str, path: str, expected: str, found: str) -> None:
        super().__init__(f"{where}: {path}: expected {expected}, found {found}")
        self.where, self.path, self.expected, self.found = where, path, expected, found


class Unreachable(KeeperError):
    """No RPC endpoint of a chain gave a usable answer."""

    exit_code = 3


class JournalError(KeeperError):
    """The journal is locked, damaged, from another version, or refused a write. Never repaired silently."""

    exit_code = 4


class Halted(KeeperError):
    """Something happened that only a person can judge; the sender or vault stays still until then."""

    exit_code = 5


class TransientError(KeeperError):
    """This tick cannot be decided; the next one starts afresh."""


class SubmitError(KeeperError):
    """A node refused or failed to take a transaction; the submitter classifies it."""
