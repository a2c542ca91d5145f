// Single steps by jose and @openid4vc/oauth2: node jose.mjs OPERATION < arguments.json
//
//   encrypt  {jwk, enc, text, apu?, apv?}         → {jwe}
//   decrypt  {jwk, jwe}                            → {text}
//   prove    {method, url, accessToken, alg}       → {dpop, thumbprint}
//   check    {dpop, method, url, accessToken}      → {thumbprint}

import { createHash } from 'node:crypto';
import { resourceRequest } from '@openid4vc/oauth2';
import { calculateJwkThumbprint, compactDecrypt, EmbeddedJWK, importJWK, jwtVerify } from 'jose';
import { callbacks, jwkSigner } from './lib/callbacks.mjs';
import { newKey, publicPart } from './lib/keys.mjs';
import { describe, input, program, Refused } from './lib/program.mjs';

const operations = { encrypt, decrypt, prove, check };

await program(async () => operations[process.argv[2]](JSON.parse(await input())));

async function encrypt({ jwk, enc, text, apu, apv }) {
    const { jwe } = await callbacks([]).encryptJwe({ publicJwk: jwk, alg: 'ECDH-ES', enc, apu, apv }, text);
    return { jwe };
}

async function decrypt({ jwk, jwe }) {
    try {
        const { plaintext } = await compactDecrypt(jwe, await importJWK(jwk, 'ECDH-ES'));
        return { text: Buffer.from(plaintext).toString('utf8') };
    } catch (error) {
        throw new Refused(describe(error));
    }
}

/** The proof that the library sends along with a request. */
async function prove({ method, url, accessToken, alg }) {
    const key = await newKey(alg);
    let dpop;
    const fetch = async (_, { headers }) => {
        dpop = new Headers(headers).get('dpop');
        return new Response();
    };
    await resourceRequest({
        url,
        accessToken,
        requestOptions: { method },
        callbacks: { ...callbacks([key]), fetch },
        dpop: { signer: jwkSigner(key) },
    });
    return { dpop, thumbprint: await calculateJwkThumbprint(publicPart(key)) };
}

async function check({ dpop, method, url, accessToken }) {
    try {
        const expected = { typ: 'dpop+jwt', algorithms: ['EdDSA', 'ES256'], maxTokenAge: 300 };
        const { payload, protectedHeader } = await jwtVerify(dpop, EmbeddedJWK, expected);
        const ath = createHash('sha256').update(accessToken).digest('base64url');
        if (payload.htm !== method || payload.htu !== url) throw new Refused('made for another request');
        if (payload.ath !== ath) throw new Refused('made for another token');
        return { thumbprint: await calculateJwkThumbprint(protectedHeader.jwk) };
    } catch (error) {
        throw error instanceof Refused ? error : new Refused(describe(error));
    }
}
