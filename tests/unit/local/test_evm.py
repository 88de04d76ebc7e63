from __future__ import annotations

import pytest
from eth.constants import ZERO_ADDRESS

from keeper.core.abi import calldata
from keeper.local.evm import Ask, Evm, Override, Refused, override, run, run_all
from tests.unit.local.in_memory import GWEI, OTHER, START, WHO, Box, account


def balance(box: Box, address: str) -> int:
    return box.evm.state_at(box.evm.head).get_balance(account(address))


def test_transfer__when_mined__then_gas_is_paid_burnt_and_tipped() -> None:
    box = Box()

    mined = box.mine(OTHER, b"", 5)

    assert mined.ran.gas_used == 21_000
    assert mined.price == 2 * GWEI
    assert balance(box, OTHER) == 5
    assert balance(box, WHO) == 10**24 - 5 - 21_000 * 2 * GWEI
    assert balance(box, "0x" + ZERO_ADDRESS.hex()) == 21_000 * GWEI


def test_failure__when_mined__then_only_gas_is_gone() -> None:
    box = Box()
    token = box.token("T", 18)
    before = balance(box, WHO)

    mined = box.mine(token, calldata("transfer(address,uint256)", OTHER, 1))

    assert mined.ran.reverted
    assert before - balance(box, WHO) == mined.ran.gas_used * mined.price
    assert mined.ran.logs == ()


def test_same_inputs__when_built_twice__then_same_hashes() -> None:
    first, second = Box(), Box()
    for box in (first, second):
        box.send(box.token("T", 18), "mint(address,uint256)", OTHER, 3)

    assert [block.hash for block in first.evm.blocks] == [block.hash for block in second.evm.blocks]


def test_old_block__when_read_after_others__then_is_as_it_was() -> None:
    box = Box()
    token = box.token("T", 18)
    for amount in (1, 2, 4):
        box.send(token, "mint(address,uint256)", OTHER, amount)
    read = Ask(account(WHO), account(token), calldata("balanceOf(address)", OTHER))

    seen = [int.from_bytes(run(box.evm.state_at(block), read).output, "big") for block in box.evm.blocks[1:]]

    assert seen == [0, 1, 3, 7]


def test_time__when_nothing_is_said__then_twelve_seconds_else_what_is_said() -> None:
    evm = Evm(1, {}, timestamp=START, base_fee=GWEI)

    evm.mine()
    evm.next_timestamp = START + 500
    evm.mine()
    evm.mine()

    assert [block.timestamp - START for block in evm.blocks] == [0, 12, 500, 512]


def test_override__when_reverted_to_a_snapshot__then_nothing_is_left() -> None:
    box = Box()
    token = box.token("T", 18)
    box.send(token, "mint(address,uint256)", WHO, 7)
    state = box.evm.state_at(box.evm.head)
    slots = {slot: state.get_storage(account(token), slot) for slot in range(6)}
    before = state.snapshot()

    override(
        state,
        {
            account(token): Override(code=b"\x00", state={3: 9}, balance=4, nonce=8),
            account(OTHER): Override(balance=1, diff={1: 2}),
        },
    )
    assert state.get_storage(account(token), 3) == 9
    assert state.get_storage(account(token), 2) == 0
    assert state.get_code(account(token)) == b"\x00"
    assert state.get_storage(account(OTHER), 1) == 2
    state.revert(before)

    assert {slot: state.get_storage(account(token), slot) for slot in range(6)} == slots
    assert len(state.get_code(account(token))) > 1
    assert state.get_balance(account(OTHER)) == 0
    assert state.get_storage(account(OTHER), 1) == 0


def test_run_all__when_calls_follow_each_other__then_each_sees_the_last_and_pays_as_a_transaction() -> None:
    box = Box()
    token = box.token("T", 18)
    mint = Ask(account(WHO), account(token), calldata("mint(address,uint256)", OTHER, 5))
    look = Ask(account(WHO), account(token), calldata("balanceOf(address)", OTHER))

    first, second, seen = run_all(box.evm.state_after(box.evm.head), [mint, mint, look])

    assert int.from_bytes(seen.output, "big") == 10
    # As real transactions, one block each: the second one writes to slots that are no longer empty.
    assert [first.gas_used, second.gas_used] == [
        box.send(token, "mint(address,uint256)", OTHER, 5).gas_used for _ in range(2)
    ]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (Ask(account(OTHER), account(WHO), b"", value=1), "insufficient funds"),
        (Ask(account(WHO), account(OTHER), b"\x01\x00", gas=21_019), "minimum needed 21020"),
        (Ask(account(WHO), None, b"\x00" * 33, gas=21_000), "minimum needed 53136"),
    ],
)
def test_run__when_it_cannot_begin__then_refused(ask: Ask, words: str) -> None:
    box = Box()

    with pytest.raises(Refused, match=words):
        run(box.evm.state_at(box.evm.head), ask)


def test_rewind__when_blocks_are_forgotten__then_their_transactions_and_balances_are_too() -> None:
    box = Box()
    kept = box.mine(OTHER, b"", 5)
    before = box.evm.head
    gone = box.mine(OTHER, b"", 7)
    hashes = kept.transaction.hash, gone.transaction.hash

    box.evm.rewind(before.number)

    assert box.evm.head is before
    assert balance(box, OTHER) == 5
    assert [box.evm.find(each) is not None for each in hashes] == [True, False]
    box.evm.mine(gone.transaction)
    assert balance(box, OTHER) == 12
