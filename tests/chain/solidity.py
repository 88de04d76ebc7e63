"""Contracts that are compiled when a test needs them: our own, `compile_solidity("Puppet.sol")["HookToken"]`, and those
of which npm has sources and no bytecode, `compile_package("some-package/contracts/", "Pool.sol")["Pool"]`."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

SCRIPT = """
const { readFileSync } = require("fs");
const [compiler, evmVersion, folder, prefix, ...names] = process.argv.slice(1);
const read = (path) => ({ contents: readFileSync("node_modules/" + path, "utf8") });
const source = (name) => ({ content: readFileSync(folder + name, "utf8") });
const sources = Object.fromEntries(names.map((name) => [prefix + name, source(name)]));
const outputSelection = { "*": { "*": ["evm.bytecode.object"] } };
const settings = { outputSelection, evmVersion, optimizer: { enabled: true } };
const input = JSON.stringify({ language: "Solidity", sources, settings });
const output = JSON.parse(require(compiler).compile(input, { import: read }));
const errors = (output.errors ?? []).filter((each) => each.severity === "error");
if (errors.length) throw new Error(errors.map((each) => each.formattedMessage).join());
const found = names.flatMap((name) => Object.entries(output.contracts[prefix + name]));
console.log(JSON.stringify(Object.fromEntries(found.map(([key, { evm }]) => [key, evm.bytecode.object]))));
"""


def compile_solidity(name: str, evm: str = "paris") -> dict[str, str]:
    """Creation code of each contract of a file in `tests/contracts`, which may import npm's packages. Raises
    CalledProcessError where it is faulty."""
    return _compile("solc", evm, "tests/contracts/", "", name)


def compile_package(folder: str, *names: str) -> dict[str, str]:
    """The same of files of an npm package, by the compiler of their time."""
    return _compile("solc-0.7", "istanbul", f"node_modules/{folder}", folder, *names)


@cache
def _compile(compiler: str, evm: str, folder: str, prefix: str, *names: str) -> dict[str, str]:
    command = ["node", "-e", SCRIPT, compiler, evm, folder, prefix, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, str] = json.loads(done.stdout)
    return found
