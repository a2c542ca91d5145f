// Resolves DIDs: node resolve.mjs DID…
// Prints one resolution result for each. did:ethr is in `ethr.mjs`, beside its chain.

import { resolver } from './lib/dids.mjs';
import { program } from './lib/program.mjs';

await program(() => Promise.all(process.argv.slice(2).map((did) => resolver().resolve(did))));
