"""What lying nodes can make the keeper do: one of three nothing, all of them no more than the configuration allows.

The keeper under test is the real one, from configuration to guards, on recorded answers of a real market.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

import pytest

from keeper.app.chains import Chain
from keeper.chain.nodes.exposure import Range, worst_day, worst_trade
from keeper.chain.nodes.rpc import Freshness, Rpc, Timer
from keeper.config import load
from keeper.core.chain import History
from keeper.core.decision import Decision
from keeper.core.errors import KeeperError
from keeper.core.units import WHOLE_BPS
from keeper.deciding import decide
from keeper.guards.swaps import decode_swap
from keeper.local.anvil import run_anvil
from tests.builders import SWAP_ROUTER02
from tests.chain.node import Node
from tests.chain.treasury import Treasury, build_treasury
from tests.chain.uniswap import sqrt_price
from tests.faults.figures import count
from tests.faults.liars import Fuzz, Lie, Plot, Recorded, TellingWire

LIES = count("KEEPER_LIES", 5_000, 100_000)
PLOTS = count("KEEPER_PLOTS", 250, 5_000)
VAULT = "treasury"

WETH = Range(Fraction(2_500), Fraction(3_500), Fraction(3_000))
USDC = Range(Fraction(98, 100), Fraction(102, 100), Fraction(1))
CLIP, TRADES = 20_000, 24
GIVEN_UP = 5 + 50 + 50
"""{bps} Of a trade at its floor: the pool's fee, max_impact, max_deviation."""
DEEPEST_HONEST = 6
"""A liar tells the truth this often at most before it begins, so that every kind of request is lied to."""

Trade = tuple[tuple[str, bytes, int], ...]
"""Target, calldata and value of each transaction."""


@dataclass
class Market:
    """One market, and vaults that should sell, hold and buy in it."""

    treasury: Treasury
    node: Recorded
    chains: Mapping[str, Chain]

    def decision(self, name: str, lies: Sequence[Lie | None], *, quorum: int) -> Decision | KeeperError:
        """What the vault would do, where each node lies as told."""
        wires = {f"node{index}": TellingWire(f"node{index}", self.node, lie) for index, lie in enumerate(lies)}
        rpc = Rpc(
            name,
            list(wires),
            quorum=quorum,
            freshness=Freshness(),
            timer=Timer(sleep=lambda seconds: None),
            connect=wires.__getitem__,
        )
        chain = replace(self.chains[name], rpc=rpc)
        try:
            snapshot = chain.observer(lambda vault, now: History()).observe([VAULT])
            return decide(chain.vault(VAULT, chain.dry_submitter(), armed=False), snapshot.vaults[VAULT].view)
        except KeeperError as error:
            return error
        finally:
            rpc.close()


def trade_of(decision: Decision | KeeperError) -> Trade | None:
    if isinstance(decision, KeeperError) or not decision.wants_to_act or decision.draft is None:
        return None
    return tuple((call.to, call.data, call.value) for call in decision.draft.calls.sequence)


def _chain(treasury: Treasury, name: str, weth_weight: int) -> Chain:
    path = treasury.write(name, weth_weight=weth_weight, usdc_weight=100 - weth_weight)
    text = path.read_text("utf-8")
    text = text.replace("apart: 2000bps", f"apart: 2000bps\n        min: {WETH.low} USD\n        max: {WETH.high} USD")
    text = text.replace("pair: USDC / USD}}", "pair: USDC / USD}, min: 0.98 USD, max: 1.02 USD}")
    text = text.replace("guards: {", f"guards: {{max_trade: {CLIP} USD, max_trades: {TRADES} per 24h, ")
    path.write_text(text, "utf-8")
    loaded = load(path, {})
    return Chain.open(loaded, "local")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    with run_anvil() as running:
        node = Node(running.url)
        treasury = build_treasury(node, tmp_path_factory.mktemp("lying"))
        weights = {"sells": 60, "holds": 80, "buys": 95}
        chains = {name: _chain(treasury, name, weight) for name, weight in weights.items()}
        yield Market(treasury, Recorded(node), chains)


@pytest.fixture(scope="module")
def honest(market: Market) -> dict[str, Trade | None]:
    """What each vault does when nobody lies."""
    return {name: trade_of(market.decision(name, [None, None], quorum=2)) for name in market.chains}


def test_market__nobody_lies__one_vault_sells_one_holds_and_one_buys(honest: dict[str, Trade | None]) -> None:
    assert honest["holds"] is None
    sells, buys = honest["sells"], honest["buys"]
    assert sells is not None
    assert buys is not None
    assert sells != buys


# --- one of three ----------------------------------------------------------------------------------------------------


