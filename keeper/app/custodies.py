"""One custody for each `kind` of a configuration."""

from __future__ import annotations

from keeper.app.setting import Setting
from keeper.core.ports import Custody
from keeper.custody.wallet import Wallet


def make_custody(setting: Setting) -> Custody:
    return Wallet(setting.routers, setting.wrapped, setting.gas_reserve)
