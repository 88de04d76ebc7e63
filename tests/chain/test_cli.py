"""What can be asked before anything is armed, and what is refused: by processes of their own, on the real Uniswap."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from keeper.core.abi import calldata
from tests.chain.treasury import LIVE_KEY, Treasury, one_line, says
from tests.chain.uniswap import balance

RICH = "0x0000000000000000000000000000000000700177"
NOBODY = "0x000000000000000000000000000000000000dEaD"
OK, CONFIG, UNREACHABLE = 0, 2, 3


@pytest.fixture(scope="module")
def dry(treasury: Treasury) -> Path:
    return treasury.write("dry")


@pytest.fixture(scope="module")
def looked(treasury: Treasury) -> Path:
    """A dry vault that was looked at once."""
    path = treasury.write("asked")
    assert treasury.keeper("once", path).code == OK
    return path


# --- without a key ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("--help",), ("plan", "--help"), ("--version",)])
def test_help__without_anything__is_there(treasury: Treasury, words: tuple[str, ...]) -> None:
    says(treasury.keeper(*words), OK, "keeper")


def test_check__of_what_is_right__names_each_look(treasury: Treasury, dry: Path) -> None:
    text = says(treasury.keeper("check", dry), OK, "a pool of WETH and USDC: USDC/WETH", "ETH / USD", " 0 wrong")
    assert "\nwrong " not in text
    found = json.loads(treasury.keeper("check", dry, "--json").out)
    assert all(finding["ok"] for finding in found["findings"])
    assert found["down"] == {}


@pytest.mark.fault("C17")
def test_plan__without_a_key__says_what_it_would_trade_and_why(treasury: Treasury, dry: Path) -> None:
    assert list(dry.parent.iterdir()) == [dry]
    text = says(
        treasury.keeper("plan", dry),
        OK,
        *("treasury · local 31337 · block", "DRY: no key loaded"),
        *("WETH      40.0000  $3,000.00  $120,000  80.00 %    60 %  +20.00pp  ±4pp  OUT", "$150,000"),
        *("REBALANCE to 62.00 %: sell 9.", "uniswap_v3 0.05 % USDC/WETH", "from quote −30 bps"),
        *("after    WETH 62.00 % · USDC 38.00 %", "approve 9.", "swap 9.", "simulated at", "ok · "),
        *("guards   18 allow, 0 deny", "max_turnover", "of 25.00 %", "mode is dry: nothing signed", "keeper run "),
    )
    quote, min_out = (_usdc(text, label) for label in ("quote", "min_out"))
    assert min_out == pytest.approx(quote * 0.997, abs=0.02)
    assert list(dry.parent.iterdir()) == [dry]


def _usdc(text: str, label: str) -> float:
    found = re.search(rf"^  {label} +([\d,.]+) USDC", text, re.MULTILINE)
    assert found, text
    return float(found[1].replace(",", ""))


def test_plan__with_all_or_as_json__has_every_guard(treasury: Treasury, dry: Path) -> None:
    (record,) = json.loads(treasury.keeper("plan", dry, "treasury", "--json").out)
    text = says(treasury.keeper("plan", dry, "--all"), OK)
    names = [guard["guard"] for guard in record["guards"]]
    assert len(names) == 18
    assert [name for name in names if name not in text] == []
    assert record["assets"][0]["weight_bps"] == "8000"


def test_pools__of_a_vault__have_depth_fee_and_age(treasury: Treasury, dry: Path) -> None:
    (found,) = json.loads(says(treasury.keeper("pools", dry, "--json"), 0))
    (pool,) = found["pools"]
    assert (pool["fee_bps"], pool["left_out"], pool["is_older"]) == ("5", "", False)
    assert 0 <= found["timestamp"] - pool["since"] < 3_600
    for depth in pool["depths"]:
        ten, fifty, hundred = (int(sale["sell"]["raw"]) for sale in depth["sales"])
        assert 0 < ten < fifty < hundred


def test_quote__of_a_sale__is_what_the_pool_gives(treasury: Treasury, dry: Path) -> None:
    asked = ("--sell", "10 WETH", "--for", "USDC")
    (found,) = json.loads(says(treasury.keeper("quote", dry, *asked, "--json"), 0))
    (leg,) = found["trade"]["legs"]
    assert leg["sell"]["raw"] == str(10 * 10**18)
    assert 0 < int(leg["quote"]["raw"]) / 1e6 < float(Fraction(found["notional"]["whole"]))
    assert "sell 10.0000 WETH" in says(treasury.keeper("quote", dry, *asked), 0)


def test_quote__of_native_coin__wraps_or_unwraps_it_to_the_wei(treasury: Treasury, dry: Path) -> None:
    def legs(sell: str, buy: str) -> list[dict[str, Any]]:
        (found,) = json.loads(says(treasury.keeper("quote", dry, "--sell", sell, "--for", buy, "--json"), OK))
        return [{**leg, "sell": leg["sell"]["raw"], "quote": leg["quote"]["raw"]} for leg in found["trade"]["legs"]]

    wrapping, swap = legs("10 ETH", "USDC")
    assert (wrapping["kind"], wrapping["sell"], wrapping["quote"]) == ("weth", str(10 * 10**18), str(10 * 10**18))
    assert [swap] == legs("10 WETH", "USDC")
    swap, unwrapping = legs("10000 USDC", "ETH")
    assert [swap] == legs("10000 USDC", "WETH")
    assert unwrapping["sell"] == unwrapping["quote"] == swap["quote"]
    # So does the real one: what is sent to it is what it credits, and what it debits is what it sends.
    node, weth = treasury.node, treasury.uniswap.weth
    for value, data in ((int(swap["quote"]), "d0e30db0"), (0, calldata("withdraw(uint256)", int(swap["quote"])).hex())):
        before = balance(node, weth, node.deployer).raw
        node.send(weth.address, bytes.fromhex(data), value)
        assert abs(balance(node, weth, node.deployer).raw - before) == int(swap["quote"])
    text = says(treasury.keeper("quote", dry, "--sell", "10 ETH", "--for", "WETH"), OK, "one for one")
    assert f"weth 0 % ETH/WETH {weth.address[:6]}…" in text


def test_plan__where_a_wallet_holds_coin_instead_of_its_token__names_the_wrap(treasury: Treasury) -> None:
    path = treasury.write("coin", custody=f'{{kind: wallet, address: "{RICH}", native: count}}')
    treasury.node.rpc("anvil_setBalance", RICH, hex(10 * 10**18))
    text = says(treasury.keeper("plan", path), OK, "REBALANCE", "sell 3.7", "WETH")
    steps = [line for line in text.splitlines() if re.search(r"wrap 3\.7\d* ETH|approve|swap 3\.7", line)]
    assert re.search(r"wrap 3\.7\d* ETH", steps[0])


@pytest.mark.parametrize(
    ("sell", "buy", "said"),
    [
        ("10", "USDC", "--sell: expected an amount with its unit, such as 0.05 ETH, found 10"),
        ("0 WETH", "USDC", "--sell: expected more than 0, found 0 WETH"),
        ("1 WETH", "DOGE", "--sell, --for: expected two tokens of one vault, of ETH, USDC, WETH, found WETH, DOGE"),
        ("1 WETH", "WETH", "--sell, --for: expected two tokens of one vault, of ETH, USDC, WETH, found WETH, WETH"),
        ("0.0000001 USDC", "WETH", "--sell: expected at most 6 decimals, found 0.0000001 USDC"),
    ],
)
def test_quote__of_what_cannot_be_sold__says_so_in_one_line(
    treasury: Treasury, dry: Path, sell: str, buy: str, said: str
) -> None:
    one_line(treasury.keeper("quote", dry, "--sell", sell, "--for", buy), CONFIG, said)


def test_plan__beside_a_pool_that_is_none__leaves_it_out_and_names_it(treasury: Treasury, dry: Path) -> None:
    path = dry.with_name("spare.yaml")
    path.write_text(dry.read_text().replace(f'pools: ["{treasury.pool}"]', f'pools: ["{treasury.pool}", "{NOBODY}"]'))
    assert NOBODY in path.read_text()
    plan = says(treasury.keeper("plan", path), 0)
    assert f"expected a contract at {NOBODY}, found no code" in " ".join(plan.split())
    assert "REBALANCE" in plan
    assert "1 wrong" in says(treasury.keeper("check", path), CONFIG)


def test_plan__twice__is_the_same_to_the_wei(treasury: Treasury, dry: Path) -> None:
    first, second = (json.loads(treasury.keeper("plan", dry, "--json").out)[0] for _ in range(2))
    assert first["trades"] == second["trades"]


@pytest.mark.fault("C12")
def test_config__printed__masks_the_url_and_names_origin_and_hash(treasury: Treasury) -> None:
    path = treasury.write("masked", rpc="${LOCAL_RPC}")
    secret = {"LOCAL_RPC": "https://someone:hunter2hunter2@node.example/v3/c0ffeec0ffeec0ffee"}
    text = says(treasury.keeper("config", path, env=secret), OK, "https://node.example/***", "guards.max_slippage")
    found = json.loads(treasury.keeper("config", path, "--json", env=secret).out)
    assert "hunter2" not in text + json.dumps(found)
    assert "c0ffee" not in text + json.dumps(found)
    assert found["hash"] in text
    values = {row["path"]: (row["value"], row["origin"]) for row in found["values"]}
    assert values["chains.local.rpc[0]"] == ("https://node.example/***", "env LOCAL_RPC")
    assert values["vaults.treasury.guards.max_slippage"] == ("30bps", "file")


# --- what is wrong with a deployment ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes", "wrong"),
    [
        pytest.param(
            "chain-id",
            {"chain_id": 31336},
            "chains.local.chain_id: expected 31336, found 31337",
            marks=pytest.mark.fault("C5"),
        ),
        pytest.param(
            "no-code",
            {"pool": NOBODY},
            f"vaults.treasury.pools[0]: expected a contract at {NOBODY}, found no code",
            marks=[pytest.mark.fault("C3"), pytest.mark.fault("K17")],
        ),
        (
            "decimals",
            {"usdc_decimals": 18},
            "chains.local.tokens.USDC.decimals: expected decimals 18, found 6",
        ),
        pytest.param(
            "feed",
            {"weth_feed": "USDC / USD"},
            "chains.local.prices.WETH.sources[0].description: expected ETH / USD, found USDC / USD",
            marks=pytest.mark.fault("C19"),
        ),
        (
            "no-feed",
            {"weth_feed": NOBODY},
            f"chains.local.prices.WETH.sources[0]: expected a contract at {NOBODY}, found no code",
        ),
        (
            "other-tokens",
            {"pool": "odd_pool"},
            "vaults.treasury.pools[0]: expected a pool of WETH and USDC, found USDC/DAI",
        ),
        (
            "other-factory",
            {"pool": "pair"},
            "vaults.treasury.pools[0].router: expected a router for factory ",
        ),
        (
            "little-gas",
            {"mode": "live", "gas_reserve": "5 ETH"},
            "vaults.treasury.guards.gas_reserve: expected at least the gas reserve of 5.00000 ETH, found 1.00000 ETH",
        ),
    ],
)
def test_check__of_what_is_wrong__says_where_and_what(
    treasury: Treasury, name: str, changes: dict[str, object], wrong: str
) -> None:
    known = {"USDC / USD": treasury.feeds["USDC / USD"], "odd_pool": treasury.odd_pool, "pair": treasury.pair}
    path = treasury.write(name, **{place: known.get(str(value), value) for place, value in changes.items()})
    text = says(treasury.keeper("check", path), CONFIG)
    lines = [line for line in text.splitlines() if line.startswith("wrong ")]
    assert any(line.startswith(f"wrong    {wrong}") for line in lines), text
    assert f", {len(lines)} wrong" in text


def test_plan__of_what_is_wrong__is_refused_in_one_line(treasury: Treasury) -> None:
    path = treasury.write("wrong", pool=NOBODY)
    one_line(treasury.keeper("plan", path), CONFIG, f"expected a contract at {NOBODY}, found no code", "1 more")


@pytest.mark.parametrize("command", ["plan", "once", "check"])
def test_commands__with_no_node_there__exit_3_and_name_its_host_only(treasury: Treasury, command: str) -> None:
    path = treasury.write(f"down-{command}", rpc="http://127.0.0.1:9/v3/c0ffeec0ffeec0ffee")
    text = says(treasury.keeper(command, path), UNREACHABLE, "no node answers: http://127.0.0.1:9: ")
    assert "c0ffee" not in text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("plan", "CONFIG", "reserve"), "VAULT: expected one of treasury, found reserve"),
        (("pause", "reserve", "--reason", "x", "-c", "CONFIG"), "expected one of treasury, or '*', found reserve"),
        (("explain", "--vault", "reserve", "-c", "CONFIG"), "--vault: expected one of treasury, found reserve"),
        (("history", "CONFIG", "--from", "yesterday"), "--from: expected a day or a time such as"),
        (("check", "nowhere.yaml"), "nowhere.yaml: file: expected a readable file"),
        (("once", "CONFIG", "--live"), "vaults.*.mode: expected at least one live, as --live was given, found none"),
    ],
)
def test_commands__asked_for_what_is_not_there__say_what_is(
    treasury: Treasury, looked: Path, words: tuple[str, ...], expected: str
) -> None:
    one_line(treasury.keeper(*(looked if word == "CONFIG" else word for word in words)), CONFIG, expected)


def test_once__live_with_another_chain_id__is_refused(treasury: Treasury) -> None:
    path = treasury.write("ids", key=LIVE_KEY, mode="live")
    one_line(treasury.keeper("once", path, "--live", "--chain-id", "1"), CONFIG, "--chain-id 31337, found --chain-id 1")


@pytest.mark.fault("C13")
def test_once__live_with_a_key_for_everybody__is_refused(treasury: Treasury) -> None:
    path = treasury.write("open", key=LIVE_KEY, mode="live")
    path.with_name("ops.key").chmod(0o644)
    done = treasury.keeper("once", path, "--live")
    one_line(done, CONFIG, "signers.ops", "0644")
    assert LIVE_KEY not in done.text
