"""A file becomes a checked tree, or one line."""

from __future__ import annotations

import traceback
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.config import Config, load, show
from keeper.config.units import Band, Rate
from keeper.core.errors import ConfigError
from keeper.core.units import USD, TokenAmount
from tests.unit.config.bad_deployments import BAD, KEY, Bad
from tests.unit.config.deployments import ENV, GOOD, REPOSITORY, edited, loaded, written

TOKENS = ("SECRETTOKEN", KEY)


def test_load__good_deployment__frozen_tree_in_exact_units(tmp_path: Path) -> None:
    vault = loaded(tmp_path).config.vaults["treasury"]
    assert vault.strategy.weights == {"WETH": 6_000, "USDC": 4_000}
    assert (vault.strategy.trigger, vault.strategy.destination) == (Band(400), Band(200))
    assert vault.guards.max_trade == TokenAmount.from_whole(USD, 100_000)
    assert vault.guards.max_turnover == Rate(1_000, 86_400, "bps")
    assert vault.guards.max_slippage == 30
    assert vault.schedule.look == 300
    with pytest.raises(ValueError, match="frozen"):
        vault.mode = "live"
    with pytest.raises(TypeError):
        vault.strategy.weights["DAI"] = 1  # type: ignore[index]


@pytest.mark.fault("C1", "C2", "C4", "C6", "C7", "C8", "C9", "C10", "C11", "C16", "C18", "M11")
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_load__bad_deployment__one_line_says_where_and_why(bad: Bad, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, edited(bad.old, bad.new), ENV | {"OPS_KEY": KEY})
    assert str(caught.value) == f"keeper.yaml{bad.line}"
    assert caught.value.exit_code == 2


def test_bad_deployments__are_many_and_differ() -> None:
    assert len({bad.name for bad in BAD}) == len(BAD) >= 45


@pytest.mark.fault("C11", "S2")
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_load__bad_deployment__no_secret_in_line_or_traceback(bad: Bad, tmp_path: Path) -> None:
    text = edited(bad.old, bad.new).replace('"${RPC_A}"', '"https://c.example/v3/SECRETTOKEN"')
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, ENV | {"OPS_KEY": KEY})
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "\n" not in str(caught.value)
    assert not [token for token in TOKENS if token in told]


@pytest.mark.fault("C9")
def test_load__token_without_price__refused(tmp_path: Path) -> None:
    text = edited("USDC: 40%", "DUSD: 40%").replace(
        "    rpc:", '    tokens: {DUSD: "0x2222222222222222222222222222222222222222"}\n    rpc:'
    )
    with pytest.raises(ConfigError, match=r"weights\.DUSD: expected a price: chains\.base\.prices\.DUSD, found none"):
        loaded(tmp_path, text)


@pytest.mark.fault("C8")
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9_999), st.integers(1, 9_999))
def test_load__any_bands__accepted_just_where_destination_is_within_trigger(
    tmp_path_factory: pytest.TempPathFactory, destination: int, trigger: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    text = edited("trigger: 4pp", f"trigger: {trigger}bps").replace(
        "destination: 2pp", f"destination: {destination}bps"
    )
    if destination <= trigger:
        assert loaded(folder, text).config.vaults["treasury"].strategy.destination == Band(destination)
    else:
        with pytest.raises(ConfigError, match="destination: expected at most the trigger"):
            loaded(folder, text)


@pytest.mark.fault("C4")
def test_load__one_chain_twice__refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"chains\.too\.chain_id: expected each chain once, found the same as base"):
        loaded(tmp_path, GOOD.replace("signers:", '  too: {preset: base, rpc: "https://c.example"}\nsigners:'))


@pytest.mark.fault("C11")
@pytest.mark.parametrize("place", ["mode: live", "trigger: 4pp", "every: 5m", "max_slippage: 30bps"])
def test_load__url_in_the_wrong_place__only_its_host_is_told(place: str, tmp_path: Path) -> None:
    key = place.partition(":")[0]
    with pytest.raises(ConfigError, match=r"found https://c\.example/\*\*\*$") as caught:
        loaded(tmp_path, edited(place, f'{key}: "https://c.example/v3/SECRETTOKEN"'))
    assert "SECRETTOKEN" not in str(caught.value)


def test_load__ceiling_lifted_by_its_flag__accepted(tmp_path: Path) -> None:
    text = edited("max_slippage: 30bps", "max_slippage: 900bps").replace(
        "    mode: live", "    mode: live\n    dangerously_exceed_ceilings: true"
    )
    assert loaded(tmp_path, text).config.vaults["treasury"].guards.max_slippage == 900


