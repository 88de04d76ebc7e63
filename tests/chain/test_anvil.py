import os
import stat
import tempfile
from pathlib import Path

import pytest

from keeper.core.errors import ConfigError, Unreachable
from keeper.local.anvil import INSTALL, find_anvil, run_anvil
from tests.chain.node import Node


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_run__with_a_chain_id_and_a_time__answers_at_once_and_ends() -> None:
    with run_anvil(chain_id=8_453, timestamp=1_790_000_000) as anvil:
        node = Node(anvil.url)
        assert node.chain_id == anvil.chain_id == 8_453
        assert int(node.rpc("eth_getBlockByNumber", "0x0", False)["timestamp"], 16) == 1_790_000_000
        assert _runs(anvil.pid)
    assert not _runs(anvil.pid)


def test_run__twice_at_once__takes_two_ports() -> None:
    with run_anvil() as one, run_anvil() as other:
        assert one.port != other.port


def test_run__where_the_body_raises__ends_the_node_all_the_same() -> None:
    with pytest.raises(KeyError), run_anvil() as anvil:
        raise KeyError
    assert not _runs(anvil.pid)


def test_run__for_many_blocks__leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with run_anvil() as anvil:
        Node(anvil.url).rpc("anvil_mine", hex(2_000))
        assert any(path.is_file() for path in tmp_path.rglob("*")), "what it keeps of old blocks"
    assert not any(tmp_path.iterdir())


def test_run__on_a_port_that_is_taken__is_refused() -> None:
    with run_anvil() as anvil:
        said = f"expected port {anvil.port} to be free"
        with pytest.raises(Unreachable, match=said), run_anvil(port=anvil.port):
            pytest.fail("two nodes on one port")


def test_run__with_an_option_that_anvil_does_not_know__says_what_it_said() -> None:
    with (
        pytest.raises(Unreachable, match="ended with 2: error: unexpected argument"),
        run_anvil(options=["--nonsense"]),
    ):
        pytest.fail("a node that ignores its options")


def test_find__without_any__names_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="install it with") as refused:
        find_anvil()
    assert INSTALL in str(refused.value)
    assert "\n" not in str(refused.value)


def test_find__on_path_or_where_told__takes_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\n")
    program.chmod(stat.S_IRWXU)
    assert find_anvil() == find_anvil(program) == program
    with pytest.raises(ConfigError, match="no file at"):
        find_anvil(tmp_path / "elsewhere")
