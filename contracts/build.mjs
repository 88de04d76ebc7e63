// Compiles every contract here into contracts_abi/NAME.json, or into another directory: node contracts/build.mjs [DIR]
//
// The same solc (package-lock.json pins it) and the same settings give the same bytes, which a test compares.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "..", "contracts_abi");
const solc = createRequire(import.meta.url)("solc");

const names = readdirSync(here).filter((name) => name.endsWith(".sol")).sort();
const input = {
  language: "Solidity",
  sources: Object.fromEntries(names.map((name) => [name, { content: readFileSync(join(here, name), "utf8") }])),
  settings: {
    viaIR: true,
    optimizer: { enabled: true, runs: 100000 },
    evmVersion: "paris", // no PUSH0: runs on chains that are years behind
    metadata: { bytecodeHash: "none", appendCBOR: false }, // nothing of this machine in the bytes
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
  },
};

const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
if (output.errors?.length) process.exit(1);

// DemoToken.sol holds DemoToken, and becomes demo_token.json.
const snake = (name) => name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => "_" + letter).toLowerCase();

for (const name of names) {
  const contract = name.replace(".sol", "");
  const { abi, evm } = output.contracts[name][contract];
  const fields = { abi, bytecode: "0x" + evm.bytecode.object, runtime: "0x" + evm.deployedBytecode.object };
  writeFileSync(join(target, snake(contract) + ".json"), JSON.stringify(fields, null, 1) + "\n");
}
