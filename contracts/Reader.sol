// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Many reads in one eth_call, packed: no selector, no ABI.
///
/// In, item after item: [20 bytes target][3 bytes length][calldata]. Target zero with 20 bytes of calldata asks for the
/// native balance of that address.
/// Out: block number, hash of the parent and chain id as words, so that the caller knows which block answered; then for
/// each item, in order, [1 byte ok][3 bytes length][returndata].
///
/// Stateless. It runs by state override at an empty address, or deployed.
contract Reader {
    fallback() external {
        assembly {
            // Nothing else lives in memory: the answer grows from 0, and calldata of an item is staged just past its end.
            mstore(0, number())
            mstore(32, blockhash(sub(number(), 1)))
            mstore(64, chainid())
            let out := 96
            let at := 0
            for {} lt(at, calldatasize()) {} {
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
                    // An eighth of what is left: enough for any view, and eight reads that burn all they are given
                    // still leave a third of the gas to the others. Static, so that no read can change the next one.
                    ok := staticcall(div(gas(), 8), target, data, size, 0, 0)
                    got := returndatasize()
                    // 16 KiB: a longer answer is an attack on our memory, not a figure.
                    if gt(got, 0x4000) {
                        ok := 0
                        got := 0
                    }
                    returndatacopy(data, 0, got)
                }
                // One byte of success and three of length, at the top of the word; never over the data behind them.
                mstore8(out, ok)
                mstore8(add(out, 1), shr(16, got))
                mstore8(add(out, 2), shr(8, got))
                mstore8(add(out, 3), got)
                out := add(data, got)
                at := add(at, size)
            }
            return(0, out)
        }
    }
}
