// CheckpointAnchor as ethers sees it, by the ABI in the repository:
//
//   node anchored.mjs RPC CONTRACT read ORIGIN
//       prints {owner, size, root, events: [{size, root, previousBlock, block}]}
//   node anchored.mjs RPC CONTRACT misuse ORIGIN
//       prints the errors that a stranger and a log that does not grow get
//   node anchored.mjs RPC CONTRACT write ORIGIN SIZE ROOT [SIZE ROOT ...]
//       the owner writes all of them into one block

import { readFile } from 'node:fs/promises';
import { Contract, JsonRpcProvider, sha256, toUtf8Bytes, ZeroHash } from 'ethers';
import { program } from './lib/program.mjs';

const ARTEFACT = new URL('../../log/anchor/contracts/CheckpointAnchor.json', import.meta.url);

await program(async () => {
    const [rpc, address, verb, origin, ...rest] = process.argv.slice(2);
    const { abi } = JSON.parse(await readFile(ARTEFACT, 'utf8'));
    const provider = new JsonRpcProvider(rpc, undefined, { cacheTimeout: -1 });
    provider.pollingInterval = 20;
    const by = async (index) => new Contract(address, abi, await provider.getSigner(index));
    try {
        return await { read, misuse, write }[verb]({ by, provider, log: sha256(toUtf8Bytes(origin)), rest });
    } finally {
        provider.destroy();
    }
});

async function read({ by, log }) {
    const contract = await by(1);
    const [size, root] = await contract.latest(log);
    const events = await contract.queryFilter(contract.filters.Anchored(log), 0);
    return {
        owner: await contract.owner(),
        size: Number(size),
        root,
        events: events.map(({ args, blockNumber }) => ({
            size: Number(args.size),
            root: args.root,
            previousBlock: Number(args.previousBlock),
            block: blockNumber,
        })),
    };
}

async function misuse({ by, log }) {
    const [owner, stranger] = [await by(0), await by(1)];
    const [size] = await owner.latest(log);
    return {
        stranger: await refusal(stranger, log, size + 1n),
        again: await refusal(owner, log, size),
        smaller: await refusal(owner, log, size - 1n),
        nothing: await refusal(owner, ZeroHash, 0n),
    };
}

/** The contract's error, by name and with what it says. */
async function refusal(contract, log, size) {
    try {
        await contract.anchor.staticCall(log, size, ZeroHash);
        return 'accepted';
    } catch (error) {
        return [error.revert?.name ?? error.message, ...(error.revert?.args ?? [])].map(String);
    }
}

async function write({ by, provider, log, rest }) {
    const owner = await by(0);
    await provider.send('evm_setAutomine', [false]);
    const sent = [];
    for (let at = 0; at < rest.length; at += 2) {
        sent.push(await owner.anchor(log, BigInt(rest[at]), rest[at + 1], { gasLimit: 200_000 }));
    }
    await provider.send('evm_mine', []);
    await provider.send('evm_setAutomine', [true]);
    const receipts = await Promise.all(sent.map((transaction) => transaction.wait()));
    return { blocks: [...new Set(receipts.map((receipt) => receipt.blockNumber))] };
}
