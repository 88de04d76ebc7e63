// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface Safe {
    function execTransactionFromModule(address to, uint256 value, bytes calldata data, uint8 operation)
        external
        returns (bool);
}

/// A stand-in for Zodiac's Roles modifier (v2): its interface and its errors, with rules as simple as tests need. Targets
/// and functions are allowed one by one; of a function, one argument may be held to an allowance. Whoever deploys it owns it.
contract TestRoles {
    struct Allowance {
        uint128 refill;
        uint128 maxRefill;
        uint64 period;
        uint128 balance;
        uint64 timestamp;
    }

    struct Condition {
        uint8 parent;
        uint8 kind;
        uint8 operator;
        bytes value;
    }

    struct Bound {
        uint256 place;
        bytes32 key;
    }

    enum Status { Ok, DelegateCallNotAllowed, TargetAddressNotAllowed, FunctionNotAllowed, SendNotAllowed }

    uint8 private constant ALLOWANCE_EXCEEDED = 17;
    uint8 private constant NOT_ALLOWED = 6;
    uint8 private constant EQUAL_TO_AVATAR = 15;
    uint8 private constant WITHIN_ALLOWANCE = 28;

    error NotAuthorized(address unacceptedAddress);
    error NoMembership();
    error ModuleTransactionFailed();
    error MalformedMultiEntrypoint();
    error ConditionViolation(uint8 status, bytes32 info);

    address public owner = msg.sender;
    address public avatar;
    address public target;
    mapping(address => bool) public isModuleEnabled;
    mapping(bytes32 => Allowance) public allowances;
    mapping(bytes32 => address) public unwrappers;
    mapping(bytes32 => mapping(address => bool)) private members;
    mapping(bytes32 => mapping(address => bool)) private targets;
    mapping(bytes32 => mapping(address => mapping(bytes4 => bool))) private functions;
    mapping(bytes32 => mapping(address => mapping(bytes4 => Bound))) private bounds;
    mapping(bytes32 => mapping(address => mapping(bytes4 => uint256))) private recipients;

    modifier onlyOwner() {
        require(msg.sender == owner, "owner");
        _;
    }

    constructor(address safe) {
        (avatar, target) = (safe, safe);
    }

    // --- what its owner sets

    function setTarget(address to) external onlyOwner {
        target = to;
    }

    function assignRoles(address module, bytes32[] calldata keys, bool[] calldata isMember) external onlyOwner {
        for (uint256 i; i < keys.length; ++i) members[keys[i]][module] = isMember[i];
        isModuleEnabled[module] = true;
    }

    function disable(address module) external onlyOwner {
        isModuleEnabled[module] = false;
    }

    function allowFunction(bytes32 role, address to, bytes4 which) external onlyOwner {
        targets[role][to] = true;
        functions[role][to][which] = true;
    }

    function scopeTarget(bytes32 role, address to) external onlyOwner {
        targets[role][to] = true;
    }

    function revokeTarget(bytes32 role, address to) external onlyOwner {
        targets[role][to] = false;
    }

    /// Of all conditions only the allowance of an argument and the recipient are kept, where the arguments are one flat
    /// list, or one struct of fixed length.
    function scopeFunction(bytes32 role, address to, bytes4 which, Condition[] calldata conditions, uint8)
        external
        onlyOwner
    {
        functions[role][to][which] = true;
        uint256 first;
        for (uint256 i = 1; i < conditions.length; ++i) {
            if (conditions[i].parent != conditions[i - 1].parent || i == 1) first = i;
            if (conditions[i].operator == WITHIN_ALLOWANCE) {
                bounds[role][to][which] = Bound(i - first, bytes32(conditions[i].value));
            }
            if (conditions[i].operator == EQUAL_TO_AVATAR) recipients[role][to][which] = i - first + 1;
        }
    }

    function transferOwnership(address to) external onlyOwner {
        owner = to;
    }

    /// Argument `place` of this function is taken out of an allowance.
    function bound(bytes32 role, address to, bytes4 which, uint256 place, bytes32 key) external onlyOwner {
        bounds[role][to][which] = Bound(place, key);
    }

    function setAllowance(bytes32 key, uint128 balance, uint128 maxRefill, uint128 refill, uint64 period, uint64 at)
        external
        onlyOwner
    {
        allowances[key] = Allowance(refill, maxRefill, period, balance, at == 0 ? uint64(block.timestamp) : at);
    }

    function setTransactionUnwrapper(address to, bytes4 which, address adapter) external onlyOwner {
        unwrappers[slot(to, which)] = adapter;
    }

    // --- what a member does

    function execTransactionWithRole(
        address to,
        uint256 value,
        bytes calldata data,
        uint8 operation,
        bytes32 role,
        bool shouldRevert
    ) external returns (bool success) {
        if (!isModuleEnabled[msg.sender]) revert NotAuthorized(msg.sender);
        if (role == 0 || !members[role][msg.sender]) revert NoMembership();
        if (data.length >= 4 && unwrappers[slot(to, bytes4(data))] != address(0)) {
            if (operation != 1 || value != 0) revert MalformedMultiEntrypoint();
            checkAll(role, data);
        } else {
            check(role, to, value, data, operation);
        }
        success = Safe(target).execTransactionFromModule(to, value, data, operation);
        if (shouldRevert && !success) revert ModuleTransactionFailed();
    }

    /// Each packed call of `multiSend(bytes)`: operation, target, value, length, data.
    function checkAll(bytes32 role, bytes calldata data) private {
        bytes calldata packed = data[68:68 + uint256(bytes32(data[36:68]))];
        for (uint256 at; at < packed.length;) {
            bytes calldata head = packed[at:at + 85];
            uint256 size = uint256(bytes32(head[53:85]));
            bytes calldata inner = packed[at + 85:at + 85 + size];
            check(role, address(bytes20(head[1:21])), uint256(bytes32(head[21:53])), inner, uint8(head[0]));
            at += 85 + size;
        }
    }

    function check(bytes32 role, address to, uint256 value, bytes calldata data, uint8 operation) private {
        if (!targets[role][to]) violated(Status.TargetAddressNotAllowed, 0);
        if (!functions[role][to][bytes4(data)]) violated(Status.FunctionNotAllowed, bytes32(bytes4(data)));
        if (value != 0) violated(Status.SendNotAllowed, 0);
        if (operation != 0) violated(Status.DelegateCallNotAllowed, 0);
        Bound memory found = bounds[role][to][bytes4(data)];
        uint256 place = recipients[role][to][bytes4(data)];
        if (place != 0 && address(uint160(uint256(bytes32(data[4 + 32 * (place - 1):])))) != avatar) {
            revert ConditionViolation(NOT_ALLOWED, 0);
        }
        if (found.key != 0) consume(found.key, uint256(bytes32(data[4 + 32 * found.place:])));
    }

    function consume(bytes32 key, uint256 amount) private {
        Allowance storage found = allowances[key];
        if (found.period != 0 && block.timestamp >= found.timestamp + found.period) {
            uint64 intervals = (uint64(block.timestamp) - found.timestamp) / found.period;
            if (found.balance < found.maxRefill) {
                uint128 more = found.balance + found.refill * intervals;
                found.balance = more < found.maxRefill ? more : found.maxRefill;
            }
            found.timestamp += intervals * found.period;
        }
        if (amount > found.balance) revert ConditionViolation(ALLOWANCE_EXCEEDED, key);
        found.balance -= uint128(amount);
    }

    function violated(Status status, bytes32 info) private pure {
        revert ConditionViolation(uint8(status), info);
    }

    function slot(address to, bytes4 which) private pure returns (bytes32) {
        return bytes32(bytes20(to)) | (bytes32(which) >> 160);
    }
}

/// A module that passes on what one key asks for, and answers what the Safe answered.
contract Passing {
    Safe private immutable safe;
    address private immutable key;

    constructor(Safe safe_, address key_) {
        (safe, key) = (safe_, key_);
    }

    function execTransactionFromModule(address to, uint256 value, bytes calldata data, uint8 operation)
        external
        returns (bool)
    {
        require(msg.sender == key, "key");
        return safe.execTransactionFromModule(to, value, data, operation);
    }
}