def test_load__dry_vault_with_an_address_only__needs_no_signer(tmp_path: Path) -> None:
    text = edited("signer: ops}", 'address: "0x2222222222222222222222222222222222222222"}').replace("live", "dry")
    config = loaded(tmp_path, text).config
    assert config.sender_of("treasury") is None
    assert config.account_of("treasury") == "0x2222222222222222222222222222222222222222"


@pytest.mark.fault("C18")
def test_load__development_account_on_a_local_chain__accepted(tmp_path: Path) -> None:
    example = (REPOSITORY / "config" / "anvil.yaml").read_text("utf-8")
    assert load(written(tmp_path, example), {}).config.vaults["local"].is_live


@pytest.mark.fault("C18")
def test_load__development_key_in_a_variable__refused_without_saying_it(tmp_path: Path) -> None:
    text = edited("keystore: ops.json, password_file: ops.pw,", 'key: "${OPS_KEY}", allow_env_key: true,')
    with pytest.raises(ConfigError, match="found a development key") as caught:
        loaded(tmp_path, text, ENV | {"OPS_KEY": f"0x{KEY}"})
    assert KEY not in str(caught.value)
    assert loaded(tmp_path, text, ENV | {"OPS_KEY": "1" * 64}).config.signers["ops"].key is not None


def test_load__variables_that_are_not_set__left_open_where_that_is_enough(tmp_path: Path) -> None:
    found = load(written(tmp_path, GOOD), {}, need_env=False)
    url = found.config.chains["base"].rpc[0]
    assert str(url) == "${RPC_A} (not set)"
    with pytest.raises(ConfigError, match="RPC_A"):
        url.reveal()


@pytest.mark.fault("C13")
def test_load__file_that_anybody_may_write__refused(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    path.chmod(0o606)
    with pytest.raises(ConfigError, match=r"expected a file that others cannot write, found mode 0606; run: chmod o-w"):
        load(path, ENV)


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"", "a mapping with chains and vaults, found nothing"), (b"\xff\xfe\x00", "UTF-8, found other bytes")],
    ids=["empty", "binary"],
)
def test_load__file_that_is_no_text__one_line(content: bytes, found: str, tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=found):
        load(path, ENV)


def test_load__no_file__one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a readable file, found no such file or directory"):
        load(tmp_path / "none.yaml", ENV)


# --- origins and hash ------------------------------------------------------------------------------------------------


@pytest.mark.fault("C12")
def test_show__every_value_with_its_origin_and_no_secret(tmp_path: Path) -> None:
    rows = {path: (value, origin) for path, value, origin in show(loaded(tmp_path))}
    assert rows["chains.base.rpc[0]"] == ("https://a.example/***", "env RPC_A")
    assert rows["chains.base.chain_id"] == ("8453", "preset base")
    assert rows["chains.base.tokens.USDC.decimals"] == ("6", "preset base")
    assert rows["vaults.treasury.strategy.trigger"] == ("4pp", "file")
    assert rows["vaults.treasury.guards.max_turnover"] == ("10% per 24h", "file")
    assert rows["vaults.treasury.guards.max_impact"] == ("50bps", "default")
    assert rows["vaults.treasury.guards.max_base_fee"] == ("2 gwei", "preset base")
    assert rows["vaults.treasury.guards.gas_reserve"] == ("0.02 ETH", "default")
    assert rows["vaults.treasury.guards.max_price_age"] == ("each source's heartbeat", "default")
    assert not any("SECRETTOKEN" in value for value, _ in rows.values())


def test_origins__chain_value_over_its_preset__is_of_the_file(tmp_path: Path) -> None:
    found = loaded(tmp_path, edited("    rpc:", "    fees: {max_base_fee: 1 gwei}\n    rpc:"))
    assert found.origins["chains.base.fees.max_base_fee"] == "file"
    assert found.origins["vaults.treasury.guards.max_base_fee"] == "file"
    assert found.origins["chains.base.fees.max_fee"] == "preset base"


