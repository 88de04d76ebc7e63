// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./DemoFactory.sol";

/// Swaps through the demo market's pools with the interface of Uniswap's v2 router, to the wei.
contract DemoRouter {
    address public immutable factory;
    address public immutable WETH;

    constructor(address factory_, address weth) {
        (factory, WETH) = (factory_, weth);
    }

    function swapExactTokensForTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external returns (uint256[] memory amounts) {
        require(block.timestamp <= deadline, "demo router: expired");
        amounts = getAmountsOut(amountIn, path);
        require(amounts[amounts.length - 1] >= amountOutMin, "demo router: output below the minimum");

        require(
            DemoToken(path[0]).transferFrom(msg.sender, pairOf(path[0], path[1]), amountIn), "demo router: not paid"
        );
        for (uint256 i = 1; i < path.length; ++i) {
            (address sold, address bought) = (path[i - 1], path[i]);
            address next = i + 1 < path.length ? pairOf(bought, path[i + 1]) : to;
            (uint256 out0, uint256 out1) = sold < bought ? (uint256(0), amounts[i]) : (amounts[i], uint256(0));
            DemoPair(pairOf(sold, bought)).swap(out0, out1, next, "");
        }
    }

    function getAmountsOut(uint256 amountIn, address[] calldata path) public view returns (uint256[] memory amounts) {
        require(path.length >= 2, "demo router: a path has two ends");
        amounts = new uint256[](path.length);
        amounts[0] = amountIn;
        for (uint256 i = 1; i < path.length; ++i) {
            DemoPair pair = DemoPair(pairOf(path[i - 1], path[i]));
            (uint256 first, uint256 second,) = pair.getReserves();
            (uint256 ours, uint256 theirs) = path[i - 1] < path[i] ? (first, second) : (second, first);
            amounts[i] = outFor(amounts[i - 1], ours, theirs, 1e6 - pair.fee());
        }
    }

    /// out = in * kept * Ro / (Ri * 1e6 + in * kept), rounded down; `kept` is in ppm.
    function outFor(uint256 amountIn, uint256 reserveIn, uint256 reserveOut, uint256 kept) private pure returns (uint256) {
        require(amountIn > 0 && reserveIn > 0 && reserveOut > 0, "demo router: nothing to trade");
        uint256 paid = amountIn * kept;
        return paid * reserveOut / (reserveIn * 1e6 + paid);
    }

    function pairOf(address tokenA, address tokenB) private view returns (address pair) {
        pair = DemoFactory(factory).getPair(tokenA, tokenB);
        require(pair != address(0), "demo router: no such pair");
    }
}
