// A did:webvh log by didwebvh-ts, for Blindprint's resolver:
//
//   node webvh.mjs ADDRESS STEP…        (ADDRESS: https://host:port/path)
//
// The log begins with pre-rotation. Each STEP is `rotate`, `service`, `settle` (no pre-rotation
// from then on) or `deactivate` (after `settle`). Prints the DID, the log as JSON lines and the
// document as didwebvh-ts resolves it from them. The other way round,
//
//   node webvh.mjs --check < did.jsonl
//
// resolves a log by somebody else.

import { createPrivateKey, sign } from 'node:crypto';
import { parseArgs } from 'node:util';
import {
    createDID,
    deactivateDID,
    deriveNextKeyHash,
    multibaseEncode,
    MultibaseEncoding,
    prepareDataForSigning,
    resolveDIDFromLog,
    updateDID,
} from 'didwebvh-ts';
import { ed25519Verifier as verifier } from './lib/dids.mjs';
import { multibase, newKey } from './lib/keys.mjs';
import { input, program, Refused } from './lib/program.mjs';

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { check: { type: 'boolean' } },
});

await program(async () => {
    if (values.check) return check(await input());
    const [address, ...steps] = positionals;
    return write(address, steps);
});

async function check(text) {
    const log = text.trim().split('\n').map((line) => JSON.parse(line));
    try {
        return await resolved(log);
    } catch (error) {
        throw new Refused(error.message);
    }
}

async function resolved(log) {
    const { did, doc, meta } = await resolveDIDFromLog(log, { verifier });
    if (meta.error) throw new Refused(`${meta.error}: ${meta.problemDetails?.detail}`);
    return { did, document: doc, metadata: meta };
}

async function write(address, steps) {
    let [key, next] = [await newKey('EdDSA'), await newKey('EdDSA')];
    // Entries are ten seconds apart and none of them lies in the future.
    let at = Date.now() - 10_000 * (steps.length + 1);
    const clock = () => new Date((at += 10_000)).toISOString().replace(/\.\d+Z$/, 'Z');
    const created = await createDID({
        address,
        signer: signer(key),
        verifier,
        updateKeys: [multibase(key)],
        nextKeyHashes: [await hash(next)],
        verificationMethods: [{ type: 'Multikey', publicKeyMultibase: multibase(await newKey('EdDSA')) }],
        created: clock(),
    });
    let { log } = created;
    let settled = false;
    for (const step of steps) {
        if (step === 'deactivate') {
            ({ log } = await deactivateDID({ log, signer: signer(key), verifier }));
            continue;
        }
        const change = step === 'service' ? { services: [service(created.did)] } : {};
        if (!settled) {
            [key, next] = [next, await newKey('EdDSA')];
            change.updateKeys = [multibase(key)];
            settled = step === 'settle';
            change.nextKeyHashes = settled ? [] : [await hash(next)];
        }
        ({ log } = await updateDID({ log, signer: signer(key), verifier, updated: clock(), ...change }));
    }
    const lines = log.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    return { ...(await resolved(log)), did: created.did, log: lines };
}

function hash(key) {
    return deriveNextKeyHash(multibase(key));
}

function service(did) {
    return { id: `${did}#shop`, type: 'LinkedDomains', serviceEndpoint: 'https://shop.example' };
}

/** didwebvh-ts leaves the cryptography to its caller. */
function signer(jwk) {
    const encoded = multibase(jwk);
    const key = createPrivateKey({ format: 'jwk', key: jwk });
    return {
        getVerificationMethodId: () => `did:key:${encoded}#${encoded}`,
        async sign({ document, proof }) {
            const signature = sign(null, await prepareDataForSigning(document, proof), key);
            return { proofValue: multibaseEncode(signature, MultibaseEncoding.BASE58_BTC) };
        },
    };
}
