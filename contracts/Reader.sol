// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Many reads in one eth_call, packed: no selector, no ABI.
///
/// In, item after item: [20 bytes target][3 bytes length][calldata]. Target zero with 20 bytes of calldata asks for the
/// native balance of that address.
/// Out, as words: block number, hash of the parent, chain id and time, so that the caller knows which block answered, and
/// how many items were; then for each of those, in order, [1 byte: 1 ok, 2 failed][3 bytes length][returndata], without
/// data where it failed. Neither is zero, which much of a figure is: an answer read from a wrong place is no answer.
///
/// Every read is given the same gas. Where less is left the answer ends, and the caller asks again for the rest: no read
/// fails because of those before it.
///
/// Stateless. It runs by state override at an empty address, or deployed.
contract Reader {
    fallback() external {
        assembly {
            // Nothing else lives in memory: the answer grows from 0, and calldata of an item is staged just past its end.
            mstore(0, number())
            mstore(32, blockhash(sub(number(), 1)))
            mstore(64, chainid())
            mstore(96, timestamp())
            let out := 160
            let at := 0
            let count := 0
            for {} lt(at, calldatasize()) {} {
                // 3M for the read, one 63rd of it that the EVM keeps back, and enough to take 16 KiB and return.
                if lt(gas(), 3500000) { break }
                let head := calldataload(at)
                let target := shr(96, head)
                let size := and(shr(72, head), 0xffffff)
                at := add(at, 23)
                // A cut item must not be read as if zeros followed.
                if gt(add(at, size), calldatasize()) { revert(0, 0) }

                let data := add(out, 4)
                let ok := 1
                let got := 32
                switch and(iszero(target), eq(size, 20))
                case 1 { mstore(data, balance(shr(96, calldataload(at)))) }
                default {
                    calldatacopy(data, at, size)
                    // Static, so that no read can change the next one.
                    ok := staticcall(3000000, target, data, size, 0, 0)
                    got := returndatasize()
                    // 16 KiB: a longer answer is an attack on our memory, not a figure.
                    if gt(got, 0x4000) { ok := 0 }
                    got := mul(ok, got)
                    returndatacopy(data, 0, got)
                }
                // One byte of outcome and three of length, at the top of the word; never over the data behind them.
                mstore8(out, sub(2, ok))
                mstore8(add(out, 1), shr(16, got))
                mstore8(add(out, 2), shr(8, got))
                mstore8(add(out, 3), got)
                out := add(data, got)
                at := add(at, size)
                count := add(count, 1)
            }
            mstore(128, count)
            return(0, out)
        }
    }
}
