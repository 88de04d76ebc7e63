// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface Erc20 {
    function balanceOf(address holder) external view returns (uint256);
    function allowance(address holder, address spender) external view returns (uint256);
    function decimals() external view returns (uint8);
}

/// Chainlink's interface: the price of one whole token, in US dollars.
interface Feed {
    function decimals() external view returns (uint8);
    function latestRoundData() external view returns (uint80, int256 answer, uint256, uint256 updatedAt, uint80);
}

/// Holds tokens of one owner and lets a keeper trade them among each other, and nothing else. A reference to read and to
/// test against: no deposits, no shares, no fees, no upgrade.
///
/// THE BOUND. Whoever holds the keeper's key, and chooses every byte of every call of it, can lower the value of the
/// vault in any W seconds by at most
///
///     tolerance * (capacity + refill * W)
///
/// in US dollars, each swap valued at feed prices in the moment it is made. For:
///
/// 1. Only `rebalance` lets a token leave at the keeper's wish, and between calls no allowance of a listed token stands.
/// 2. Around each single swap the vault reads its own balance of every listed token. Only the one sold may fall, by no
///    more than was approved; the one bought must have risen by at least (1 - tolerance) of that, at feed prices. What
///    the swapped-with contract says or does in between does not matter: recipients, fees, prices and callbacks all end
///    in these balances. Each swap stands for itself, so that a gain in one never pays for a loss in another.
/// 3. What all swaps sold, rounded up, is taken out of a bucket that holds `capacity` and refills at `refill` a second.
///
/// IT ASSUMES, and whoever sets the vault up must see to it:
///
/// - Feeds are right. One that is wrong by x costs up to x of the turnover more; one older than its `maxAge` stops trade.
/// - Listed tokens tell balances truly, do not shrink by themselves, and each is listed under one address only.
/// - Nobody owes the vault listed tokens that a target or a stranger can have paid out (a deposit, a reward, a vesting, an
///   open order): a thief could do so in the middle of a swap, and pass the payment off as what was bought.
/// - The bound is about value in the moment of each swap. A thief may still trade into a token that falls afterwards, may
///   stop trading, may pause; and whatever is not a listed token is not watched.
contract ReferenceVault {
    /// Sell at most `sellAmount` of `sell` for at least `minOut` of `buy`, by calling `target` with `data`.
    struct Swap {
        address target;
        bytes data;
        address sell;
        uint256 sellAmount;
        address buy;
        uint256 minOut;
    }

    struct Listing {
        Feed feed; // zero where the token is not listed
        uint32 maxAge; // {s} beyond which the feed's answer is not used
        uint256 unit; // 10 ** (decimals of the token + decimals of the feed)
    }

    uint256 private constant WHOLE = 10_000; // {bps}
    uint256 private constant USD = 1e18;
    uint256 public constant MAX_TOLERANCE = 1_000; // {bps} more is a mistake of the owner's
    uint256 public constant MAX_TOKENS = 16; // each costs a read for every swap

    address public owner;
    address public pendingOwner;
    address public keeper;
    bool public paused;
    bool private busy;

    uint256 public tolerance; // {bps} of value that one swap may lose
    uint256 public capacity; // {1e-18 USD}
    uint256 public refill; // {1e-18 USD / s}
    uint256 private level; // {1e-18 USD} in the bucket at `filledAt`
    uint256 private filledAt; // {s}

    address[] public tokens;
    mapping(address token => Listing) public listings;
    mapping(address target => mapping(bytes4 selector => bool)) public allowed;
    mapping(address target => uint256) private selectors; // how many of each target's are allowed

    event Swapped(
        address indexed target, address indexed sold, address indexed bought, uint256 soldRaw, uint256 boughtRaw, uint256 value
    );
    event Withdrawn(address indexed token, address indexed to, uint256 amount);
    event TokenListed(address indexed token, address feed, uint32 maxAge);
    event TokenUnlisted(address indexed token);
    event Allowed(address indexed target, bytes4 indexed selector, bool yes);
    event Limits(uint256 capacity, uint256 refill, uint256 tolerance);
    event KeeperSet(address indexed keeper);
    event PauseSet(bool paused);
    event OwnerOffered(address indexed to);
    event OwnerSet(address indexed owner);

    /// Nobody changes a rule in the middle of a swap, the owner neither: balances are being watched by the old ones.
    modifier onlyOwner() {
        require(msg.sender == owner, "vault: only the owner");
        require(!busy, "vault: busy");
        _;
    }

    modifier alone() {
        require(!busy, "vault: busy");
        busy = true;
        _;
        busy = false;
    }

    constructor(address owner_, address keeper_, uint128 capacity_, uint128 refill_, uint256 tolerance_) {
        require(owner_ != address(0), "vault: no owner");
        (owner, keeper, level, filledAt) = (owner_, keeper_, capacity_, block.timestamp);
        setBounds(capacity_, refill_, tolerance_);
        emit OwnerSet(owner_);
        emit KeeperSet(keeper_);
    }

    // --- the keeper ---------------------------------------------------------------------------------------------------

    /// All of these swaps in this order, or none of them. `deadline` is in Unix seconds.
    function rebalance(Swap[] calldata swaps, uint256 deadline) external alone {
        require(msg.sender == keeper, "vault: only the keeper");
        require(!paused, "vault: paused");
        require(block.timestamp <= deadline, "vault: deadline passed");

        uint256[] memory held = new uint256[](tokens.length);
        for (uint256 i; i < held.length; ++i) held[i] = Erc20(tokens[i]).balanceOf(address(this));

        uint256 turnover;
        for (uint256 i; i < swaps.length; ++i) turnover += trade(swaps[i], held);

        uint256 left = available();
        require(turnover <= left, "vault: turnover limit");
        (level, filledAt) = (left - turnover, block.timestamp);
    }

    /// One swap, and the value of what it sold. `held` are the balances before it, and afterwards those after it.
    function trade(Swap calldata swap, uint256[] memory held) private returns (uint256 value) {
        require(swap.sell != swap.buy, "vault: sells what it buys");
        require(swap.data.length >= 4 && allowed[swap.target][bytes4(swap.data)], "vault: call not allowed");
        uint256 sellPrice = price(swap.sell); // before the call, which shall not choose when they are read
        uint256 buyPrice = price(swap.buy);

        require(swap.sellAmount <= Erc20(swap.sell).balanceOf(address(this)), "vault: sells more than it holds");
        approve(swap.sell, swap.target, swap.sellAmount);
        (bool ok, bytes memory answer) = swap.target.call(swap.data);
        if (!ok) fail(answer);
        approve(swap.sell, swap.target, 0);

        (uint256 sold, uint256 bought) = settle(swap, held);
        value = worth(swap.sell, sold, sellPrice, true);
        uint256 gained = worth(swap.buy, bought, buyPrice, false);
        require(gained * WHOLE >= value * (WHOLE - tolerance), "vault: bought below the oracle floor");
        emit Swapped(swap.target, swap.sell, swap.buy, sold, bought, value);
    }

    /// What a swap really sold and bought, from balances alone; no other listed token may have fallen.
    function settle(Swap calldata swap, uint256[] memory held) private view returns (uint256 sold, uint256 bought) {
        for (uint256 i; i < held.length; ++i) {
            address token = tokens[i];
            (uint256 had, uint256 has) = (held[i], Erc20(token).balanceOf(address(this)));
            if (token == swap.sell) {
                require(has < had, "vault: nothing sold");
                sold = had - has;
            } else {
                require(has >= had, "vault: another token fell");
                if (token == swap.buy) bought = has - had;
            }
            held[i] = has;
        }
        require(sold <= swap.sellAmount, "vault: sold too much");
        require(bought >= swap.minOut, "vault: bought below min_out");
    }

    /// The keeper may stop the vault; only the owner starts it again.
    function pause() external {
        require(msg.sender == keeper || msg.sender == owner, "vault: only keeper or owner");
        paused = true;
        emit PauseSet(true);
    }

    // --- anybody ------------------------------------------------------------------------------------------------------

    /// {1e-18 USD} that may be sold now.
    function available() public view returns (uint256) {
        uint256 filled = level + refill * (block.timestamp - filledAt);
        return filled < capacity ? filled : capacity;
    }

    /// All that bounds the keeper, in one answer.
    function terms() external view returns (address, address, bool, uint256, uint256, uint256, uint256) {
        return (owner, keeper, paused, tolerance, capacity, refill, available());
    }

    function allTokens() external view returns (address[] memory) {
        return tokens;
    }

    // --- the owner ----------------------------------------------------------------------------------------------------

    /// Besides swaps, the only way out.
    function withdraw(address token, uint256 amount, address to) external onlyOwner alone {
        require(to != address(0), "vault: no recipient");
        must(token, abi.encodeWithSignature("transfer(address,uint256)", to, amount), "vault: transfer failed");
        emit Withdrawn(token, to, amount);
    }

    function unpause() external onlyOwner {
        paused = false;
        emit PauseSet(false);
    }

    /// Nobody is keeper where it is zero.
    function setKeeper(address keeper_) external onlyOwner {
        keeper = keeper_;
        emit KeeperSet(keeper_);
    }

    /// What is in the bucket stays there as far as it fits: raising a limit fills nothing at once.
    function setLimits(uint128 capacity_, uint128 refill_, uint256 tolerance_) external onlyOwner {
        (level, filledAt) = (available(), block.timestamp);
        setBounds(capacity_, refill_, tolerance_);
    }

    /// `feed` says dollars for one whole token. Decimals are read here once. Listing again changes feed and age.
    function listToken(address token, Feed feed, uint32 maxAge) external onlyOwner {
        require(selectors[token] == 0, "vault: a target is no token");
        if (address(listings[token].feed) == address(0)) {
            require(tokens.length < MAX_TOKENS, "vault: too many tokens");
            tokens.push(token);
        }
        listings[token] = Listing(feed, maxAge, 10 ** (uint256(Erc20(token).decimals()) + feed.decimals()));
        price(token); // a feed that does not answer now is the wrong one
        emit TokenListed(token, address(feed), maxAge);
    }

    /// From now on it is neither traded nor watched; it can still be withdrawn.
    function unlistToken(address token) external onlyOwner {
        require(address(listings[token].feed) != address(0), "vault: token not listed");
        delete listings[token];
        uint256 last = tokens.length - 1;
        for (uint256 i; i < last; ++i) if (tokens[i] == token) tokens[i] = tokens[last];
        tokens.pop();
        emit TokenUnlisted(token);
    }

    /// Lets the keeper call this function of this contract, with whatever arguments. Never one that is or moves a token:
    /// the vault approves what it sells by itself.
    function allow(address target, bytes4 selector, bool yes) external onlyOwner {
        require(target != address(this) && target.code.length > 0, "vault: no such target");
        require(address(listings[target].feed) == address(0), "vault: a token is no target");
        require(allowed[target][selector] != yes, "vault: nothing changes");
        allowed[target][selector] = yes;
        selectors[target] = yes ? selectors[target] + 1 : selectors[target] - 1;
        emit Allowed(target, selector, yes);
    }

    /// Takes effect once the other accepts, so that a mistyped address loses nothing. Zero takes an offer back.
    function offerOwnership(address to) external onlyOwner {
        pendingOwner = to;
        emit OwnerOffered(to);
    }

    function acceptOwnership() external {
        require(msg.sender == pendingOwner, "vault: only the pending owner");
        (owner, pendingOwner) = (msg.sender, address(0));
        emit OwnerSet(msg.sender);
    }

    // --- inside -------------------------------------------------------------------------------------------------------

    function setBounds(uint128 capacity_, uint128 refill_, uint256 tolerance_) private {
        require(tolerance_ <= MAX_TOLERANCE, "vault: tolerance too large");
        (capacity, refill, tolerance) = (capacity_, refill_, tolerance_);
        emit Limits(capacity_, refill_, tolerance_);
    }

    /// Dollars for one whole token, in the feed's decimals.
    function price(address token) private view returns (uint256) {
        Listing storage listing = listings[token];
        require(address(listing.feed) != address(0), "vault: token not listed");
        (, int256 answer,, uint256 updatedAt,) = listing.feed.latestRoundData();
        require(answer > 0, "vault: feed without a price");
        require(updatedAt <= block.timestamp, "vault: feed of the future");
        require(block.timestamp - updatedAt <= listing.maxAge, "vault: feed too old");
        return uint256(answer);
    }

    /// {1e-18 USD} = {raw} * {price * 10^feed} * {1e18} / {10^(token + feed)}. What was sold is rounded up, what was bought
    /// down, so that no amount is too small to count.
    function worth(address token, uint256 raw, uint256 answer, bool up) private view returns (uint256) {
        uint256 unit = listings[token].unit;
        return (raw * answer * USD + (up ? unit - 1 : 0)) / unit;
    }

    /// Sets an allowance by way of zero, which some tokens want, and does not ask for zero twice, which others refuse.
    function approve(address token, address spender, uint256 amount) private {
        if (Erc20(token).allowance(address(this), spender) != 0) putAllowance(token, spender, 0);
        if (amount != 0) putAllowance(token, spender, amount);
    }

    function putAllowance(address token, address spender, uint256 amount) private {
        must(token, abi.encodeWithSignature("approve(address,uint256)", spender, amount), "vault: approve failed");
    }

    /// Calls a token, of which some return nothing; whatever one returns must say yes.
    function must(address token, bytes memory data, string memory otherwise) private {
        (bool ok, bytes memory answer) = token.call(data);
        if (!ok) fail(answer);
        require(token.code.length > 0 && (answer.length == 0 || abi.decode(answer, (bool))), otherwise);
    }

    /// Reverts with the reason that another contract gave.
    function fail(bytes memory reason) private pure {
        require(reason.length > 0, "vault: the call failed without a reason");
        assembly {
            revert(add(reason, 32), mload(reason))
        }
    }
}
