"""The tree and its documentation say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from keeper.config.guards import CEILINGS, GuardsConfig, ceiling_text
from keeper.config.tree import Config
from keeper.guards import ALL_KEYS
from tests.unit.config.deployments import REPOSITORY

TEXT = (REPOSITORY / "docs" / "configuration.md").read_text("utf-8")
WITHOUT_LIMIT = {"whole_transfers", "drift_falls", "no_crossing", "allow_list", "paused"}


def models(annotation: Any, seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """Every model that stands somewhere in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in seen:
        seen.add(annotation)
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation, seen)
    for argument in get_args(annotation):
        yield from models(argument, seen)


KEYS = sorted({field.alias or name for model in models(Config, set()) for name, field in model.model_fields.items()})


@pytest.mark.parametrize("key", KEYS)
def test_documentation__names_every_key(key: str) -> None:
    assert re.search(rf"(?<![a-z_]){key}(?![a-z_])", TEXT), key


@pytest.mark.parametrize("model", list(models(Config, set())), ids=lambda model: model.__name__)
def test_model__frozen_closed_and_silent_about_its_input(model: type[BaseModel]) -> None:
    assert (model.model_config["frozen"], model.model_config["extra"]) == (True, "forbid")
    assert model.model_config["hide_input_in_errors"] is True


def test_guards__keys_are_the_names_of_the_guards_that_have_limits() -> None:
    assert set(GuardsConfig.model_fields) == set(ALL_KEYS) - WITHOUT_LIMIT
    assert len(ALL_KEYS) == 18


@pytest.mark.fault("C6")
@pytest.mark.parametrize("key", sorted(CEILINGS))
def test_guards__ceiling__is_the_documented_one_and_above_the_default(key: str) -> None:
    assert re.search(rf"\| `{key}` \|.*\| `{re.escape(ceiling_text(key))}` \|", TEXT)
    default = getattr(GuardsConfig(), key)
    assert default is None or getattr(default, "limit", default) < CEILINGS[key]