def test_hash__same_file_elsewhere_or_other_secret__same(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    changed = {"RPC_A": "https://a.example/v3/ANOTHER", "RPC_B": "https://c.example"}
    assert loaded(one).hash == loaded(other).hash == loaded(one, env=changed).hash


@pytest.mark.fault("C14")
def test_hash__any_other_value__differs(tmp_path: Path) -> None:
    changes = [("60%, USDC: 40%", "59%, USDC: 41%"), ("4pp", "5pp"), ("every: 5m", "every: 6m"), ("30bps", "31bps")]
    hashes = {loaded(tmp_path, edited(old, new)).hash for old, new in changes}
    assert len(hashes | {loaded(tmp_path).hash}) == len(changes) + 1
    # The same figure, written otherwise.
    assert loaded(tmp_path, edited("4pp", "400bps")).hash == loaded(tmp_path).hash


# --- warnings --------------------------------------------------------------------------------------------------------


@pytest.mark.fault("C20")
@pytest.mark.parametrize(
    ("rpc", "warning"),
    [
        ('["${RPC_A}"]', "chains.base.rpc: one URL only: nobody contradicts it, and nothing replaces it"),
        ('["${RPC_A}", "https://a.example/2"]', "chains.base.rpc: all URLs are of one host: they fail together"),
    ],
)
def test_warnings__rpc_without_a_second_opinion(rpc: str, warning: str, tmp_path: Path) -> None:
    assert warning in loaded(tmp_path, edited('["${RPC_A}", "${RPC_B}"]', rpc)).warnings
    assert warning not in loaded(tmp_path).warnings


@pytest.mark.fault("M25")
def test_warnings__price_sources_that_fail_together(tmp_path: Path) -> None:
    two = """\
    prices:
      WETH:
        sources:
          - {kind: chainlink, feed: "0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70", heartbeat: 20m, pair: ETH / USD}
          - {kind: chainlink, feed: "0x7e860098F58bBFC8648a4311b374B1D669a2bc6B", heartbeat: 24h, pair: ETH / USD}
    rpc:"""
    found = loaded(tmp_path, edited("    rpc:", two)).warnings
    assert "vaults.treasury: all price sources are of chainlink and can fail together: WETH" in found
    assert "vaults.treasury: one price source only, which nothing contradicts: USDC" in found


def test_warnings__trigger_wider_than_a_target(tmp_path: Path) -> None:
    text = edited("{WETH: 60%, USDC: 40%}", "{WETH: 97%, USDC: 3%}")
    assert "vaults.treasury: all of USDC could go without leaving its trigger (4pp)" in loaded(tmp_path, text).warnings


# --- what the tree answers -------------------------------------------------------------------------------------------


def test_config__pools_by_name_address_or_mapping__resolved(tmp_path: Path) -> None:
    listed = loaded(tmp_path).config.pools_of("treasury")
    assert listed == {
        "0xd0b53D9277642d899DF5C87A3966A349A798F224": "",
        "0x88A43bbDF9D098eEC7bCEda4e2494615dfD9bB9C": "weth-usdc-v2",
    }
    old = '["0xd0b53D9277642d899DF5C87A3966A349A798F224", weth-usdc-v2]'
    named = loaded(tmp_path, edited(old, '{uni: "0xd0b53D9277642d899DF5C87A3966A349A798F224"}'))
    assert named.config.pools_of("treasury") == {"0xd0b53D9277642d899DF5C87A3966A349A798F224": "uni"}
    assert named.origins["vaults.treasury.pools.uni"] == "file"


def test_config__vault_prices__stand_before_those_of_the_chain(tmp_path: Path) -> None:
    text = edited("    mode: live", "    mode: dry\n    prices: {USDC: {sources: [{kind: fixed, price: 1 USD}]}}")
    prices = loaded(tmp_path, text).config.prices_of("treasury")
    assert [source.kind for source in prices["USDC"].sources] == ["fixed"]
    assert [source.kind for source in prices["WETH"].sources] == ["chainlink"]


def test_config__journal__lies_beside_the_file(tmp_path: Path) -> None:
    journal = loaded(tmp_path).config.journal
    assert journal.path == tmp_path / "keeper.db"
    assert loaded(tmp_path, GOOD + "journal: other.db\n").config.journal.path == tmp_path / "other.db"
    with pytest.raises(ConfigError, match="journal: expected either path or url, found both"):
        loaded(tmp_path, GOOD + 'journal: {path: other.db, url: "postgresql://db.example/keeper"}\n')


def test_config__block_time_below_a_second__exact(tmp_path: Path) -> None:
    config: Config = loaded(tmp_path, edited("    rpc:", "    block_time: 250ms\n    rpc:")).config
    assert config.chains["base"].block_time == Fraction(1, 4)


def test_config__share_of_a_vault_that_is_a_token_too__may_be_a_pool_with_a_tolerance(tmp_path: Path) -> None:
    share = "0x4200000000000000000000000000000000000006"
    text = edited("weth-usdc-v2]", f'"{share}"]\n    execution: {{preview_tolerance: 5bps}}')
    assert share in loaded(tmp_path, text).config.pools_of("treasury")
