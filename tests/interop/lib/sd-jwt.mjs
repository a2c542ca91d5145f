// SD-JWT VC with key binding, by @sd-jwt.

import { digest, ES256, generateSalt, getSigner, getVerifier } from '@sd-jwt/crypto-nodejs';
import { SDJwtInstance } from '@sd-jwt/core';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { keyFor } from './dids.mjs';
import { fetchText } from './fetch.mjs';
import { jwkOf, publicPart } from './keys.mjs';
import { originOf } from './loader.mjs';
import { Refused } from './program.mjs';

// As for the other formats, in seconds.
const SKEW = 300;

/** Signature, dates, digests and, where a `nonce` is given, the key binding; returns the claims. */
export async function checkSdJwt(text, { nonce, audience }, report) {
    const issued = text.split('~')[0];
    const { kid, typ, alg } = decodeProtectedHeader(issued);
    let claims;
    await report.check('proof', async () => {
        if (typ !== 'dc+sd-jwt') throw new Refused(`the type is ${typ}`);
        if (!kid?.startsWith('did:') || !kid.includes('#')) throw new Refused('the kid is no DID URL');
        if (decodeJwt(issued).iss !== kid.split('#')[0]) throw new Refused('somebody else than the issuer signed');
        const verifier = await verifierOf(jwkOf(await keyFor(kid, 'assertionMethod')), alg);
        // Its base class: the status comes last, in `status.mjs`, which wants the issuer's own list.
        const instance = new SDJwtInstance({ hasher: digest, verifier, kbVerifier });
        const verified = await instance.verify(text, { skewSeconds: SKEW, keyBindingNonce: nonce });
        if (nonce && verified.kb.payload.aud !== audience) throw new Refused('the audience is another');
        claims = verified.payload;
        return `dc+sd-jwt by ${kid}${nonce ? ', bound to its holder' : ''}`;
    });
    await checkType(text, claims, report);
    return claims;
}

/** An SD-JWT VC with the claims of `frame` hidden, by a private JWK at the DID URL `kid`. */
export async function issueSdJwt(claims, frame, jwk, kid) {
    const signer = await signerOf(jwk);
    const settings = { hasher: digest, saltGenerator: generateSalt, signer, signAlg: jwk.alg };
    return new SDJwtVcInstance(settings).issue(claims, frame, { header: { kid } });
}

/** `text` with the claims of `frame` disclosed, bound to a question by its holder's private JWK. */
export async function presentSdJwt(text, frame, { nonce, audience }, jwk) {
    const settings = { hasher: digest, kbSigner: await signerOf(jwk), kbSignAlg: jwk.alg };
    const payload = { nonce, aud: audience, iat: Math.floor(Date.now() / 1000) };
    return new SDJwtVcInstance(settings).present(text, frame, { kb: { payload } });
}

/** The type's metadata, where the issuer serves it. */
async function checkType(text, { iss, vct }, report) {
    const origin = originOf(iss);
    if (!origin || !vct.startsWith(`${origin}/`)) return;
    await report.check('type', async () => {
        const vctFetcher = async (url) => JSON.parse(await fetchText(url, ['application/json']));
        const { mergedTypeMetadata } = await new SDJwtVcInstance({ hasher: digest, vctFetcher }).getVct(text);
        if (mergedTypeMetadata.vct !== vct) throw new Refused('the metadata is of another type');
        return vct;
    });
}

async function kbVerifier(data, signature, { cnf }) {
    if (!cnf?.jwk) throw new Refused('the credential names no holder');
    const { alg } = JSON.parse(Buffer.from(data.split('.')[0], 'base64url'));
    return (await verifierOf(cnf.jwk, alg))(data, signature);
}

function algorithm(jwk, alg) {
    const matches = { ES256: 'P-256', EdDSA: 'Ed25519', Ed25519: 'Ed25519' }[alg] === jwk.crv;
    if (!matches) throw new Refused(`${alg} is not for ${jwk.crv}`);
    return alg === 'ES256' ? [ES256._keyAlgorithm, ES256._hashAlgorithm] : ['Ed25519', 'Ed25519'];
}

const bare = ({ kty, crv, x, y, d }) => ({ kty, crv, x, y, d });
const verifierOf = (jwk, alg) => getVerifier(publicPart(bare(jwk)), ...algorithm(jwk, alg));
const signerOf = (jwk) => getSigner(bare(jwk), ...algorithm(jwk, jwk.alg));
