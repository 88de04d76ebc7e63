// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// An ERC-20 of the demo market: its owner mints what the script asks for. Worth nothing anywhere.
contract DemoToken {
    string public name;
    string public symbol;
    uint8 public immutable decimals;
    address public immutable owner;

    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Approval(address indexed owner, address indexed spender, uint256 amount);

    constructor(address owner_, string memory name_, string memory symbol_, uint8 decimals_) {
        (owner, name, symbol, decimals) = (owner_, name_, symbol_, decimals_);
    }

    function mint(address to, uint256 amount) external {
        require(msg.sender == owner, "demo token: only the owner mints");
        create(to, amount);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= amount, "demo token: allowance too small");
        // The greatest figure means "without end", as most tokens have it.
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        move(from, to, amount);
        return true;
    }

    function move(address from, address to, uint256 amount) private {
        uint256 held = balanceOf[from];
        require(held >= amount, "demo token: balance too small");
        unchecked {
            balanceOf[from] = held - amount;
            balanceOf[to] += amount; // all balances together are totalSupply, which is checked
        }
        emit Transfer(from, to, amount);
    }

    function create(address to, uint256 amount) internal {
        totalSupply += amount;
        unchecked {
            balanceOf[to] += amount;
        }
        emit Transfer(address(0), to, amount);
    }

    function destroy(address from, uint256 amount) internal {
        uint256 held = balanceOf[from];
        require(held >= amount, "demo token: balance too small");
        unchecked {
            balanceOf[from] = held - amount;
            totalSupply -= amount;
        }
        emit Transfer(from, address(0), amount);
    }
}
