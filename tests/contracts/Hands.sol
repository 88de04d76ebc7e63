// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
}

interface IPool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function mint(address to, int24 lower, int24 upper, uint128 amount, bytes calldata data) external;
    function swap(address to, bool down, int256 amount, uint160 limit, bytes calldata data)
        external
        returns (int256, int256);
}

/// Deals with pools of Uniswap v3's shape without a router, and pays from what it holds.
contract Hands {
    uint160 constant LOWEST = 4295128740;
    uint160 constant HIGHEST = 1461446703485210103287273052203988822378723970341;

    function mint(address pool, int24 lower, int24 upper, uint128 liquidity) external {
        IPool(pool).mint(address(this), lower, upper, liquidity, "");
    }

    /// Exactly `amount` in where it is positive, out where negative; and the square-root price afterwards.
    function swap(address pool, bool down, int256 amount) external returns (int256 amount0, int256 amount1, uint160 price) {
        (amount0, amount1) = IPool(pool).swap(address(this), down, amount, down ? LOWEST : HIGHEST, "");
        (, bytes memory slot0) = pool.staticcall(abi.encodeWithSignature("slot0()"));
        assembly {
            price := mload(add(slot0, 32))
        }
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        _pay(int256(amount0), int256(amount1));
    }

    function pancakeV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        _pay(int256(amount0), int256(amount1));
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        _pay(amount0, amount1);
    }

    function pancakeV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        _pay(amount0, amount1);
    }

    function _pay(int256 amount0, int256 amount1) private {
        if (amount0 > 0) IToken(IPool(msg.sender).token0()).transfer(msg.sender, uint256(amount0));
        if (amount1 > 0) IToken(IPool(msg.sender).token1()).transfer(msg.sender, uint256(amount1));
    }
}

/// Makes PancakeSwap v3's pools from the creation code that their authors publish: of their own deployer they do not
/// publish any. A pool asks whoever makes it what it is.
contract PancakeDeployer {
    struct Parameters {
        address factory;
        address token0;
        address token1;
        uint24 fee;
        int24 tickSpacing;
    }

    Parameters public parameters;
    address private immutable creation;

    /// `code` is an account whose code is the pool's creation code.
    constructor(address code) {
        creation = code;
    }

    function deploy(address factory, address token0, address token1, uint24 fee, int24 spacing)
        external
        returns (address pool)
    {
        parameters = Parameters(factory, token0, token1, fee, spacing);
        bytes memory made = creation.code;
        bytes32 salt = keccak256(abi.encode(token0, token1, fee));
        assembly {
            pool := create2(0, add(made, 32), mload(made), salt)
        }
        require(pool != address(0), "no pool");
    }
}

/// Uniswap's SwapRouter02, called back by the name that PancakeSwap's pools use.
contract PancakeRouter {
    address private immutable router;

    constructor(address uniswaps) {
        router = uniswaps;
    }

    fallback() external payable {
        bytes memory data = msg.data;
        if (msg.sig == Hands.pancakeV3SwapCallback.selector) {
            bytes4 name = Hands.uniswapV3SwapCallback.selector;
            for (uint256 i; i < 4; ++i) data[i] = name[i];
        }
        (bool done, bytes memory answer) = router.delegatecall(data);
        assembly {
            switch done
            case 0 { revert(add(answer, 32), mload(answer)) }
            default { return(add(answer, 32), mload(answer)) }
        }
    }
}
