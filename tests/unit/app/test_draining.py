"""A vault with another key than its unfinished transactions have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from keeper.app.draining import require_drained
from keeper.core.errors import ConfigError
from keeper.core.sending import State
from keeper.journal import rules
from tests.builders import ACCOUNT
from tests.unit.app.app_configs import HOLDER, config
from tests.unit.chain.lives import new_intent


@pytest.mark.fault("S9")
@pytest.mark.parametrize("state", [State.RESERVED, State.MAYBE_SENT, State.CONFIRMED])
def test_require_drained__the_old_key_is_not_done__the_vault_does_not_start(tmp_path: Path, state: State) -> None:
    left = replace(rules.reserved(new_intent(sender=ACCOUNT), 1, 12), state=state)
    with pytest.raises(ConfigError) as caught:
        require_drained(config(tmp_path), ["treasury"], [left])
    assert str(caught.value).endswith(
        f"vaults.treasury.custody.signer: expected the signer of {ACCOUNT}, until its transactions are final "
        f"(keeper keys rotate), found another one, with nonce 12 still {state}"
    )


def test_require_drained__its_own_key_or_a_vault_that_is_dry__nothing_to_wait_for(tmp_path: Path) -> None:
    own, other = (rules.reserved(new_intent(sender=sender), 1, 12) for sender in (HOLDER, ACCOUNT))
    require_drained(config(tmp_path), ["treasury"], [own])
    require_drained(config(tmp_path), [], [other])
    with pytest.raises(ConfigError):
        require_drained(config(tmp_path), ["treasury"], [own, other])
