"""What a fork's node may ask of the chain that it copies."""

from __future__ import annotations

from typing import Any

import pytest

from keeper.chain.nodes.rpc import Rpc
from keeper.core.errors import Unreachable
from keeper.local import origin
from keeper.local.node_error import NodeError


class Chain:
    """An origin that fails `fails` times before it answers."""

    label = "https://node"

    def __init__(self, *answers: Any) -> None:
        self.answers, self.heard = list(answers), []  # type: ignore[var-annotated]

    def exchange(self, body: Any) -> Any:
        self.heard.append(body["method"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"jsonrpc": "2.0", "id": body["id"], **answer}

    def hide(self, text: str) -> str:
        return text

    def close(self) -> None:
        self.heard.clear()


def _rpc(chain: Chain) -> Rpc:
    return Rpc("chain", ["https://node"], connect=lambda _url: chain)


@pytest.mark.parametrize(
    "method", ["eth_sendRawTransaction", "eth_sendTransaction", "eth_sign", "evm_mine", "anvil_setCode"]
)
def test_origin__when_something_would_change_it__then_it_is_never_asked(method: str) -> None:
    chain = Chain()
    with pytest.raises(NodeError, match="nothing reaches the origin"):
        origin.read(_rpc(chain), method, [])
    assert chain.heard == []


def test_origin__when_it_answers_or_refuses__then_the_fork_hears_the_same() -> None:
    rpc = _rpc(Chain({"result": "0x1"}, {"result": None}, {"error": {"code": -32005, "message": "no such block"}}))
    assert origin.read(rpc, "eth_chainId", []) == "0x1"
    assert origin.read(rpc, "eth_getTransactionByHash", ["0x00"]) is None
    with pytest.raises(NodeError, match="no such block") as refused:
        origin.read(rpc, "eth_getBalance", [])
    assert refused.value.code == -32005


def test_origin__when_it_fails_for_a_while__then_it_is_asked_until_patience_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(origin, "PAUSE", 0.0)
    patient = Chain(Unreachable("too many requests"), Unreachable("too many requests"), {"result": "0x2a"})
    assert origin.read(_rpc(patient), "eth_blockNumber", []) == "0x2a"
    monkeypatch.setattr(origin, "PATIENCE", 0.0)
    with pytest.raises(NodeError, match="too many requests"):
        origin.read(_rpc(Chain(Unreachable("too many requests"))), "eth_blockNumber", [])
