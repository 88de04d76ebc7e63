import pytest

from keeper.chain.nodes.messages import RpcError
from keeper.chain.nodes.refusals import is_revert, is_too_much


@pytest.mark.parametrize(
    ("code", "text", "reverted", "too_much"),
    [
        (3, "execution reverted: STF", True, True),
        (-32000, "execution reverted", True, True),
        (-32015, "VM execution error: OutOfGas", True, True),
        (-32603, "EVM error InvalidFEOpcode", True, True),
        (-32000, "stack underflow (0 <=> 1)", True, True),
        (-32000, "out of gas: gas required exceeds allowance", True, True),
        (-32000, "request entity too large", False, True),
        (-32005, "query timeout exceeded", False, True),
        (-32005, "daily request count exceeded, request rate limited", False, False),
        (-32000, "header not found", False, False),
        (None, "something else", False, False),
    ],
)
def test_errors__by_their_words__are_the_contracts_or_the_nodes(
    code: int | None, text: str, reverted: bool, too_much: bool
) -> None:
    error = RpcError(code, text)
    assert (is_revert(error), is_too_much(error)) == (reverted, too_much)
