// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./DemoPair.sol";

/// Makes the demo market's pools, one for each pair of tokens, and knows them in either order.
contract DemoFactory {
    mapping(address => mapping(address => address)) public getPair;
    address[] public allPairs;
    /// {ppm} What the pools that are made from now on take of what comes in.
    uint256 public fee = 3000;

    event PairCreated(address indexed token0, address indexed token1, address pair, uint256 count);

    function setFee(uint256 ppm) external {
        require(ppm < 1e5, "demo factory: a fee below 10 %");
        fee = ppm;
    }

    function createPair(address tokenA, address tokenB) external returns (address pair) {
        require(tokenA != tokenB, "demo factory: two tokens make a pair");
        require(getPair[tokenA][tokenB] == address(0), "demo factory: pair exists");
        DemoPair made = new DemoPair(tokenA, tokenB, fee);
        pair = address(made);
        getPair[tokenA][tokenB] = getPair[tokenB][tokenA] = pair;
        allPairs.push(pair);
        emit PairCreated(made.token0(), made.token1(), pair, allPairs.length);
    }

    function allPairsLength() external view returns (uint256) {
        return allPairs.length;
    }
}
