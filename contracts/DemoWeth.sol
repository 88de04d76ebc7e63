// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import "./DemoToken.sol";

/// Wrapped native coin. The owner may also mint it without coins behind it, so that a market can be deep on a chain
/// where its deployer is poor; withdrawals then work only as far as deposits reach.
contract DemoWeth is DemoToken {
    event Deposit(address indexed account, uint256 amount);
    event Withdrawal(address indexed account, uint256 amount);

    constructor(address owner_) DemoToken(owner_, "Demo Wrapped Ether", "WETH", 18) {}

    function deposit() public payable {
        create(msg.sender, msg.value);
        emit Deposit(msg.sender, msg.value);
    }

    function withdraw(uint256 amount) external {
        destroy(msg.sender, amount);
        emit Withdrawal(msg.sender, amount);
        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, "demo weth: payment failed");
    }

    receive() external payable {
        deposit();
    }
}
