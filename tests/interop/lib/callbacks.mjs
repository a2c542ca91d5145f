// The cryptography that @openid4vc leaves to its caller, by jose.

import { createHash, randomBytes } from 'node:crypto';
import { clientAuthenticationAnonymous, clientAuthenticationNone } from '@openid4vc/oauth2';
import { calculateJwkThumbprint, compactDecrypt, CompactEncrypt, importJWK, jwtVerify, SignJWT } from 'jose';
import { keyFor } from './dids.mjs';
import { jwkOf, publicPart } from './keys.mjs';

/** Callbacks that sign and decrypt with these private JWKs, for a wallet called `clientId` if at all. */
export function callbacks(keys, clientId) {
    return {
        fetch,
        hash: (data, algorithm) => createHash(algorithm.replace('-', '')).update(data).digest(),
        generateRandom: (length) => randomBytes(length),
        clientAuthentication: clientId ? clientAuthenticationNone({ clientId }) : clientAuthenticationAnonymous(),
        signJwt: (signer, jwt) => signJwt(keys, signer, jwt),
        verifyJwt,
        encryptJwe,
        decryptJwe: (jwe, { jwk } = {}) => decryptJwe(jwe, jwk ?? keys[0]),
    };
}

/** How @openid4vc names a key that is given as a JWK. */
export function jwkSigner(jwk) {
    const { alg, ...rest } = publicPart(jwk);
    return { method: 'jwk', alg, publicJwk: rest };
}

async function signJwt(keys, signer, { header, payload }) {
    const wanted = signer.publicJwk ? await calculateJwkThumbprint(signer.publicJwk) : undefined;
    for (const key of keys) {
        if (wanted && (await calculateJwkThumbprint(publicPart(key))) !== wanted) continue;
        const jwt = await new SignJWT(payload).setProtectedHeader(header).sign(await importJWK(key));
        return { jwt, signerJwk: publicPart(key) };
    }
    throw new Error('no key for the signer');
}

/** A request object's signature, by a key of its DID that is meant for authentication. */
async function verifyJwt(signer, { compact }) {
    const jwk = signer.method === 'did' ? jwkOf(await keyFor(signer.didUrl, 'authentication')) : signer.publicJwk;
    const key = await importJWK(jwk, signer.alg);
    try {
        await jwtVerify(compact, key, { algorithms: [signer.alg] });
        return { verified: true, signerJwk: jwk };
    } catch {
        return { verified: false };
    }
}

async function encryptJwe({ publicJwk, alg, enc, apu, apv }, text) {
    const header = { alg, enc, kid: publicJwk.kid };
    const bytes = (text) => (text ? Buffer.from(text, 'base64url') : undefined);
    const agreement = { apu: bytes(apu), apv: bytes(apv) };
    const jwe = await new CompactEncrypt(Buffer.from(text))
        .setProtectedHeader(header)
        .setKeyManagementParameters(agreement)
        .encrypt(await importJWK(publicJwk, alg));
    return { jwe, encryptionJwk: publicJwk };
}

async function decryptJwe(jwe, jwk) {
    try {
        const { plaintext } = await compactDecrypt(jwe, await importJWK(jwk, 'ECDH-ES'));
        return { decrypted: true, decryptionJwk: publicPart(jwk), payload: Buffer.from(plaintext).toString('utf8') };
    } catch {
        return { decrypted: false };
    }
}
