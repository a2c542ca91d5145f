// An empty Ethereum chain of one's own:
//
//   node anvil.mjs        prints {rpc, chain, keys: [the private keys of ten rich accounts]}
//
// The chain runs until standard input ends.

import { HDNodeWallet } from 'ethers';
import { CHAIN, PHRASE, startAnvil } from './lib/anvil.mjs';
import { program } from './lib/program.mjs';

await program(async () => {
    const { anvil, rpc } = await startAnvil();
    process.stdin.on('end', () => anvil.kill()).resume();
    const key = (index) => HDNodeWallet.fromPhrase(PHRASE, undefined, `m/44'/60'/0'/0/${index}`).privateKey;
    return { rpc, chain: CHAIN, keys: Array.from({ length: 10 }, (_, index) => key(index)) };
});
