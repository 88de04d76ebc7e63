"""Quotes of an ERC-4626 vault, from its state in memory, against its own preview and bare integers."""

from __future__ import annotations

from web3 import Web3

from bench.frame import Contestant, Pace, Row, measure
from keeper.core.pools import NoQuote
from keeper.core.units import TokenAmount
from keeper.venues.erc4626 import Erc4626, Erc4626State
from tests.chain.pools import observe
from tests.chain.share_vaults import make_vaults
from tests.chain.uniswap import Deployment, deploy_token

PREVIEW = [
    {
        "name": "previewDeposit",
        "type": "function",
        "stateMutability": "view",
        "inputs": [{"name": "assets", "type": "uint256"}],
        "outputs": [{"name": "", "type": "uint256"}],
    }
]


def vault_rows(uniswap: Deployment, w3: Web3, pace: Pace) -> list[Row]:
    """A vault that earned a tenth of what was put in."""
    asset = deploy_token(uniswap, "ASSET", 6)
    pool = make_vaults(uniswap.node).new(asset, offset=6, held=(10**12, 10**11, 0))
    state, _ = observe(uniswap.node, Erc4626(), pool)
    assert isinstance(state, Erc4626State)
    share, amount = pool.tokens[1], 10**9
    sell, side = TokenAmount(asset, amount), state.side(asset, share)
    assert not isinstance(side, NoQuote)
    contract = w3.eth.contract(address=Web3.to_checksum_address(pool.address), abi=PREVIEW)
    ask, quote, shares, assets = contract.functions.previewDeposit(amount), side.out, state.shares, state.assets

    def bare() -> int:
        return amount * shares // assets

    ours = state.out_for(sell, share)
    assert isinstance(ours, TokenAmount)
    found = ours.raw, quote(amount), ask.call(), bare()
    assert len(set(found)) == 1, f"the contestants disagree: {found}"
    return measure(
        "ERC-4626 deposit",
        [
            Contestant("ours", "Erc4626State.out_for", lambda: state.out_for(sell, share)),
            Contestant("ours", "Linear.out", lambda: quote(amount)),
            Contestant("peer", "previewDeposit, web3", ask.call, "1 request"),
            Contestant("floor", "bare integers", bare),
        ],
        pace,
    )
