// Compiles the contract with solc-js, without metadata so that the same source gives the same bytes:
//
//   node contracts.mjs           prints {source, compiler, evmVersion, abi, bytecode}
//   node contracts.mjs --write   writes them beside the source

import { readFile, writeFile } from 'node:fs/promises';
import solc from 'solc';
import { program, Refused } from './lib/program.mjs';

const FOLDER = new URL('../../log/anchor/contracts/', import.meta.url);
const NAME = 'CheckpointAnchor';
// The oldest rules with PUSH0: every chain in use has them.
const EVM = 'shanghai';

await program(async () => {
    const artefact = compile(await readFile(new URL(`${NAME}.sol`, FOLDER), 'utf8'));
    if (process.argv[2] !== '--write') return artefact;
    await writeFile(new URL(`${NAME}.json`, FOLDER), `${JSON.stringify(artefact, null, 2)}\n`);
});

function compile(content) {
    const source = `${NAME}.sol`;
    const input = {
        language: 'Solidity',
        sources: { [source]: { content } },
        settings: {
            evmVersion: EVM,
            optimizer: { enabled: true, runs: 200 },
            metadata: { appendCBOR: false, bytecodeHash: 'none' },
            outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
        },
    };
    const output = JSON.parse(solc.compile(JSON.stringify(input)));
    if (output.errors?.length) throw new Refused(output.errors.map((error) => error.formattedMessage).join('\n'));
    const { abi, evm } = output.contracts[source][NAME];
    return { source, compiler: solc.version(), evmVersion: EVM, abi, bytecode: `0x${evm.bytecode.object}` };
}
