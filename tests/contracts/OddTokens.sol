// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A plain ERC-20 that anybody may mint. Its heirs differ in one thing each, as tokens in use do; where that can be
/// switched, `turn` switches it, and 0 is the plain behaviour. Every heir takes the same arguments.
contract Plain {
    string internal label;
    uint8 internal units;
    uint256 public knob;
    uint256 public totalSupply;
    mapping(address => uint256) internal held;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Approval(address indexed owner, address indexed spender, uint256 amount);

    constructor(string memory label_, uint8 units_) {
        set(label_, units_);
    }

    function set(string memory label_, uint8 units_) public {
        require(bytes(label).length == 0, "set");
        (label, units) = (label_, units_);
    }

    function turn(uint256 to) external {
        knob = to;
    }

    function mint(address to, uint256 amount) external virtual {
        totalSupply += amount;
        held[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function symbol() external view virtual returns (string memory) {
        return label;
    }

    function decimals() external view virtual returns (uint8) {
        return units;
    }

    function balanceOf(address owner) external view virtual returns (uint256) {
        return held[owner];
    }

    function approve(address spender, uint256 amount) external virtual returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return done();
    }

    function transfer(address to, uint256 amount) external virtual returns (bool) {
        move(msg.sender, to, amount);
        return done();
    }

    function transferFrom(address from, address to, uint256 amount) external virtual returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= amount, "allowance too small");
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        move(from, to, amount);
        return done();
    }

    function move(address from, address to, uint256 amount) internal virtual {
        require(held[from] >= amount, "balance too small");
        held[from] -= amount;
        held[to] += amount;
        emit Transfer(from, to, amount);
    }

    function done() internal virtual returns (bool) {
        return true;
    }
}

/// USDT: nothing is returned, and an allowance that is not zero must be set to zero before another one.
contract NoReturn is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function approve(address spender, uint256 amount) external override returns (bool) {
        require(amount == 0 || allowance[msg.sender][spender] == 0, "zero first");
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return done();
    }

    function done() internal pure override returns (bool) {
        assembly {
            return(0, 0)
        }
    }
}

/// What cannot be done is answered with false, and nothing reverts (ZRX, EURS).
contract FalseOnFailure is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function transferFrom(address from, address to, uint256 amount) external override returns (bool) {
        if (allowance[from][msg.sender] < amount || held[from] < amount || knob != 0) return false;
        allowance[from][msg.sender] -= amount;
        move(from, to, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external override returns (bool) {
        if (held[msg.sender] < amount || knob != 0) return false;
        move(msg.sender, to, amount);
        return true;
    }
}

/// It moves and says that it has not (old tokens).
contract AlwaysFalse is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function done() internal view override returns (bool) {
        return knob == 0;
    }
}

/// BNB, LEND: zero is refused, in approvals and in transfers.
contract NoZero is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function approve(address spender, uint256 amount) external override returns (bool) {
        require(amount > 0, "zero approval");
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function move(address from, address to, uint256 amount) internal override {
        require(amount > 0, "zero transfer");
        super.move(from, to, amount);
    }
}

/// A fee of `knob` bps on every transfer; USDT has the switch too.
contract Fee is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function move(address from, address to, uint256 amount) internal override {
        uint256 fee = amount * knob / 10_000;
        super.move(from, to, amount - fee);
        if (fee != 0) super.move(from, address(0xFEE), fee);
    }
}

/// A fee of 5 % for whoever sells to the pool in `knob`: nothing that is bought shows it.
contract TaxesSales is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function move(address from, address to, uint256 amount) internal override {
        uint256 fee = to == address(uint160(knob)) ? amount / 20 : 0;
        super.move(from, to, amount - fee);
        if (fee != 0) super.move(from, address(0xFEE), fee);
    }
}

