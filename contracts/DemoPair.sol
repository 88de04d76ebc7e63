// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./DemoToken.sol";

/// A constant-product pool with Uniswap v2's reading and swapping interface, and a fee of its factory's choice. It has no
/// shares: whoever sends tokens and calls `sync` gives them away, which is how the demo market fills it. No flash swaps.
contract DemoPair {
    address public immutable factory;
    address public immutable token0;
    address public immutable token1;
    /// {ppm} Of what comes in.
    uint256 public immutable fee;

    uint112 private reserve0;
    uint112 private reserve1;
    uint32 private changedAt;
    bool private busy;

    event Sync(uint112 reserve0, uint112 reserve1);
    event Swap(
        address indexed sender, uint256 amount0In, uint256 amount1In, uint256 amount0Out, uint256 amount1Out, address indexed to
    );

    /// A token with a hook could call back in the middle of a swap, when reserves and balances disagree.
    modifier alone() {
        require(!busy, "demo pair: busy");
        busy = true;
        _;
        busy = false;
    }

    constructor(address tokenA, address tokenB, uint256 fee_) {
        (factory, fee) = (msg.sender, fee_);
        (token0, token1) = tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
    }

    function getReserves() public view returns (uint112, uint112, uint32) {
        return (reserve0, reserve1, changedAt);
    }

    function sync() external alone {
        settle(held(token0), held(token1));
    }

    /// Pays out first; then whatever arrived beyond the reserves must be worth it. `data` must be empty.
    function swap(uint256 out0, uint256 out1, address to, bytes calldata data) external alone {
        (uint256 had0, uint256 had1) = (reserve0, reserve1);
        require(data.length == 0, "demo pair: no flash swaps");
        require(out0 + out1 > 0 && out0 < had0 && out1 < had1, "demo pair: no such output");
        if (out0 > 0) DemoToken(token0).transfer(to, out0);
        if (out1 > 0) DemoToken(token1).transfer(to, out1);

        (uint256 has0, uint256 has1) = (held(token0), held(token1));
        uint256 in0 = has0 + out0 - had0;
        uint256 in1 = has1 + out1 - had1;
        require(in0 + in1 > 0, "demo pair: nothing came in");
        // The product of reserves, without the fee on what came in, must not fall.
        require(
            (has0 * 1e6 - in0 * fee) * (has1 * 1e6 - in1 * fee) >= had0 * had1 * 1e12, "demo pair: too little came in"
        );
        settle(has0, has1);
        emit Swap(msg.sender, in0, in1, out0, out1, to);
    }

    function held(address token) private view returns (uint256) {
        return DemoToken(token).balanceOf(address(this));
    }

    function settle(uint256 has0, uint256 has1) private {
        require(has0 <= type(uint112).max && has1 <= type(uint112).max, "demo pair: too deep");
        (reserve0, reserve1, changedAt) = (uint112(has0), uint112(has1), uint32(block.timestamp));
        emit Sync(uint112(has0), uint112(has1));
    }
}
