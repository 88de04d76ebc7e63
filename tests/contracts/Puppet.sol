// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// An attacker's contract: does whatever it is told, as itself. It may be a vault's keeper and one of its targets at once.
contract Puppet {
    struct Call {
        address to;
        bytes data;
    }

    /// What `moved` does.
    address private hooked;
    bytes private answer;

    /// Every call that fails is forgotten; the answer says which succeeded.
    function act(Call[] calldata calls) external returns (bool[] memory done) {
        done = new bool[](calls.length);
        for (uint256 i; i < calls.length; ++i) (done[i],) = calls[i].to.call(calls[i].data);
    }

    /// From now on a moving token with a hook makes this call.
    function arm(address to, bytes calldata data) external {
        (hooked, answer) = (to, data);
    }

    function moved() external {
        if (hooked != address(0)) hooked.call(answer);
    }
}

/// An ERC-20 that tells somebody of every transfer, before the balances change.
contract HookToken {
    uint8 public constant decimals = 18;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    Puppet private immutable hook;

    constructor(Puppet hook_) {
        hook = hook_;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// Balances that shrink by themselves are what no vault should list.
    function melt(address holder, uint256 amount) external {
        balanceOf[holder] -= amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return move(from, to, amount);
    }

    function move(address from, address to, uint256 amount) private returns (bool) {
        hook.moved();
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// Sizes up a vault in one call: what it holds, and all that it has approved.
contract Witness {
    function look(address holder, HookToken[] calldata tokens, address[] calldata spenders)
        external
        view
        returns (uint256[] memory held, uint256 approved)
    {
        held = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            held[i] = tokens[i].balanceOf(holder);
            for (uint256 j; j < spenders.length; ++j) approved += tokens[i].allowance(holder, spenders[j]);
        }
    }
}

/// An old token: its approve returns nothing and wants zero in between, its transfer returns nothing.
contract OldToken {
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        require(amount == 0 || allowance[msg.sender][spender] == 0, "old token: zero first");
        require(amount != 0 || allowance[msg.sender][spender] != 0, "old token: zero already");
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// Says no instead of reverting.
contract SulkyToken {
    uint8 public constant decimals = 18;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address, uint256) external pure returns (bool) {
        return false;
    }

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }
}
