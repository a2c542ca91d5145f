// VCDM 2.0 with Data Integrity proofs, by @digitalbazaar/vc.

import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import { cryptosuite as rdfc } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import jsonld from 'jsonld';
import { loaderFor } from './loader.mjs';
import { describe, Refused } from './program.mjs';

/** The cryptosuites that are accepted. */
export const suite = [
    new DataIntegrityProof({ cryptosuite: rdfc }),
    new DataIntegrityProof({ cryptosuite: jcs.createVerifyCryptosuite() }),
];

// The status comes last, in `status.mjs`, so that a refusal names the first thing that is wrong.
const checkStatus = async () => ({ verified: true });

/** Proof, dates and terms of a credential. */
export async function checkCredential(credential, report) {
    const documentLoader = loaderFor([issuerOf(credential)]);
    await report.check('terms', () => checkTerms(credential, documentLoader));
    await report.check('proof', async () => {
        const proof = onlyProof(credential);
        accept(await vc.verifyCredential({ credential, suite, documentLoader, checkStatus }));
        return `${proof.cryptosuite} by ${proof.verificationMethod}`;
    });
}

/** The proof of a presentation and those of its credentials. */
export async function checkPresentation(presentation, { challenge, domain }, report) {
    const credentials = credentialsIn(presentation);
    const documentLoader = loaderFor(credentials.map(issuerOf));
    await report.check('terms', () => checkTerms(presentation, documentLoader));
    await report.check('proof', async () => {
        for (const credential of credentials) onlyProof(credential);
        const proof = onlyProof(presentation);
        const holder = proof.verificationMethod.split('#')[0];
        if (presentation.holder && presentation.holder !== holder) {
            throw new Refused('somebody else than the holder made the proof');
        }
        for (const { credentialSubject } of credentials) {
            if (credentialSubject.id !== holder) throw new Refused('the credential is of another holder');
        }
        const expected = { challenge, domain };
        accept(await vc.verify({ presentation, suite, documentLoader, checkStatus, ...expected }));
        return `${proof.cryptosuite} by ${proof.verificationMethod}`;
    });
}

/** The id of a credential's issuer. */
export function issuerOf({ issuer }) {
    return issuer?.id ?? issuer;
}

/** The credentials of a presentation. */
export function credentialsIn({ verifiableCredential }) {
    return [verifiableCredential ?? []].flat();
}

/** Whether the contexts define each term that is used. */
export async function checkTerms(document, documentLoader) {
    await jsonld.expand(document, { documentLoader, safe: true });
    return 'the contexts define all of them';
}

function onlyProof({ proof }) {
    if (!proof || Array.isArray(proof)) throw new Refused('there is not exactly one proof');
    return proof;
}

function accept(result) {
    if (result.verified) return;
    const failed = [result, ...(result.results ?? []), ...(result.credentialResults ?? [])];
    throw new Refused(failed.map(({ error }) => error && describe(error)).find(Boolean) ?? 'not verified');
}