/// A fee of `knob` bps goes to all holders: their balances grow while others transfer.
contract Reflects is Plain {
    uint256 private shares;

    constructor(string memory l, uint8 u) Plain(l, u) {}

    function mint(address to, uint256 amount) external override {
        uint256 made = shares == 0 ? amount * 1e9 : amount * shares / totalSupply;
        (totalSupply, shares) = (totalSupply + amount, shares + made);
        held[to] += made;
    }

    function balanceOf(address owner) external view override returns (uint256) {
        return shares == 0 ? 0 : held[owner] * totalSupply / shares;
    }

    function move(address from, address to, uint256 amount) internal override {
        uint256 part = amount * shares / totalSupply;
        uint256 fee = part * knob / 10_000;
        require(held[from] >= part, "balance too small");
        (held[from], held[to], shares) = (held[from] - part, held[to] + part - fee, shares - fee);
        emit Transfer(from, to, amount);
    }
}

/// Balances are shares of a pool, worth `knob` / 10^18 each: stETH, AMPL. Transfers round down by a unit or so.
contract Rebasing is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function index() private view returns (uint256) {
        return knob == 0 ? 1e18 : knob;
    }

    function balanceOf(address owner) external view override returns (uint256) {
        return held[owner] * index() / 1e18;
    }

    function move(address from, address to, uint256 amount) internal override {
        uint256 shares = amount * 1e18 / index();
        require(held[from] >= shares, "balance too small");
        held[from] -= shares;
        held[to] += shares;
        emit Transfer(from, to, amount);
    }
}

contract Pausable is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function move(address from, address to, uint256 amount) internal override {
        require(knob == 0, "Pausable: paused");
        super.move(from, to, amount);
    }
}

/// USDC, USDT: the address in `knob` neither sends nor receives.
contract Blocklist is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function move(address from, address to, uint256 amount) internal override {
        address blocked = address(uint160(knob));
        require(from != blocked && to != blocked, "Blacklistable: account is blacklisted");
        super.move(from, to, amount);
    }
}

contract NoDecimals is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function decimals() external pure override returns (uint8) {
        revert();
    }
}

/// MKR: its symbol is one word.
contract WordSymbol is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function symbol() external view override returns (string memory) {
        bytes memory text = bytes(label);
        assembly {
            mstore(0, mload(add(text, 32)))
            return(0, 32)
        }
    }
}

/// cUSDCv3: the largest amount means all that is there.
contract MaxIsAll is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function move(address from, address to, uint256 amount) internal override {
        super.move(from, to, amount == type(uint256).max ? held[from] : amount);
    }
}

/// ERC-777: before balances change, somebody is called who may call back.
contract Hooked is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function move(address from, address to, uint256 amount) internal override {
        if (knob != 0) address(uint160(knob)).call(abi.encodeWithSignature("moved(address)", from));
        super.move(from, to, amount);
    }
}

/// Whom a hook calls: moves a little of its own at once, and tries to take what is approved.
contract Meddler {
    bool private inside;
    uint256 public calls;

    function moved(address from) external {
        if (inside) return;
        inside = true;
        ++calls;
        Plain(msg.sender).transfer(address(0xBEEF), 1);
        try Plain(msg.sender).transferFrom(from, address(this), 1) returns (bool) {} catch {}
        inside = false;
    }
}

/// Transfers succeed and move nothing.
contract Mute is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function move(address from, address to, uint256 amount) internal override {
        if (knob == 0) super.move(from, to, amount);
    }
}

/// Approvals succeed and set nothing.
contract Forgetful is Plain {
    constructor(string memory l, uint8 u) Plain(l, u) {}

    function approve(address spender, uint256 amount) external override returns (bool) {
        if (knob == 0) allowance[msg.sender][spender] = amount;
        return true;
    }
}

/// A proxy by EIP-1967, which anybody may upgrade.
contract Upgradeable {
    bytes32 private constant SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

    constructor(string memory l, uint8 u) {
        address logic = address(new Plain(l, u));
        assembly {
            sstore(SLOT, logic)
        }
        (bool ok,) = logic.delegatecall(abi.encodeWithSignature("set(string,uint8)", l, u));
        require(ok, "set");
    }

    fallback() external {
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), sload(SLOT), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch ok
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}
