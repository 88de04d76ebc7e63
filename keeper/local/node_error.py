"""How a node of ours says no, and the codes that it has for it."""

from __future__ import annotations

SERVER_ERROR = -32000
BAD_PARAMS = -32602
NO_METHOD = -32601
REVERTED = 3


class NodeError(Exception):
    """An answer of kind `error`."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data
