"""Contracts that only tests need, compiled when they are: `compile_solidity("Puppet.sol")["HookToken"]`."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

SCRIPT = """
const [name, evmVersion] = process.argv.slice(1);
const content = require("fs").readFileSync("tests/contracts/" + name, "utf8");
const outputSelection = { "*": { "*": ["evm.bytecode.object"] } };
const settings = { outputSelection, evmVersion, optimizer: { enabled: true } };
const input = { language: "Solidity", sources: { [name]: { content } }, settings };
const fetch = (path) => ({ contents: require("fs").readFileSync("node_modules/" + path, "utf8") });
const output = JSON.parse(require("solc").compile(JSON.stringify(input), { import: fetch }));
const errors = (output.errors ?? []).filter((each) => each.severity === "error");
if (errors.length) throw new Error(errors.map((each) => each.formattedMessage).join());
const found = Object.entries(output.contracts[name]).map(([key, { evm }]) => [key, evm.bytecode.object]);
console.log(JSON.stringify(Object.fromEntries(found)));
"""


@cache
def compile_solidity(name: str, evm: str = "paris") -> dict[str, str]:
    """Creation code of each contract of a file in `tests/contracts`, which may import npm's packages. Raises
    CalledProcessError where it is faulty."""
    command = ["node", "-e", SCRIPT, name, evm]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, str] = json.loads(done.stdout)
    return found
