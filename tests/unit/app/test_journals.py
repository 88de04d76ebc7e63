from __future__ import annotations

from pathlib import Path

from keeper.app.journals import has_journal, journal_url
from tests.unit.app.app_configs import config


def test_journal__without_a_word_about_it__lies_beside_the_configuration(tmp_path: Path) -> None:
    assert journal_url(config(tmp_path)) == f"sqlite:///{tmp_path / 'keeper.db'}"


def test_journal__named__lies_there_and_may_not_exist_yet(tmp_path: Path) -> None:
    loaded = config(tmp_path, ("signers:", "journal: data/other.db\nsigners:"))
    assert journal_url(loaded) == f"sqlite:///{tmp_path / 'data' / 'other.db'}"
    assert not has_journal(loaded)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "other.db").touch()
    assert has_journal(loaded)
