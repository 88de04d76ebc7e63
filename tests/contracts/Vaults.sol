// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ERC4626} from "openzeppelin-5/token/ERC20/extensions/ERC4626.sol";
import {ERC20} from "openzeppelin-5/token/ERC20/ERC20.sol";
import {IERC20} from "openzeppelin-5/token/ERC20/IERC20.sol";
import {Math} from "openzeppelin-5/utils/math/Math.sol";

/// OpenZeppelin's vault with some virtual shares. Anybody may take assets away, as a loss of what they are lent for.
contract OffsetVault is ERC4626 {
    uint8 private immutable _offset;

    constructor(IERC20 token, uint8 offset) ERC20("vault", "VAULT") ERC4626(token) {
        _offset = offset;
    }

    function _decimalsOffset() internal view override returns (uint8) {
        return _offset;
    }

    function lose(uint256 assets) external {
        IERC20(asset()).transfer(address(1), assets);
    }
}

/// Bounds what each may put in or take out; at 0 it is paused.
contract CappedVault is OffsetVault {
    uint256 public cap = type(uint256).max;

    constructor(IERC20 token, uint8 offset) OffsetVault(token, offset) {}

    function setCap(uint256 most) external {
        cap = most;
    }

    function maxDeposit(address) public view override returns (uint256) {
        return cap;
    }

    function maxRedeem(address owner) public view override returns (uint256) {
        return Math.min(cap, balanceOf(owner));
    }
}

/// Without virtual amounts, as older vaults are: the first share costs one asset.
contract PlainVault is OffsetVault {
    constructor(IERC20 token) OffsetVault(token, 0) {}

    function _convertToShares(uint256 assets, Math.Rounding rounding) internal view override returns (uint256) {
        uint256 supply = totalSupply();
        return supply == 0 ? assets : Math.mulDiv(assets, supply, totalAssets(), rounding);
    }

    function _convertToAssets(uint256 shares, Math.Rounding rounding) internal view override returns (uint256) {
        uint256 supply = totalSupply();
        return supply == 0 ? shares : Math.mulDiv(shares, totalAssets(), supply, rounding);
    }
}

/// Keeps a millionth of what is put in, and says so in its preview, as the standard asks.
contract FeeVault is OffsetVault {
    constructor(IERC20 token) OffsetVault(token, 0) {}

    function previewDeposit(uint256 assets) public view override returns (uint256) {
        return super.previewDeposit(assets - assets / 1_000_000);
    }
}
