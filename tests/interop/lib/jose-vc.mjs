// VCDM 2.0 secured by JWTs (W3C VC-JOSE-COSE), by jose.

import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { checkTerms, issuerOf } from './data-integrity.mjs';
import { keyFor } from './dids.mjs';
import { jwkOf } from './keys.mjs';
import { loaderFor } from './loader.mjs';
import { Refused } from './program.mjs';

const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256'];
// As @digitalbazaar/vc allows.
const SKEW = 300;

/** Proof, dates and terms; returns the credential. */
export async function checkCredentialJwt(jwt, report) {
    let credential;
    await report.check('proof', async () => {
        const { payload, kid } = await verifyJwt(jwt, 'vc+jwt', 'assertionMethod');
        credential = withoutRegistered(payload);
        const { iss = issuerOf(credential) } = payload;
        if (iss !== issuerOf(credential)) throw new Refused('iss and issuer differ');
        if (kid.split('#')[0] !== iss) throw new Refused('somebody else than the issuer signed');
        return `vc+jwt by ${kid}`;
    });
    await report.check('dates', () => checkDates(credential));
    await report.check('terms', () => checkTerms(credential, loaderFor([issuerOf(credential)])));
    return credential;
}

/** A presentation's own signature, for this nonce and audience; returns the presentation. */
export async function checkPresentationJwt(jwt, { nonce, audience }, report) {
    let presentation;
    await report.check('proof', async () => {
        const { payload, kid } = await verifyJwt(jwt, 'vp+jwt', 'authentication', { audience });
        if (payload.nonce !== nonce) throw new Refused('the nonce is another');
        const holder = kid.split('#')[0];
        if (payload.iss && payload.iss !== holder) throw new Refused('iss is another');
        if (payload.holder && payload.holder !== holder) throw new Refused('somebody else than the holder signed');
        presentation = { ...payload, holder };
        return `vp+jwt by ${kid}`;
    });
    return presentation;
}

/** Verifies a JWT by the key that its `kid` names, which has to be meant for `purpose`. */
export async function verifyJwt(jwt, typ, purpose, options = {}) {
    const { kid } = decodeProtectedHeader(jwt);
    if (!kid?.startsWith('did:') || !kid.includes('#')) throw new Refused('the kid is no DID URL');
    const key = await importJWK(jwkOf(await keyFor(kid, purpose)), decodeProtectedHeader(jwt).alg);
    const expected = { typ, algorithms: ALGORITHMS, clockTolerance: SKEW, ...options };
    const { payload } = await jwtVerify(jwt, key, expected);
    return { payload, kid };
}

/** The claims of JWTs (RFC 7519) are not the credential's. */
export function withoutRegistered({ iss, sub, aud, exp, nbf, iat, jti, ...credential }) {
    return credential;
}

function checkDates({ validFrom, validUntil }) {
    const now = Date.now();
    if (validFrom && Date.parse(validFrom) > now + SKEW * 1000) throw new Refused(`not valid before ${validFrom}`);
    if (validUntil && Date.parse(validUntil) < now - SKEW * 1000) throw new Refused(`expired at ${validUntil}`);
    return validUntil ? `until ${validUntil}` : 'no end';
}
