// Status lists by @digitalbazaar/vc-bitstring-status-list and @sd-jwt/jwt-status-list:
//
//   node lists.mjs write < {"entries", "set": [indices]}                → {"bitstring", "token": {bits: lst}}
//   node lists.mjs read < {"bitstring", "bits", "token", "at": [indices]} → {"bitstring": [bool], "token": [n]}
//
// In token lists the entry at index i that is set has the status 1 + i modulo what the bits hold.

import { createList, decodeList } from '@digitalbazaar/vc-bitstring-status-list';
import { StatusList } from '@sd-jwt/jwt-status-list';
import { input, program } from './lib/program.mjs';

const operations = { write, read };

await program(async () => operations[process.argv[2]](JSON.parse(await input())));

async function write({ entries, set }) {
    const bitstring = await createList({ length: entries });
    for (const index of set) bitstring.setStatus(index, true);
    const token = {};
    for (const bits of [1, 2, 4, 8]) {
        const list = new StatusList(new Array(entries).fill(0), bits);
        for (const index of set) list.setStatus(index, 1 + (index % (2 ** bits - 1)));
        token[bits] = list.compressStatusList();
    }
    return { bitstring: await bitstring.encode(), token };
}

async function read({ bitstring, bits, token, at }) {
    const decoded = await decodeList({ encodedList: bitstring });
    const list = StatusList.decompressStatusList(token, bits);
    return { bitstring: at.map((i) => decoded.getStatus(i)), token: at.map((i) => list.getStatus(i)) };
}
