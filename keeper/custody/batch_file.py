"""The file that the Safe's Transaction Builder imports: calls that a Safe is to make together, with a checksum.

The builder bundles them by itself, through its own multi-send and at a nonce that it chooses: its transaction has
another hash than ours, and does the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from eth_utils.crypto import keccak

from keeper.core.calls import Inner
from keeper.core.units import Address


def batch_file(
    chain_id: int, safe: Address, calls: Sequence[Inner], *, name: str, description: str, at: int
) -> dict[str, object]:
    """JSON of form 1.0. `at` is in Unix seconds."""
    meta = {
        "name": name,
        "description": description,
        "txBuilderVersion": "1.16.5",
        "createdFromSafeAddress": safe,
        "createdFromOwnerAddress": "",
    }
    file: dict[str, object] = {
        "version": "1.0",
        "chainId": str(chain_id),
        "createdAt": at * 1_000,
        "meta": meta,
        "transactions": [_transaction(*call) for call in calls],
    }
    return file | {"meta": meta | {"checksum": checksum(file)}}


def checksum(file: dict[str, object]) -> str:
    """Over everything but the batch's name and the checksum itself: keccak-256 of the text that `_spelled` makes, as
    the builder checks it on import."""
    meta = file["meta"]
    assert isinstance(meta, dict)
    counted = {key: value for key, value in meta.items() if key != "checksum"} | {"name": None}
    return "0x" + keccak(text=_spelled(file | {"meta": counted})).hex()


def _transaction(to: Address, value: int, data: bytes) -> dict[str, object]:
    called = {"contractMethod": None, "contractInputsValues": None}
    return {"to": to, "value": str(value), "data": "0x" + data.hex(), **called}


def _spelled(value: object) -> str:
    """An object is its sorted keys as a list, then each value with a comma after it; the rest is compact JSON."""
    if isinstance(value, list):
        return f"[{','.join(map(_spelled, value))}]"
    if isinstance(value, dict):
        keys = sorted(value)
        return f"{{{_json(keys)}{''.join(_spelled(value[key]) + ',' for key in keys)}}}"
    return _json(value)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
