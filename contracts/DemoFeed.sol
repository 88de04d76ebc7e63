// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A price feed that answers like a Chainlink proxy and says what its owner wrote. It is its own aggregator.
contract DemoFeed {
    struct Round {
        int192 answer;
        uint64 updatedAt;
    }

    string public description;
    uint8 public immutable decimals;
    address public immutable owner;
    uint256 public constant version = 4;
    int192 public constant minAnswer = 1;
    int192 public constant maxAnswer = type(int192).max;

    uint80 public latestRound;
    mapping(uint80 => Round) private rounds;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    constructor(address owner_, string memory description_, uint8 decimals_) {
        (owner, description, decimals) = (owner_, description_, decimals_);
    }

    /// `updatedAt` zero means now; any other time makes a feed that is late, or that lies.
    function set(int192 answer, uint64 updatedAt) external {
        require(msg.sender == owner, "demo feed: only the owner answers");
        uint64 when = updatedAt == 0 ? uint64(block.timestamp) : updatedAt;
        rounds[++latestRound] = Round(answer, when);
        emit AnswerUpdated(answer, latestRound, when);
    }

    function aggregator() external view returns (address) {
        return address(this);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(latestRound);
    }

    function getRoundData(uint80 round) public view returns (uint80, int256, uint256, uint256, uint80) {
        Round memory found = rounds[round];
        require(found.updatedAt != 0, "No data present");
        return (round, found.answer, found.updatedAt, found.updatedAt, round);
    }
}
