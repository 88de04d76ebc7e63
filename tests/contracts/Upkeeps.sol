// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Rounds are opened by anybody. Each counts how often it was performed, and refuses nothing: what a keeper does twice
/// is seen.
contract Rounds {
    uint256 public round;
    uint256 public done;
    mapping(uint256 => uint256) public performed;
    uint256 public idle; // calls while no round was open
    address public lastCaller;

    function open() external {
        round += 1;
    }

    function _isDue() internal view returns (bool) {
        return done < round;
    }

    function _perform(uint256 which) internal {
        if (!_isDue()) idle += 1;
        performed[which] += 1;
        done = round;
        lastCaller = msg.sender;
    }
}

/// As Chainlink's guides write them: the check runs only where nobody asks, and performing may be the forwarder's alone.
contract Counter is Rounds {
    error OnlySimulatedBackend();
    error OnlyForwarder();

    address public s_forwarderAddress;

    function setForwarder(address to) external {
        s_forwarderAddress = to;
    }

    function checkUpkeep(bytes calldata) external view returns (bool, bytes memory) {
        if (tx.origin != address(0) || msg.sender != address(0)) revert OnlySimulatedBackend();
        return (_isDue(), abi.encode(round));
    }

    function performUpkeep(bytes calldata data) external {
        if (s_forwarderAddress != address(0) && msg.sender != s_forwarderAddress) revert OnlyForwarder();
        _perform(abi.decode(data, (uint256)));
    }
}

/// Debt of one strategy against its target, as allocators of vaults of strategies have it.
contract DebtAllocator is Rounds {
    mapping(address => uint256) public debt;

    function shouldUpdateDebt(address strategy) external view returns (bool, bytes memory) {
        if (!_isDue()) return (false, bytes("Below Min"));
        return (true, abi.encodeCall(this.update_debt, (strategy, round * 1e18)));
    }

    function update_debt(address strategy, uint256 target) external {
        _perform(round);
        debt[strategy] = target;
    }
}

/// A resolver that answers for another contract.
contract Checker {
    Worker public immutable worker = new Worker();

    function checker() external view returns (bool, bytes memory) {
        return (worker.done() < worker.round(), abi.encodeCall(worker.work, (worker.round())));
    }
}

contract Worker is Rounds {
    function isDue() external view returns (bool) {
        return _isDue();
    }

    function work(uint256 which) external {
        _perform(which);
    }

    function workNow() external {
        _perform(round);
    }

    receive() external payable {}

    function pay() external {
        _perform(round);
        payable(msg.sender).transfer(1 ether);
    }
}

/// Answers as badly as a contract can.
contract Broken {
    error StreamsLookup(string feedParamKey, string[] feeds, string timeParamKey, uint256 time, bytes extraData);

    uint256 public mode;

    function set(uint256 to) external {
        mode = to;
    }

    function checkUpkeep(bytes calldata) external view returns (bool, bytes memory) {
        if (mode == 1) revert("not while the moon is full");
        if (mode == 2) revert StreamsLookup("feedIDs", new string[](1), "timestamp", block.timestamp, "");
        if (mode == 3) assembly { mstore(0, 7) return(0, 64) }
        if (mode == 4) assembly { return(0, 0) }
        if (mode == 5) return (true, new bytes(200_000));
        if (mode == 6) while (true) {}
        if (mode == 7) return (false, unicode"\u001b[2Jgone\nnext line");
        if (mode == 8) assembly { mstore(0, 1) mstore(32, not(0)) return(0, 64) }
        if (mode == 9) revert(unicode"\u001b[31mred");
        return (true, "");
    }

    function performUpkeep(bytes calldata) external pure {
        revert("always");
    }
}

/// Only a log wakes it.
contract LogTriggered {
    struct Log {
        uint256 index;
        uint256 timestamp;
        bytes32 txHash;
        uint256 blockNumber;
        bytes32 blockHash;
        address source;
        bytes32[] topics;
        bytes data;
    }

    function checkLog(Log calldata, bytes memory) external pure returns (bool, bytes memory) {
        return (true, "");
    }

    function performUpkeep(bytes calldata) external {}
}
