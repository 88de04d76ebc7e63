// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// As much of Multicall3's interface as the keeper reads through, written anew for the tests.
contract Aggregator {
    struct Call {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    function aggregate3(Call[] calldata calls) external payable returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            (results[i].success, results[i].returnData) = calls[i].target.call(calls[i].callData);
            require(results[i].success || calls[i].allowFailure, "aggregator: a call failed");
        }
    }

    function getBlockNumber() external view returns (uint256) {
        return block.number;
    }

    function getLastBlockHash() external view returns (bytes32) {
        return blockhash(block.number - 1);
    }

    function getChainId() external view returns (uint256) {
        return block.chainid;
    }

    function getCurrentBlockTimestamp() external view returns (uint256) {
        return block.timestamp;
    }

    function getEthBalance(address account) external view returns (uint256) {
        return account.balance;
    }
}

/// Answers its reads in every odd way there is.
contract Oddity {
    error Odd(uint256 figure);

    /// As many bytes as asked for, each other than the one before.
    function bytesOf(uint256 count) external pure {
        assembly {
            for { let at := 0 } lt(at, count) { at := add(at, 32) } { mstore(at, add(at, 0x0102030405060708)) }
            return(0, count)
        }
    }

    function refuse(uint256 figure) external pure {
        revert Odd(figure);
    }

    function refuseSilently() external pure {
        assembly {
            revert(0, 0)
        }
    }

    function broken() external pure {
        assembly {
            invalid()
        }
    }

    /// Answers only where it may use so much gas.
    function burn(uint256 amount) external view returns (uint256 before) {
        before = gasleft();
        while (before - gasleft() < amount) {}
        return amount;
    }

    function forEver() external pure {
        while (true) {}
    }
}
