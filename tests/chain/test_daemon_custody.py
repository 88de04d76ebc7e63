"""The same ride with every other kind of custody: they differ in nothing but who holds the funds and what the
configuration says."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.chain.daemon_custody import KINDS
from tests.chain.daemon_ride import MOVES, Ride, ride_with
from tests.chain.test_daemon_ride import *  # noqa: F403

SOAK = os.environ.get("KEEPER_SOAK") == "1"


@pytest.fixture(scope="module", params=[kind for kind in KINDS if kind != "wallet"])
def ride(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ride]:
    yield from ride_with(request.param, tmp_path_factory.mktemp("ride"), MOVES if SOAK else MOVES[:3])
