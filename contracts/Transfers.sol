// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// What a token's transfers take from one account and give to another. Asked by eth_call with this code at nobody's
/// address, and with Hand's at accounts that hold the token. Never deployed.
contract Transfers {
    /// Changes of balances: what left the sender, what arrived, and what moved at a holder who had no part in it.
    struct Transfer {
        uint256 sent;
        int256 left;
        int256 arrived;
        int256 moved;
    }

    /// Nobody's address either, without code: "keeper…othr".
    address constant OTHER = 0x6B6565706572000000000000000000006F746872;
    /// {raw} So much is sent where there is that much: below it a fee of one bps would vanish in rounding.
    uint256 constant LEAST = 1_000_000;
    /// Of what the holder has: some tokens let no transfer be large.
    uint256 constant PART = 64;

    /// A part of what the richest of `holders` has comes here; half of it goes on to nobody, and half back.
    ///
    /// `made` are those that the token did, and `refusal` is what it reverted the next one with.
    function measure(address token, address[] calldata holders)
        external
        returns (address holder, Transfer[] memory made, bool refused, bytes memory refusal)
    {
        uint256 most;
        for (uint256 i; i < holders.length; ++i) {
            uint256 has = balance(token, holders[i]);
            if (has > most) (holder, most) = (holders[i], has);
        }
        uint256 part = most / PART;
        if (part < LEAST) part = most < LEAST ? most : LEAST;

        address[2][3] memory ways = [[holder, address(this)], [address(this), OTHER], [address(this), holder]];
        made = new Transfer[](3);
        uint256 count;
        // Zero is refused by some tokens, and tells nothing.
        for (; count < 3 && part > 0; ++count) {
            (made[count], refused, refusal) = carry(token, ways[count], part, count == 1 ? holder : OTHER);
            if (refused) break;
            if (count == 0) part = made[0].arrived < 0 ? 0 : uint256(made[0].arrived) / 2;
        }
        assembly {
            mstore(made, count)
        }
    }

    function carry(address token, address[2] memory way, uint256 amount, address other)
        private
        returns (Transfer memory one, bool refused, bytes memory answer)
    {
        (uint256 from, uint256 to, uint256 by) = balances(token, way, other);
        bytes memory data = abi.encodeWithSignature("transfer(address,uint256)", way[1], amount);
        bool ok;
        if (way[0] == address(this)) (ok, answer) = token.call(data);
        else (ok, answer) = way[0].call(abi.encodePacked(abi.encode(token), data));

        one.sent = amount;
        (uint256 fromNow, uint256 toNow, uint256 byNow) = balances(token, way, other);
        unchecked {
            (one.left, one.arrived, one.moved) = (int256(from - fromNow), int256(toNow - to), int256(byNow - by));
        }
        // Old tokens answer with false where others revert. Some do so although they moved it.
        bool saysNo = answer.length == 32 && bytes32(answer) == 0;
        refused = !ok || (saysNo && one.left == 0 && one.arrived == 0);
        if (ok) answer = "";
    }

    function balances(address token, address[2] memory way, address other)
        private
        view
        returns (uint256, uint256, uint256)
    {
        return (balance(token, way[0]), balance(token, way[1]), balance(token, other));
    }

    /// Nothing where the token does not say.
    function balance(address token, address account) private view returns (uint256) {
        (bool answered, bytes memory word) = token.staticcall(abi.encodeWithSignature("balanceOf(address)", account));
        return answered && word.length >= 32 ? abi.decode(word, (uint256)) : 0;
    }

    /// An account takes coins and hooks in silence.
    fallback() external payable {}

    receive() external payable {}
}
