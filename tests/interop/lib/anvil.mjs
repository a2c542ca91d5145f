// An Ethereum chain of one's own: anvil, from the package for this platform or as installed.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

export const CHAIN = 31_337;
// The well-known phrase of development chains.
export const PHRASE = 'test test test test test test test test test test test junk';

/** Anvil on a free port of this machine. */
export async function startAnvil() {
    const anvil = spawn(binary(), ['--port', '0', '--chain-id', String(CHAIN), '--mnemonic', PHRASE]);
    anvil.on('error', (error) => console.error(`anvil does not start: ${error.message}`));
    for await (const line of createInterface({ input: anvil.stdout })) {
        const address = line.match(/^Listening on (.+)$/)?.[1];
        if (address) return { anvil: drained(anvil), rpc: `http://${address}` };
    }
    throw new Error('anvil ended before it listened');
}

/** Lets it write its log to nobody instead of waiting for a reader. */
function drained(anvil) {
    anvil.stdout.resume();
    anvil.stderr.resume();
    return anvil;
}

/** The one of the package for this platform, or the one that is installed. */
function binary() {
    try {
        return createRequire(import.meta.url).resolve('@foundry-rs/anvil-linux-amd64/bin/anvil');
    } catch {
        return 'anvil';
    }
}
