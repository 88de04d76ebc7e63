from __future__ import annotations

import subprocess
from pathlib import Path

import contracts_abi

ROOT = Path(contracts_abi.__file__).parent.parent


def test_contracts__when_built_from_their_sources__then_every_committed_byte_is_the_same(tmp_path: Path) -> None:
    subprocess.run(["node", str(ROOT / "contracts" / "build.mjs"), str(tmp_path)], check=True, cwd=ROOT, timeout=120)

    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert len(built) == len(list((ROOT / "contracts").glob("*.sol"))) > 0
    for name, content in built.items():
        assert (ROOT / "contracts_abi" / name).read_bytes() == content, f"{name}: run node contracts/build.mjs"
