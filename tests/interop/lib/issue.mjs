// Credentials and presentations as other people's libraries make them.

import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import { cryptosuite as rdfc } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import { importJWK, SignJWT } from 'jose';
import { issuerOf } from './data-integrity.mjs';
import { didKey } from './keys.mjs';
import { loaderFor } from './loader.mjs';

const V2 = 'https://www.w3.org/ns/credentials/v2';
const SUITES = { 'eddsa-rdfc-2022': () => rdfc, 'eddsa-jcs-2022': () => jcs.createSignCryptosuite() };

/** `credential` with a Data Integrity proof by a private JWK; its issuer becomes the key's did:key. */
export async function issueDataIntegrity(credential, cryptosuite, jwk) {
    const issued = { ...structuredClone(credential), issuer: didKey(jwk).did };
    const suite = await prover(cryptosuite, jwk);
    return vc.issue({ credential: issued, suite, documentLoader: loaderFor([]) });
}

/** `credential` as `vc+jwt`; its issuer becomes the key's did:key. */
export async function issueJwt(credential, jwk) {
    return sign({ ...credential, issuer: didKey(jwk).did }, 'vc+jwt', jwk);
}

/** Credentials with Data Integrity proofs in a presentation that answers `challenge` of `domain`. */
export async function presentDataIntegrity(credentials, { challenge, domain }, jwk) {
    const { did } = didKey(jwk);
    const presentation = vc.createPresentation({ verifiableCredential: credentials, holder: did });
    const documentLoader = loaderFor(credentials.map(issuerOf));
    const suite = await prover('eddsa-jcs-2022', jwk);
    return vc.signPresentation({ presentation, suite, challenge, domain, documentLoader });
}

/** `vc+jwt` credentials in a `vp+jwt` that answers `challenge` (its nonce) of `domain` (its audience). */
export async function presentJwt(credentials, { challenge, domain }, jwk) {
    const { did } = didKey(jwk);
    const envelope = (jwt) => ({
        '@context': V2,
        id: `data:application/vc+jwt,${jwt}`,
        type: 'EnvelopedVerifiableCredential',
    });
    const presentation = {
        '@context': [V2],
        type: ['VerifiablePresentation'],
        holder: did,
        verifiableCredential: credentials.map(envelope),
    };
    const now = Math.floor(Date.now() / 1000);
    const question = { nonce: challenge, aud: domain, iat: now, exp: now + 300 };
    return sign({ ...presentation, ...question }, 'vp+jwt', jwk);
}

async function sign(payload, typ, jwk) {
    const header = { alg: jwk.alg, typ, cty: typ.split('+')[0], kid: didKey(jwk).url };
    return new SignJWT(payload).setProtectedHeader(header).sign(await importJWK(jwk));
}

async function prover(cryptosuite, jwk) {
    const { did, url } = didKey(jwk);
    const key = await Ed25519Multikey.fromJwk({ jwk, secretKey: true, id: url, controller: did });
    return new DataIntegrityProof({ signer: key.signer(), cryptosuite: SUITES[cryptosuite]() });
}
