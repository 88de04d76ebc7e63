"""The Transaction Builder's file, and the checksum that the builder holds it against."""

from __future__ import annotations

import pytest

from keeper.custody.batch_file import batch_file, checksum
from tests.builders import address

SAFE, TOKEN, ROUTER = address(0x5AFE), address(0x70CE), address(0x2072)
CALLS = [(TOKEN, 0, b"\x09\x5e"), (ROUTER, 5, b"")]


def make_file(name: str = "keeper: treasury", description: str = "sell 1 WETH") -> dict[str, object]:
    return batch_file(10, SAFE, CALLS, name=name, description=description, at=1_700_000_000)


def test_batch_file__calls__stand_there_in_order_as_the_builder_reads_them() -> None:
    file = make_file()
    assert (file["version"], file["chainId"], file["createdAt"]) == ("1.0", "10", 1_700_000_000_000)
    assert file["transactions"] == [
        {"to": TOKEN, "value": "0", "data": "0x095e", "contractMethod": None, "contractInputsValues": None},
        {"to": ROUTER, "value": "5", "data": "0x", "contractMethod": None, "contractInputsValues": None},
    ]
    meta = file["meta"]
    assert isinstance(meta, dict)
    assert (meta["createdFromSafeAddress"], meta["checksum"]) == (SAFE, checksum(file))


def test_checksum__of_a_file_that_the_builder_itself_wrote__is_the_same() -> None:
    inputs = [
        {"internalType": "address", "name": "spender", "type": "address"},
        {"internalType": "uint256", "name": "value", "type": "uint256"},
    ]
    call = {
        "to": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "value": "0",
        "data": None,
        "contractMethod": {"inputs": inputs, "name": "approve", "payable": False},
        "contractInputsValues": {
            "spender": "0x474e5Ded6b5D078163BFB8F6dBa355C3aA5478C8",
            "value": "100000000000",
        },
    }
    meta = {
        "name": "Transactions Batch",
        "description": "",
        "txBuilderVersion": "1.18.2",
        "createdFromSafeAddress": "0xA77DE01e157f9f57C7c4A326eeE9C4874D0598b6",
        "createdFromOwnerAddress": "",
    }
    file = {"version": "1.0", "chainId": "1", "createdAt": 1761326849944, "meta": meta, "transactions": [call]}
    assert checksum(file) == "0x8b5032f716845c8b08bab3d63dbd9ba92e056f3557793cd041e59b84e16aa989"


@pytest.mark.parametrize(("changed", "is_other"), [({"name": "other"}, False), ({"description": "other"}, True)])
def test_checksum__the_name_does_not_count__and_all_else_does(changed: dict[str, str], is_other: bool) -> None:
    assert (checksum(make_file(**changed)) != checksum(make_file())) is is_other
