// Resolves DIDs: node resolve.mjs [--rpc URL --registry ADDRESS --chain ID] DID…
// Prints one resolution result for each.

import { parseArgs } from 'node:util';
import { resolver } from './lib/dids.mjs';
import { program } from './lib/program.mjs';

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rpc: { type: 'string' }, registry: { type: 'string' }, chain: { type: 'string' } },
});

await program(async () => {
    const { rpc: rpcUrl, registry, chain } = values;
    // Half of the time to start would go into this one.
    const { getResolver } = rpcUrl ? await import('ethr-did-resolver') : {};
    const using = resolver(getResolver?.({ networks: [{ rpcUrl, registry, chainId: Number(chain) }] }));
    return Promise.all(positionals.map((did) => using.resolve(did)));
});
