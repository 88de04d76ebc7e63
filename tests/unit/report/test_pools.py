import json
from dataclasses import replace

from keeper.core.pools import unknown_pool
from keeper.report.pools import Depth, PoolFound, VaultPools, pools_record, render_pools
from tests.builders import USDC, WETH, address, fake_pool, units, usd

STATE = fake_pool(units(WETH, 1_000), units(USDC, 3_000_000))
DEPTH = Depth(WETH, USDC, (units(WETH, 1), units(WETH, 5), "the pool is empty"), (usd(3_000), None, None))
FOUND = PoolFound(STATE.pool, (DEPTH,), warning="its family was drained once", since=1_000)
GONE = PoolFound(unknown_pool(31337, address(0xDEAD), "old"), (), left_out="expected a pool of kind x, found none")
POOLS = VaultPools("treasury", 1_234_567, 1_000 + 3 * 86_400, (FOUND, GONE))


def test_render__of_a_vault__has_depth_age_warning_and_reason() -> None:
    page = render_pools(POOLS).plain()
    row = next(line for line in page.splitlines() if STATE.pool.label in line)
    assert row.split()[-6:] == ["3d", "WETH→USDC", "$3,000.00", "5.00000", "WETH", "nothing"]
    assert "treasury · 2 pools at block 1,234,567" in page
    assert (
        f"old {GONE.pool.address[:6]}…{GONE.pool.address[-4:]}: left out: expected a pool of kind x, found none" in page
    )
    assert "its family was drained once" in page


def test_render__of_a_pool_that_fills_nothing__says_why_once() -> None:
    none = Depth(WETH, USDC, ("the pool is paused",) * 3, (None,) * 3)
    back = replace(none, sell=USDC, buy=WETH)
    page = render_pools(replace(POOLS, found=(replace(FOUND, depths=(none, back)),))).plain()
    assert page.count(f"{STATE.pool.label}: fills nothing: the pool is paused") == 1
    assert "fills nothing" not in render_pools(POOLS).plain()


def test_render__where_the_node_knows_no_older_state__says_at_least() -> None:
    older = replace(POOLS, found=(replace(FOUND, is_older=True), replace(FOUND, since=None)))
    ages = [line.split("WETH→USDC")[0].split()[-2:] for line in render_pools(older).plain().splitlines() if "→" in line]
    assert ages[0] == [">", "3d"]
    assert ages[1][-1] != "3d"


def test_record__for_machines__has_every_figure() -> None:
    record = json.loads(json.dumps(pools_record(POOLS)))
    sales = record["pools"][0]["depths"][0]["sales"]
    assert [sale["impact_bps"] for sale in sales] == [10, 50, 100]
    assert (sales[0]["sell"]["raw"], sales[2]["reason"]) == (str(10**18), "the pool is empty")
    assert record["pools"][1]["left_out"] == GONE.left_out
