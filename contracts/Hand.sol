// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Does what it is told, in an account's place and for the length of one eth_call. Never deployed.
///
/// In: [32 bytes target][calldata for it]. What the target answers or reverts with is the answer.
contract Hand {
    fallback() external payable {
        assembly {
            // Coins and the hooks of some tokens come unasked, and an account takes both in silence.
            if gt(calldatasize(), 31) {
                let size := sub(calldatasize(), 32)
                calldatacopy(0, 32, size)
                let ok := call(gas(), calldataload(0), 0, 0, size, 0, 0)
                returndatacopy(0, 0, returndatasize())
                if iszero(ok) { revert(0, returndatasize()) }
                return(0, returndatasize())
            }
        }
    }
}