@pytest.mark.fault("R34")
@pytest.mark.fault("R9")
@pytest.mark.fault("R11")
@pytest.mark.fault("R12")
@pytest.mark.fault("R28")
def test_decide__one_of_three_nodes_lies__does_nothing_that_the_honest_two_would_not(
    market: Market, honest: dict[str, Trade | None], tell: Callable[[str], None]
) -> None:
    began, names, told, turns, outcomes = time.monotonic(), list(market.chains), 0, 0, Counter[str]()
    while told < LIES:
        rng = Random(turns)
        name = names[turns % len(names)]
        liar = Fuzz(rng, honest=rng.randrange(DEEPEST_HONEST))
        lies: list[Lie | None] = [None, None, None]
        lies[rng.randrange(2)] = liar  # one of the two that are asked; the third is asked when they contradict
        decision = market.decision(name, lies, quorum=2)
        assert trade_of(decision) in (None, honest[name]), f"seed {turns}"
        outcomes["as honest" if trade_of(decision) == honest[name] else "nothing"] += 1
        told += liar.lies
        turns += 1
    tell(f"{told} lies of one node of three in {turns} decisions: {dict(outcomes)}, {time.monotonic() - began:.0f} s")
    # The lies do not stop the keeper either: nearly always the other two carry the decision.
    assert outcomes["as honest"] > turns * 95 // 100


@pytest.mark.fault("R34")
def test_decide__the_same_lies_from_the_only_node__would_have_moved_trades(
    market: Market, honest: dict[str, Trade | None], tell: Callable[[str], None]
) -> None:
    """The lies above are no harmless ones: without the others, many of them decide."""
    moved, wanted, names = 0, 300, list(market.chains)
    for seed in range(wanted):
        rng = Random(seed)
        name = names[seed % len(names)]
        decision = market.decision(name, [Fuzz(rng, honest=rng.randrange(DEEPEST_HONEST))], quorum=1)
        moved += trade_of(decision) != honest[name]
    tell(f"the same lies from the only node: {moved} of {wanted} decisions differ")
    assert moved > wanted // 4


# --- all of them -----------------------------------------------------------------------------------------------------


def plot_of(market: Market, rng: Random) -> Plot:
    """Prices anywhere about the sane range, feeds and pool of one mind, the simulation flattering."""

    def about(range_: Range) -> Fraction:
        edge = rng.choice([range_.low, range_.high])
        within = range_.low + (range_.high - range_.low) * Fraction(rng.randrange(1_001), 1_000)
        return rng.choice([edge, edge, within, edge * Fraction(rng.randrange(90, 111), 100)])

    weth, usdc = about(WETH), about(USDC)
    treasury = market.treasury
    feeds = treasury.feeds
    prices = {feeds["ETH / USD"]: weth, feeds["second"]: weth, feeds["USDC / USD"]: usdc}
    sqrt = sqrt_price(treasury.uniswap.weth, treasury.usdc, weth / usdc)
    return Plot(prices, treasury.pool, sqrt, rng.randrange(0, 40))


def loss_of(market: Market, trade: Trade) -> Fraction:
    """{USD} At true prices, where the swap brings no more than its floor."""
    lost = Fraction(0)
    weth, usdc = market.treasury.uniswap.weth, market.treasury.usdc
    worth = {weth.address: WETH.true / 10**weth.decimals, usdc.address: USDC.true / 10**usdc.decimals}
    for _, data, _ in trade:
        swap = decode_swap(SWAP_ROUTER02, data)
        if not isinstance(swap, str):
            lost += swap.sell * worth[swap.tokens[0]] - swap.min_out * worth[swap.tokens[-1]]
    return lost


@pytest.mark.fault("R34")
@pytest.mark.fault("R36")
def test_decide__all_nodes_lie_alike__lose_no_more_than_clip_times_the_sane_range(
    market: Market, tell: Callable[[str], None]
) -> None:
    ranges = {"WETH": WETH, "USDC": USDC}
    most = worst_trade(Fraction(CLIP), ranges, GIVEN_UP)
    daily = worst_day(Fraction(CLIP), TRADES, ranges, GIVEN_UP)
    losses, names = [], ["sells", "holds", "buys"]
    for seed in range(PLOTS):
        plot = plot_of(market, Random(seed))
        trade = trade_of(market.decision(names[seed % 3], [plot, plot, plot], quorum=2))
        if trade is not None:
            losses.append(loss_of(market, trade))
            assert losses[-1] <= most, f"seed {seed}"
    worst = max(losses)
    # A day of the worst of them, as often as trades are allowed at all.
    assert worst * TRADES <= daily
    tell(
        f"{PLOTS} plots of all nodes, {len(losses)} trades: worst loss {float(worst):,.0f} USD of a {CLIP:,} USD clip, "
        f"bound {float(most):,.0f} a trade and {float(daily):,.0f} a day ({float(most) * WHOLE_BPS / CLIP:,.0f} bps)"
    )
    # The plots come close enough to the bound to test it.
    assert worst > most / 2
    assert len(losses) > PLOTS // 10


@pytest.mark.fault("R34")
def test_decide__all_nodes_lie_beyond_the_sane_range__nothing_is_traded(market: Market) -> None:
    treasury = market.treasury
    for price in (WETH.low * Fraction(99, 100), WETH.high * Fraction(101, 100)):
        prices = {treasury.feeds[name]: price for name in ("ETH / USD", "second")}
        plot = Plot(prices, treasury.pool, sqrt_price(treasury.uniswap.weth, treasury.usdc, price), 10)
        for name in market.chains:
            assert trade_of(market.decision(name, [plot, plot, plot], quorum=2)) is None
