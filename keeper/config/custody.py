"""Who holds the funds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo

from keeper.config.fields import Address, Name, Part, Text, Wrong
from keeper.config.kinds import kind_of
from keeper.config.safes import ProposeConfig, RolesConfig, SafeConfig, SafeModuleConfig
from keeper.core.template import REBALANCE, REBALANCE_ARGUMENTS, CallTemplate, argument_types, make_template
from keeper.core.units import Address as CoreAddress


class WalletConfig(Part):
    """The funds lie in the account of the key itself. Without a signer the vault can only be dry."""

    kind: Literal["wallet"]
    signer: Name | None = None
    address: Address | None = None
    native: Literal["count", "ignore"] = "count"
    """Whether native coin above the gas reserve counts as its wrapped token."""

    @property
    def account(self) -> CoreAddress | None:
        """Where the funds lie; None where that is the signer's own account."""
        return self.address


def _function(text: str) -> str:
    if argument_types(text) is None:
        raise Wrong("a function such as rebalance((address,bytes)[],uint256)")
    return text


def _arguments(text: str, info: ValidationInfo) -> str:
    template = make_template(info.data.get("function", ""), text)
    if isinstance(template, str) and "function" in info.data:
        raise Wrong(template)
    return text


class ContractConfig(Part):
    """The funds lie in a contract whose keeper the signer is: our reference vault, or any that makes the swaps which
    one call of it names."""

    kind: Literal["contract"]
    signer: Name | None = None
    address: Address
    function: Annotated[Text, AfterValidator(_function)] = REBALANCE
    arguments: Annotated[Text, AfterValidator(_arguments)] = Field(REBALANCE_ARGUMENTS, validate_default=True)
    """What stands in the function's call, with places for what changes (core/template.py)."""

    @property
    def account(self) -> CoreAddress:
        return self.address

    @property
    def native(self) -> Literal["ignore"]:
        """Its coin is nobody's gas, and it cannot wrap it."""
        return "ignore"

    @property
    def template(self) -> CallTemplate:
        found = make_template(self.function, self.arguments)
        assert not isinstance(found, str), "checked when the file was loaded"
        return found


CustodyConfig = Annotated[
    Annotated[WalletConfig, Tag("kind=wallet")]
    | Annotated[SafeConfig, Tag("kind=safe")]
    | Annotated[SafeModuleConfig, Tag("kind=safe_module")]
    | Annotated[RolesConfig, Tag("kind=roles")]
    | Annotated[ProposeConfig, Tag("kind=propose")]
    | Annotated[ContractConfig, Tag("kind=contract")],
    Discriminator(kind_of),
]
"""All custody kinds. Each says who signs, whose account holds the funds (None: the signer's own), and whether native
coin counts."""


def full_authority(custody: CustodyConfig) -> str:
    """What is told beside a key of a Safe that may do everything, or an empty string."""
    instead = "has full authority over the Safe and everything in it: kind roles bounds what a key may do"
    match custody:
        case SafeConfig():
            return f"an owner of a 1-of-n Safe {instead}"
        case SafeModuleConfig(module=None):
            return f"a key that is itself enabled as a module {instead}"
    return ""
