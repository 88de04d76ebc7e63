"""Spoiled deployments: what was changed in the good one, and the one line that must come of it."""

from __future__ import annotations

from typing import NamedTuple

KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""Of the first development account: known to everybody."""


WALLET = "{kind: wallet, signer: ops}"


class Bad(NamedTuple):
    """`old` is replaced by `new` in the good deployment; `line` is the error, after the file's name."""

    name: str
    old: str
    new: str
    line: str


BAD = (
    # weights and bands
    Bad(
        "weights sum to 99 %",
        "USDC: 40%",
        "USDC: 39%",
        ":14: vaults.treasury.strategy.weights: expected weights that sum to 100%, found 99%",
    ),
    Bad(
        "weights sum to 101 %",
        "USDC: 40%",
        "USDC: 41%",
        ":14: vaults.treasury.strategy.weights: expected weights that sum to 100%, found 101%",
    ),
    Bad(
        "weights with float noise",
        "USDC: 40%",
        "USDC: 40.0000001%",
        (
            ":14: vaults.treasury.strategy.weights.USDC: expected a share such as 60%, in steps of "
            "1 bps, found 40.0000001%"
        ),
    ),
    Bad(
        "negative weight",
        "USDC: 40%",
        "USDC: -40%",
        ":14: vaults.treasury.strategy.weights.USDC: expected a share such as 60%, found -40%",
    ),
    Bad(
        "weight that is no number",
        "USDC: 40%",
        "USDC: NaN%",
        ":14: vaults.treasury.strategy.weights.USDC: expected a share such as 60%, found NaN%",
    ),
    Bad(
        "weight without unit",
        "USDC: 40%",
        "USDC: 0.4",
        ":14: vaults.treasury.strategy.weights.USDC: expected a share such as 60%, found 0.4",
    ),
    Bad(
        "one token only",
        "{WETH: 60%, USDC: 40%}",
        "{WETH: 100%}",
        ":14: vaults.treasury.strategy.weights: expected at least two tokens, found 1",
    ),
    Bad(
        "duplicate token in weights",
        "USDC: 40%",
        "WETH: 40%",
        (":14: vaults.treasury.strategy.weights.WETH: expected each key once, found it again (first on line 14)"),
    ),
    Bad(
        "unknown token",
        "USDC: 40%",
        "USDX: 40%",
        (
            ":14: vaults.treasury.strategy.weights.USDX: expected one of WETH, USDC, DAI, USDT, "
            "cbBTC, wstETH, found an unknown token"
        ),
    ),
    Bad(
        "bare percentage as band",
        "trigger: 4pp",
        "trigger: 5%",
        (
            ":15: vaults.treasury.strategy.trigger: expected 5pp (of the vault) or 5% of weight "
            "(of the asset's own target), found 5%"
        ),
    ),
    Bad(
        "band without unit",
        "trigger: 4pp",
        "trigger: 4",
        (":15: vaults.treasury.strategy.trigger: expected a band such as 4pp, 400bps or 20% of weight, found 4"),
    ),
    Bad(
        "band of zero",
        "trigger: 4pp",
        "trigger: 0pp",
        (
            ":15: vaults.treasury.strategy.trigger: expected a trigger above 0pp: otherwise every "
            "block trades, found 0pp"
        ),
    ),
    Bad(
        "inverted bands",
        "destination: 2pp",
        "destination: 6pp",
        ":16: vaults.treasury.strategy.destination: expected at most the trigger (4pp), found 6pp",
    ),
    Bad(
        "inverted bands in other units",
        "destination: 2pp",
        "destination: 20% of weight",
        (":16: vaults.treasury.strategy.destination: expected at most the trigger (4pp), found 20% of weight"),
    ),
    Bad(
        "negative band",
        "destination: 2pp",
        "destination: -2pp",
        (":16: vaults.treasury.strategy.destination: expected a band such as 4pp, 400bps or 20% of weight, found -2pp"),
    ),
    Bad(
        "dust above max_trade",
        "dust: 10 USD",
        "dust: 200000 USD",
        ":17: vaults.treasury.strategy.dust: expected less than max_trade (100000 USD), found 200000 USD",
    ),
    Bad(
        "clip below dust",
        "dust: 10 USD",
        "dust: 10 USD\n      clip: 5 USD",
        ":18: vaults.treasury.strategy.clip: expected more than dust (10 USD), found 5 USD",
    ),
    Bad(
        "clip above max_trade",
        "dust: 10 USD",
        "dust: 10 USD\n      clip: 200000 USD",
        ":18: vaults.treasury.strategy.clip: expected at most max_trade (100000 USD), found 200000 USD",
    ),
    Bad(
        "breaker that always trips",
        "guards: {",
        "breakers: {reverts: 0 per 1h}\n    guards: {",
        ":20: vaults.treasury.breakers.reverts.at: expected a limit above 0, or off, found 0 per 1h",
    ),
    Bad(
        "trial without a rest",
        "guards: {",
        "breakers: {loss: {at: 1% per 24h, trial: 5 USD}}\n    guards: {",
        ":20: vaults.treasury.breakers.loss: expected `after` beside `trial`: what is cleared by hand tries nothing, "
        "found trial alone",
    ),
    Bad(
        "depeg without pegs",
        "guards: {",
        "breakers: {depeg: 200bps}\n    guards: {",
        ":20: vaults.treasury.breakers.depeg: expected pegs, such as {USDC: 1 USD}, or off, found a limit alone",
    ),
    Bad(
        "depeg of another token",
        "guards: {",
        "breakers: {depeg: {at: 200bps, pegs: {DAI: 1 USD}}}\n    guards: {",
        ":20: vaults.treasury.breakers.depeg.pegs.DAI: expected one of WETH, USDC, found another token",
    ),
    Bad(
        "depeg from a peg of nothing",
        "guards: {",
        "breakers: {depeg: {at: 200bps, pegs: {USDC: 0 USD}}}\n    guards: {",
        ":20: vaults.treasury.breakers.depeg.pegs.USDC: expected a peg above 0, found 0 USD",
    ),
    Bad(
        "drawdown of everything",
        "guards: {",
        "breakers: {drawdown: 100% per 7d}\n    guards: {",
        ":20: vaults.treasury.breakers.drawdown.at: expected a limit below 100%, or off, found 100% per 7d",
    ),
    Bad(
        "unknown breaker",
        "guards: {",
        "breakers: {jump: 20% per 1h}\n    guards: {",
        ":20: vaults.treasury.breakers.jump: expected one of depeg, drawdown, loss, price_jump, refusals, reverts, "
        "found an unknown key",
    ),
    Bad(
        "own band of another token",
        "dust: 10 USD",
        "bands: {DAI: {trigger: 1pp, destination: 0pp}}",
        ":17: vaults.treasury.strategy.bands.DAI: expected one of WETH, USDC, found another token",
    ),
    Bad(
        "unknown strategy",
        "kind: weights",
        "kind: wieghts",
        ":13: vaults.treasury.strategy.kind: expected one of weights, peg, found wieghts",
    ),
    # keys
    Bad(
        "typo in a key",
        "trigger: 4pp",
        "triger: 4pp",
        (":15: vaults.treasury.strategy.triger: expected trigger, the nearest known key, found an unknown key"),
    ),
    Bad(
        "typo in a guard",
        "max_slippage",
        "max_slipage",
        (":20: vaults.treasury.guards.max_slipage: expected max_slippage, the nearest known key, found an unknown key"),
    ),
    Bad(
        "unknown section",
        "signers:\n  ops",
        "secrets: {}\nsigners:\n  ops",
        (
            ":5: secrets: expected one of alerts, chains, journal, signers, telemetry, upkeeps, vaults, "
            "found an unknown key"
        ),
    ),
    Bad(
        "unknown key in a source",
        "    rpc:",
        "    prices: {WETH: {sources: [{kind: fixed, price: 1 USD, hartbeat: 1h}]}}\n    rpc:",
        (":4: chains.base.prices.WETH.sources[0].hartbeat: expected one of kind, price, found an unknown key"),
    ),
    Bad(
        "quorum larger than the number of nodes",
        "    rpc:",
        "    quorum: 3\n    rpc:",
        ":4: chains.base.quorum: expected at most the number of URLs (2), found 3",
    ),
    Bad(
        "heads over an unencrypted socket",
        "    rpc:",
        "    ws: ws://heads.example/key-of-mine\n    rpc:",
        ":4: chains.base.ws[0]: expected wss, or ws on this machine, found ws://heads.example/***",
    ),
    Bad(
        "heads from what is no socket",
        "    rpc:",
        "    ws: [https://heads.example]\n    rpc:",
        ":4: chains.base.ws[0]: expected a URL such as wss://host/path, found https://heads.example",
    ),
    Bad(
        "a reader without an address",
        "    rpc:",
        "    reader: 0x1234\n    rpc:",
        ":4: chains.base.reader: expected an address: 0x and 40 hex digits, found 0x1234",
    ),
    Bad(
        "rate of no calls",
        "    rpc:",
        "    rpc_rate: 0 per 1s\n    rpc:",
        ":4: chains.base.rpc_rate: expected a number of calls within 1s to 1m, such as 20 per 1s, found 0 per 1s",
    ),
    Bad(
        "key twice",
        "    chain: base\n",
        "    chain: base\n    chain: base\n",
        ":10: vaults.treasury.chain: expected each key once, found it again (first on line 9)",
    ),
    Bad(
        "vault twice",
        "vaults:\n  treasury:",
        "vaults:\n  treasury: {}\n  treasury:",
        ":9: vaults.treasury: expected each key once, found it again (first on line 8)",
    ),
    Bad(
        "missing strategy",
        (
            "    strategy:\n      kind: weights\n      weights: {WETH: 60%, USDC: 40%}\n      "
            "trigger: 4pp\n      destination: 2pp\n      dust: 10 USD\n"
        ),
        "",
        ":8: vaults.treasury.strategy: expected a value, found nothing",
    ),
    Bad(
        "empty trigger",
        "trigger: 4pp",
        "trigger:",
        (":15: vaults.treasury.strategy.trigger: expected a band such as 4pp, 400bps or 20% of weight, found nothing"),
    ),
    Bad(
        "list for a text",
        "trigger: 4pp",
        "trigger: [4pp]",
        ":15: vaults.treasury.strategy.trigger: expected a text, found a list",
    ),
    Bad(
        "text for a mapping",
        "guards: {max_trade: 100000 USD, max_turnover: 10% per 24h, max_slippage: 30bps}",
        "guards: strict",
        ":20: vaults.treasury.guards: expected a mapping, found strict",
    ),
    # YAML
    Bad(
        "no YAML",
        "vaults:\n  treasury:",
        "vaults: [\n  treasury:",
        ":9: file: expected well-formed YAML, found a fault: expected ',' or ']', but got ':'",
    ),
    Bad(
        "Norwegian mode",
        "mode: live",
        "mode: NO",
        ":10: vaults.treasury.mode: expected dry, live or shadow, found NO",
    ),
    Bad(
        "yes for true",
        "mode: live",
        "dangerously_exceed_ceilings: yes",
        ":10: vaults.treasury.dangerously_exceed_ceilings: expected true or false, found yes",
    ),
    Bad(
        "scientific notation",
        "max_trade: 100000 USD",
        "max_trade: 1e5 USD",
        (":20: vaults.treasury.guards.max_trade: expected an amount of USD such as 100000 USD, found 1e5 USD"),
    ),
    Bad(
        "octal-looking figure",
        "    rpc:",
        "    confirmations: 010\n    rpc:",
        ":4: chains.base.confirmations: expected a plain decimal number, found 010",
    ),
    Bad(
        "hexadecimal figure",
        "    rpc:",
        "    confirmations: 0x10\n    rpc:",
        ":4: chains.base.confirmations: expected a plain decimal number, found 0x10",
    ),
    Bad(
        "figure with commas",
        "max_trade: 100000 USD",
        'max_trade: "100,000 USD"',
        (":20: vaults.treasury.guards.max_trade: expected an amount of USD such as 100000 USD, found 100,000 USD"),
    ),
    Bad(
        "merge key",
        "schedule: {every: 5m}",
        "schedule: {<<: {every: 5m}}",
        ":19: vaults.treasury.schedule: expected no merge key, found <<",
    ),
    Bad(
        "tag",
        "mode: live",
        "mode: !!python/name:os.system live",
        ":10: vaults.treasury.mode: expected no tag, found a tag",
    ),
    # units
    Bad(
        "bare number for gwei",
        "    rpc:",
        "    fees: {max_base_fee: 40}\n    rpc:",
        ":4: chains.base.fees.max_base_fee: expected a fee with its unit, such as 40 gwei, found 40",
    ),
    Bad(
        "wei where gwei was meant",
        "    rpc:",
        "    fees: {max_base_fee: 40 wei}\n    rpc:",
        (
            ":4: chains.base.fees.max_base_fee: expected a fee from 0.001 gwei to 10000 gwei (was "
            "the unit meant?), found 40 wei"
        ),
    ),
    Bad(
        "gwei where wei was meant",
        "    rpc:",
        "    fees: {max_base_fee: 40000000000 gwei}\n    rpc:",
        (
            ":4: chains.base.fees.max_base_fee: expected a fee from 0.001 gwei to 10000 gwei (was "
            "the unit meant?), found 40000000000 gwei"
        ),
    ),
    Bad(
        "base-fee cap above fee cap",
        "    rpc:",
        "    fees: {max_base_fee: 20 gwei, max_fee: 10 gwei}\n    rpc:",
        ":4: chains.base.fees.max_base_fee: expected at most max_fee (10 gwei), found 20 gwei",
    ),
    Bad(
        "other currency",
        "max_trade: 100000 USD",
        "max_trade: 100000 EUR",
        (":20: vaults.treasury.guards.max_trade: expected an amount of USD such as 100000 USD, found 100000 EUR"),
    ),
    Bad(
        "gas reserve in another coin",
        "max_trade: 100000 USD",
        "gas_reserve: 0.05 BNB",
        ":20: vaults.treasury.guards.gas_reserve: expected an amount of ETH, found 0.05 BNB",
    ),
    Bad(
        "per-day limit without its window",
        "max_turnover: 10% per 24h",
        "max_turnover: 10%",
        (":20: vaults.treasury.guards.max_turnover: expected a share and its window, such as 25% per 24h, found 10%"),
    ),
    Bad(
        "window longer than a day",
        "max_turnover: 10% per 24h",
        "max_turnover: 10% per 7d",
        (
            ":20: vaults.treasury.guards.max_turnover: expected a share and its window, such as "
            "25% per 24h: a rolling window from 1m to 24h, found 10% per 7d"
        ),
    ),
    Bad(
        "duration without unit",
        "every: 5m",
        "every: 300",
        ":19: vaults.treasury.schedule.every: expected an interval such as 5m or 3 blocks, found 300",
    ),
    Bad(
        "unknown cron",
        "every: 5m",
        'cron: "61 * * * *"',
        (
            ":19: vaults.treasury.schedule.cron: expected a crontab line of five fields such as 0 "
            "8 * * 1-5, found 61 * * * *"
        ),
    ),
    Bad(
        "cron that is never due",
        "every: 5m",
        'cron: "0 0 31 2 *"',
        (
            ":19: vaults.treasury.schedule.cron: expected a crontab line of five fields such as 0 "
            "8 * * 1-5, found 0 0 31 2 *"
        ),
    ),
    Bad(
        "cron with six fields",
        "every: 5m",
        'cron: "0 0 8 * * 1"',
        (
            ":19: vaults.treasury.schedule.cron: expected a crontab line of five fields such as 0 "
            "8 * * 1-5, found 0 0 8 * * 1"
        ),
    ),
    Bad(
        "cron and interval",
        "every: 5m",
        'every: 5m, cron: "0 8 * * 1-5"',
        ":19: vaults.treasury.schedule.cron: expected either every or cron, found both",
    ),
    Bad(
        "unknown zone",
        "every: 5m",
        'cron: "0 8 * * 1-5", zone: Europe/Zurch',
        (":19: vaults.treasury.schedule.zone: expected a time zone such as Europe/Zurich, found Europe/Zurch"),
    ),
    Bad(
        "bad act window",
        "every: 5m",
        "every: 5m, act: Mo-Fr 08:00-20:00",
        (":19: vaults.treasury.schedule.act[0]: expected days such as Mon-Fri or Mon,Wed, found Mo-Fr 08:00-20:00"),
    ),
    # addresses
    Bad(
        "bad checksum",
        "0xd0b53D9277642d899DF5C87A3966A349A798F224",
        "0xd0b53D9277642d899DF5C87A3966A349A798f224",
        (
            ":18: vaults.treasury.pools[0]: expected an address whose EIP-55 checksum is right: a "
            "digit or a letter is wrong, found 0xd0b53D9277642d899DF5C87A3966A349A798f224"
        ),
    ),
    Bad(
        "all small letters",
        "0xd0b53D9277642d899DF5C87A3966A349A798F224",
        "0xd0b53d9277642d899df5c87a3966a349a798f224",
        (
            ":18: vaults.treasury.pools[0]: expected an address with its EIP-55 checksum (capitals "
            "and small letters), found 0xd0b53d9277642d899df5c87a3966a349a798f224"
        ),
    ),
    Bad(
        "short address",
        "0xd0b53D9277642d899DF5C87A3966A349A798F224",
        "0xd0b53D9277642d899DF5C87A3966A349A798F22",
        (
            ":18: vaults.treasury.pools[0]: expected an address: 0x and 40 hex digits, found "
            "0xd0b53D9277642d899DF5C87A3966A349A798F22"
        ),
    ),
    Bad(
        "zero address",
        "0xd0b53D9277642d899DF5C87A3966A349A798F224",
        "0x0000000000000000000000000000000000000000",
        ":18: vaults.treasury.pools[0]: expected an address other than zero, found 0x0",
    ),
    Bad(
        "ENS name",
        "signer: ops}",
        "address: treasury.eth}",
        (":11: vaults.treasury.custody.address: expected an address (names are not resolved), found treasury.eth"),
    ),
    Bad(
        "token as pool",
        "0xd0b53D9277642d899DF5C87A3966A349A798F224",
        "0x4200000000000000000000000000000000000006",
        ":18: vaults.treasury.pools[0]: expected a pool, or with execution.preview_tolerance an ERC-4626 vault, "
        "found the token WETH",
    ),
    Bad(
        "duplicate pool",
        "weth-usdc-v2]",
        "weth-usdc-500]",
        ":18: vaults.treasury.pools[1]: expected each pool once, found the same as pools[0]",
    ),
    Bad(
        "unknown pool name",
        "weth-usdc-v2]",
        "weth-usdc-v4]",
        (
            ":18: vaults.treasury.pools[1]: expected an address, or one of weth-usdc-500, "
            "weth-usdc-3000, cbbtc-weth-500, cbbtc-usdc-500, weth-usdc-v2, found weth-usdc-v4"
        ),
    ),
    Bad(
        "duplicate token address",
        "    rpc:",
        '    tokens: {WETH9: "0x4200000000000000000000000000000000000006"}\n    rpc:',
        ":4: chains.base.tokens.WETH9: expected each token once, found the same as WETH",
    ),
    Bad(
        "a token that rebases a little",
        "    rpc:",
        '    tokens: {AMPL: {address: "0xD46bA6D942050d489DBd938a2C909A5d5039A161", rebasing: 1}}\n    rpc:',
        ":4: chains.base.tokens.AMPL.rebasing: expected true or false, found 1",
    ),
    Bad(
        "unknown chain",
        "chain: base",
        "chain: bsae",
        ":9: vaults.treasury.chain: expected one of base, found bsae",
    ),
    # chains
    Bad(
        "unknown preset",
        "preset: base",
        "preset: bsae",
        (
            ":3: chains.base.preset: expected one of anvil, arbitrum, base, base-sepolia, mainnet, "
            "optimism, sepolia, found bsae"
        ),
    ),
    Bad(
        "chain id that is none",
        "    rpc:",
        "    chain_id: 0\n    rpc:",
        ":4: chains.base.chain_id: expected a chain id from 1, found 0",
    ),
    Bad(
        "http to elsewhere",
        '"${RPC_B}"',
        '"http://b.example/SECRETTOKEN"',
        ":4: chains.base.rpc[1]: expected https, or http on this machine, found http://b.example/***",
    ),
    Bad(
        "no URL",
        '"${RPC_B}"',
        "b.example",
        ":4: chains.base.rpc[1]: expected a URL such as https://host/path, found ***",
    ),
    Bad(
        "the same URL twice",
        '"${RPC_B}"',
        '"${RPC_A}"',
        ":4: chains.base.rpc[1]: expected each URL once, found the same as rpc[0]",
    ),
    Bad(
        "variable that is not set",
        "${RPC_B}",
        "${RPC_C}",
        ":4: chains.base.rpc[1]: expected the variable RPC_C, found it is not set",
    ),
    Bad(
        "reference where none may be",
        "mode: live",
        "mode: ${MODE}",
        (":10: vaults.treasury.mode: expected the value itself: references are for URLs and keys, found ${MODE}"),
    ),
    Bad(
        "no RPC",
        '["${RPC_A}", "${RPC_B}"]',
        "[]",
        ":4: chains.base.rpc: expected at least one URL, found none",
    ),
    Bad(
        "router of the other kind",
        "    rpc:",
        (
            '    factories: {"0x8909Dc15e40173Ff4699343b6eB8132c65e18eC6": {kind: uniswap_v2, '
            'router: {kind: swap_router, address: "0x2626664c2603336E57B271c5C0b26F421741e481"}}}\n '
            "   rpc:"
        ),
        (
            ":4: chains.base.factories.0x8909Dc15e40173Ff4699343b6eB8132c65e18eC6.router.kind: "
            "expected v2_router or swap_router02 or pancake_router, found swap_router"
        ),
    ),
    Bad(
        "feed for the wrong pair",
        "    rpc:",
        (
            "    prices: {WETH: {sources: [{kind: chainlink, feed: "
            '"0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70", heartbeat: 20m, pair: BTC / USD}]}}\n    '
            "rpc:"
        ),
        ":4: chains.base.prices.WETH.sources[0].pair: expected a feed of WETH or ETH, found BTC / USD",
    ),
    # prices
    Bad(
        "feed that is not in USD",
        "    rpc:",
        (
            "    prices: {WETH: {sources: [{kind: chainlink, feed: "
            '"0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70", heartbeat: 20m, pair: ETH / BTC}]}}\n    '
            "rpc:"
        ),
        (
            ":4: chains.base.prices.WETH.sources[0].pair: expected a feed in USD, or further "
            "factors up to it, found ETH / BTC"
        ),
    ),
    Bad(
        "fixed price for a live vault",
        "    rpc:",
        "    prices: {USDC: {sources: [{kind: fixed, price: 1 USD}]}}\n    rpc:",
        (
            ":4: chains.base.prices.USDC: expected a source that follows the market: vault "
            "treasury is live, found a fixed price"
        ),
    ),
    Bad(
        "more opinions needed than there are",
        "    rpc:",
        "    prices: {WETH: {need: 2}}\n    rpc:",
        ":4: chains.base.prices.WETH.need: expected at most the number of sources (1), found 2",
    ),
    Bad(
        "sane range upside down",
        "    rpc:",
        "    prices: {WETH: {min: 100000 USD, max: 100 USD}}\n    rpc:",
        ":4: chains.base.prices.WETH.min: expected less than max, found as much or more",
    ),
    Bad(
        "unknown kind of source",
        "    rpc:",
        "    prices: {WETH: {sources: [{kind: pyth}]}}\n    rpc:",
        (":4: chains.base.prices.WETH.sources[0].kind: expected one of chainlink, twap, fixed, product, found pyth"),
    ),
    Bad(
        "slippage of 50 %",
        "max_slippage: 30bps",
        "max_slippage: 50%",
        (
            ":20: vaults.treasury.guards.max_slippage: expected at most 300bps, or dan"
            "gerously_exceed_ceilings: true on the vault, found 5000bps"
        ),
    ),
    # guards
    Bad(
        "slippage of 100 %",
        "max_slippage: 30bps",
        "max_slippage: 100%",
        ":20: vaults.treasury.guards.max_slippage: expected 1bps or more, and less than 100%, found 100%",
    ),
    Bad(
        "no slippage at all",
        "max_slippage: 30bps",
        "max_slippage: 0bps",
        ":20: vaults.treasury.guards.max_slippage: expected 1bps or more, and less than 100%, found 0bps",
    ),
    Bad(
        "turnover above its ceiling",
        "max_turnover: 10% per 24h",
        "max_turnover: 25% per 1h",
        (
            ":20: vaults.treasury.guards.max_turnover: expected at most 100% per 24h, or dan"
            "gerously_exceed_ceilings: true on the vault, found 25% per 1h"
        ),
    ),
    Bad(
        "negative cool-down",
        "max_trade: 100000 USD",
        "cool_down: -5m",
        (":20: vaults.treasury.guards.cool_down: expected a duration such as 45s, 15m, 1h30m or 2d, found -5m"),
    ),
    Bad(
        "no trades",
        "max_trade: 100000 USD",
        "max_trades: 0 per 24h",
        ":20: vaults.treasury.guards.max_trades: expected 1 or more, found 0",
    ),
    Bad(
        "live without a signer",
        "signer: ops}",
        'address: "0x1111111111111111111111111111111111111111"}',
        ":11: vaults.treasury.custody.signer: expected a signer: the vault is live, found nothing",
    ),
    # slices and slippage
    Bad(
        "slices of another kind",
        "    schedule: {every: 5m}",
        "    slices: twap",
        ":19: vaults.treasury.slices: expected auto, or a mapping, found twap",
    ),
    Bad(
        "one slice",
        "    schedule: {every: 5m}",
        "    slices: {most: 1}",
        ":19: vaults.treasury.slices.most: expected 2 to 1000, found 1",
    ),
    Bad(
        "slices nearer than the cool-down lets them be",
        "    schedule: {every: 5m}",
        "    slices: {spacing: 9m}",
        (
            ":19: vaults.treasury.slices.spacing: expected at least twice the cool_down (10m): a wait may be "
            "half as long, found 9m"
        ),
    ),
    Bad(
        "a deadline before the second slice",
        "    schedule: {every: 5m}",
        "    slices: {deadline: 20m, spacing: 30m}",
        ":19: vaults.treasury.slices.deadline: expected time for two slices: 30m or more, found 20m",
    ),
    Bad(
        "slices that could turn around",
        "    schedule: {every: 5m}",
        "    slices: {jitter: 60%}",
        ":19: vaults.treasury.slices.jitter: expected 0% to 50%, found 60%",
    ),
    Bad(
        "slippage beyond its guard",
        "    schedule: {every: 5m}",
        "    execution: {slippage: 31bps}",
        ":19: vaults.treasury.execution.slippage: expected 1bps to max_slippage (30bps), or auto, found 31bps",
    ),
    Bad(
        "slippage in words",
        "    schedule: {every: 5m}",
        "    execution: {slippage: low}",
        ":19: vaults.treasury.execution.slippage: expected auto, or bps such as 30bps or 0.3%, found low",
    ),
    Bad(
        "escalation without a Safe",
        "    schedule: {every: 5m}",
        "    execution: {escalate_above: 5000 USD}",
        (
            ":19: vaults.treasury.execution.escalate_above: expected a custody whose key is one of a Safe: safe, "
            "safe_module or roles, found wallet"
        ),
    ),
    Bad(
        "proposals for a minute",
        "    schedule: {every: 5m}",
        "    execution: {proposal_ttl: 1m}",
        ":19: vaults.treasury.execution.proposal_ttl: expected a duration from 10m to 7d, found 1m",
    ),
    Bad(
        "volatility of nothing",
        "    schedule: {every: 5m}",
        "    execution: {volatility: 0%}",
        ":19: vaults.treasury.execution.volatility: expected 0.1% to 1000% a year, found 0%",
    ),
    # custody
    Bad(
        "neither signer nor address",
        "{kind: wallet, signer: ops}",
        "{kind: wallet}",
        ":11: vaults.treasury.custody: expected a signer, or the address to look at, found neither",
    ),
    Bad(
        "unknown signer",
        "signer: ops}",
        "signer: opps}",
        ":11: vaults.treasury.custody.signer: expected one of ops, found opps",
    ),
    Bad(
        "address that is not the signer's",
        "signer: ops}",
        'signer: ops, address: "0x2222222222222222222222222222222222222222"}',
        (
            ":11: vaults.treasury.custody.address: expected the signer's address "
            "0x1111111111111111111111111111111111111111, found "
            "0x2222222222222222222222222222222222222222"
        ),
    ),
    Bad(
        "development account",
        "0x1111111111111111111111111111111111111111",
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        (
            ":6: signers.ops.address: expected an account of your own: everybody has the key of "
            "this one, found the development account 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
        ),
    ),
    Bad(
        "two ways to a key",
        "keystore: ops.json,",
        "keystore: ops.json, key_file: ops.key,",
        ":6: signers.ops: expected one of keystore, remote, key_file, key, found keystore and key_file",
    ),
    Bad(
        "keystore without password",
        " password_file: ops.pw,",
        "",
        (":6: signers.ops.password_file: expected the file that holds the keystore's password, found nothing"),
    ),
    Bad(
        "variable key that is not allowed",
        "keystore: ops.json, password_file: ops.pw,",
        'key: "${OPS_KEY}",',
        (":6: signers.ops.key: expected a keystore or a key_file, or allow_env_key: true, found a key in a variable"),
    ),
    Bad(
        "remote signer in plain text",
        "keystore: ops.json, password_file: ops.pw,",
        "remote: http://signer.example/token,",
        ":6: signers.ops.remote: expected https, or http on this machine, found http://signer.example/***",
    ),
    Bad(
        "remote signer beside a key",
        "password_file: ops.pw,",
        "password_file: ops.pw, remote: https://signer.example,",
        ":6: signers.ops: expected one of keystore, remote, key_file, key, found keystore and remote",
    ),
    Bad(
        "time-out without a remote signer",
        "password_file: ops.pw,",
        "password_file: ops.pw, timeout: 3s,",
        ":6: signers.ops.timeout: expected a remote signer that it is for, found none",
    ),
    Bad(
        "remote signer that may think too long",
        "keystore: ops.json, password_file: ops.pw,",
        "remote: https://signer.example, timeout: 2m,",
        ":6: signers.ops.timeout: expected a duration from 1s to 1m, found 2m",
    ),
    Bad(
        "literal key",
        "keystore: ops.json, password_file: ops.pw,",
        f'key: "0x{KEY}",',
        (
            ":6: file: expected keys in a keystore, a key file or a variable, found 64 hex digits "
            "that could be a private key"
        ),
    ),
    Bad(
        "literal key in a comment",
        "  treasury:",
        f"  # {KEY}\n  treasury:",
        (
            ":8: file: expected keys in a keystore, a key file or a variable, found 64 hex digits "
            "that could be a private key"
        ),
    ),
    Bad(
        "literal phrase",
        "keystore: ops.json, password_file: ops.pw,",
        'key: "test test test test test test test test test test test junk",',
        ":6: file: expected no seed phrase, found twelve or more words that could be one",
    ),
    Bad(
        "two vaults of one account",
        "vaults:\n",
        (
            "vaults:\n  other: {chain: base, custody: {kind: wallet, signer: ops}, strategy: {kind: "
            "weights, weights: {WETH: 50%, USDC: 50%}, trigger: 1pp, destination: 0pp}, pools: "
            "[weth-usdc-500]}\n"
        ),
        ":12: vaults.treasury.custody: expected one vault per account (a candidate beside it has mode: shadow), "
        "found the same as other",
    ),
    # a contract as custody
    Bad(
        "contract without address",
        "{kind: wallet, signer: ops}",
        "{kind: contract, signer: ops}",
        ":11: vaults.treasury.custody.address: expected a value, found nothing",
    ),
    Bad(
        "contract that is a token",
        "{kind: wallet, signer: ops}",
        '{kind: contract, signer: ops, address: "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"}',
        ":11: vaults.treasury.custody.address: expected the contract that holds the funds, found the token USDC",
    ),
    Bad(
        "contract that is the signer",
        "{kind: wallet, signer: ops}",
        '{kind: contract, signer: ops, address: "0x1111111111111111111111111111111111111111"}',
        (
            ":11: vaults.treasury.custody.address: expected the contract that holds the funds, "
            "found the signer's own address"
        ),
    ),
    Bad(
        "function that is none",
        "{kind: wallet, signer: ops}",
        '{kind: contract, signer: ops, address: "0x2222222222222222222222222222222222222222", function: rebalance}',
        (
            ":11: vaults.treasury.custody.function: expected a function such as "
            "rebalance((address,bytes)[],uint256), found rebalance"
        ),
    ),
    Bad(
        "function without its arguments",
        "{kind: wallet, signer: ops}",
        '{kind: contract, signer: ops, address: "0x2222222222222222222222222222222222222222", function: "go(bytes[])"}',
        ":11: vaults.treasury.custody.arguments: expected 1 arguments, as the function has, not 2, found nothing",
    ),
    Bad(
        "arguments with an unknown place",
        "{kind: wallet, signer: ops}",
        (
            '{kind: contract, signer: ops, address: "0x2222222222222222222222222222222222222222", '
            'function: "go(bytes[])", arguments: "[{bytes}]"}'
        ),
        (
            ":11: vaults.treasury.custody.arguments: expected only the places {target}, {data}, {sell}, {sell_amount}, "
            "{buy}, {min_out}, {deadline}, not {bytes}, found [{bytes}]"
        ),
    ),
    Bad(
        "live contract without signer",
        "{kind: wallet, signer: ops}",
        '{kind: contract, address: "0x2222222222222222222222222222222222222222"}',
        ":11: vaults.treasury.custody.signer: expected a signer: the vault is live, found nothing",
    ),
    # a Safe as custody
    Bad(
        "custody of no kind",
        WALLET,
        "{kind: multisig, signer: ops}",
        (
            ":11: vaults.treasury.custody.kind: expected one of wallet, safe, safe_module, "
            "roles, propose, contract, found multisig"
        ),
    ),
    Bad(
        "proposals with a signer",
        WALLET,
        '{kind: propose, signer: ops, safe: "0x2222222222222222222222222222222222222222"}',
        (
            ":11: vaults.treasury.custody.signer: expected one of kind, multi_send, safe, "
            "safe_service, version, found an unknown key"
        ),
    ),
    Bad(
        "proposals without a Safe",
        WALLET,
        "{kind: propose}",
        ":11: vaults.treasury.custody.safe: expected a value, found nothing",
    ),
    Bad(
        "Safe without signer",
        WALLET,
        '{kind: safe, safe: "0x2222222222222222222222222222222222222222"}',
        ":11: vaults.treasury.custody.signer: expected a value, found nothing",
    ),
    Bad(
        "Safe that is the signer",
        WALLET,
        '{kind: safe, signer: ops, safe: "0x1111111111111111111111111111111111111111"}',
        ":11: vaults.treasury.custody.safe: expected a contract, found the signer's own address",
    ),
    Bad(
        "Safe of another version",
        WALLET,
        ('{kind: safe, signer: ops, version: 1.2.0, safe: "0x2222222222222222222222222222222222222222"}'),
        ":11: vaults.treasury.custody.version: expected 1.3.0 or 1.4.1, found 1.2.0",
    ),
    Bad(
        "Safe with an unknown signer",
        WALLET,
        '{kind: safe, signer: opps, safe: "0x2222222222222222222222222222222222222222"}',
        ":11: vaults.treasury.custody.signer: expected one of ops, found opps",
    ),
    Bad(
        "coin of a Safe",
        WALLET,
        ('{kind: safe, signer: ops, safe: "0x2222222222222222222222222222222222222222", native: count}'),
        (
            ":11: vaults.treasury.custody.native: expected one of kind, multi_send, safe, "
            "signer, version, found an unknown key"
        ),
    ),
    Bad(
        "module that is the Safe",
        WALLET,
        (
            "{kind: safe_module, signer: ops, safe: "
            '"0x2222222222222222222222222222222222222222", module: '
            '"0x2222222222222222222222222222222222222222"}'
        ),
        (":11: vaults.treasury.custody.module: expected another contract than the Safe, found the Safe itself"),
    ),
    Bad(
        "role without modifier",
        WALLET,
        '{kind: roles, signer: ops, safe: "0x2222222222222222222222222222222222222222", role: r}',
        ":11: vaults.treasury.custody.modifier: expected a value, found nothing",
    ),
    Bad(
        "role that is too long",
        WALLET,
        (
            '{kind: roles, signer: ops, safe: "0x2222222222222222222222222222222222222222", '
            'modifier: "0x3333333333333333333333333333333333333333", role: '
            "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr}"
        ),
        (
            ":11: vaults.treasury.custody.role: expected a name of at most 31 letters, or 32 "
            "bytes in halves: 0x, 32 hex digits, _ and 32 more, found "
            "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
        ),
    ),
    Bad(
        "role of nothing",
        WALLET,
        (
            '{kind: roles, signer: ops, safe: "0x2222222222222222222222222222222222222222", '
            'modifier: "0x3333333333333333333333333333333333333333", role: '
            '"0x00000000000000000000000000000000_00000000000000000000000000000000"}'
        ),
        (
            ":11: vaults.treasury.custody.role: expected a name of at most 31 letters, or 32 "
            "bytes in halves: 0x, 32 hex digits, _ and 32 more, found "
            "0x00000000000000000000000000000000_000000000000000000000000…"
        ),
    ),
    Bad(
        "allowance of a token that is not held",
        WALLET,
        (
            '{kind: roles, signer: ops, safe: "0x2222222222222222222222222222222222222222", '
            'modifier: "0x3333333333333333333333333333333333333333", role: r, allowances: {DAI: '
            "d}}"
        ),
        (":11: vaults.treasury.custody.allowances.DAI: expected one of WETH, USDC, found another token"),
    ),
)
