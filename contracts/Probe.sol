// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// What a sequence of calls would do, asked by eth_call with this code put at the sender's own address, so that every
/// target sees the real sender. For nodes without eth_simulateV1. Never deployed.
contract Probe {
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    error NoBalance(address token);

    address constant NATIVE = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

    /// Runs `calls` in order and stops at the first that fails.
    ///
    /// `failed` is its index (the number of calls where all succeed) and `reason` what it reverted with. `gasUsed` is the
    /// gas of each call's execution: neither the 21,000 of a transaction nor its calldata, refunds not taken off.
    /// `deltas` are the changes of `account`'s balances, before the first call against after the last that ran.
    function run(Call[] calldata calls, address[] calldata tokens, address account)
        external
        returns (bool ok, uint256 failed, bytes memory reason, uint256[] memory gasUsed, int256[] memory deltas)
    {
        deltas = new int256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) deltas[i] = -int256(balance(tokens[i], account));

        gasUsed = new uint256[](calls.length);
        ok = true;
        for (; failed < calls.length; ++failed) {
            uint256 left = gasleft();
            (ok, reason) = calls[failed].to.call{value: calls[failed].value}(calls[failed].data);
            gasUsed[failed] = left - gasleft();
            if (!ok) break;
            reason = "";
        }

        for (uint256 i; i < tokens.length; ++i) deltas[i] += int256(balance(tokens[i], account));
    }

    function balance(address token, address account) private view returns (uint256) {
        if (token == NATIVE) return account.balance;
        (bool answered, bytes memory word) = token.staticcall(abi.encodeWithSignature("balanceOf(address)", account));
        if (!answered || word.length < 32) revert NoBalance(token);
        return abi.decode(word, (uint256));
    }

    /// An ordinary account takes coins and any call in silence, and so must this one: unwrapping WETH pays it.
    fallback() external payable {}

    receive() external payable {}
}
