// Keys as JWK and as did:key, by `jose` and `multiformats`.

import { ECDH } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { base58btc } from 'multiformats/bases/base58';

// Multicodec prefixes of public keys, as unsigned varints.
const ED25519 = [0xed, 0x01];
const P256 = [0x80, 0x24];

/** A new private JWK for `alg` (`EdDSA` or `ES256`) with its `alg`. */
export async function newKey(alg) {
    const curve = alg === 'EdDSA' ? { crv: 'Ed25519' } : {};
    const { privateKey } = await generateKeyPair(alg, { ...curve, extractable: true });
    return { ...(await exportJWK(privateKey)), alg };
}

/** Without its secret. */
export function publicPart({ d: _, ...jwk }) {
    return jwk;
}

/** The public key as a multibase Multikey. */
export function multibase(jwk) {
    const x = Buffer.from(jwk.x, 'base64url');
    if (jwk.crv === 'Ed25519') return base58btc.encode(Uint8Array.from([...ED25519, ...x]));
    if (jwk.crv !== 'P-256') throw new Error(`no Multikey for ${jwk.crv}`);
    const odd = Buffer.from(jwk.y, 'base64url').at(-1) & 1;
    return base58btc.encode(Uint8Array.from([...P256, 2 + odd, ...x]));
}

/** The did:key of a JWK and the DID URL of its only key. */
export function didKey(jwk) {
    const encoded = multibase(jwk);
    return { did: `did:key:${encoded}`, url: `did:key:${encoded}#${encoded}` };
}

/** The JWK of a verification method in any of the forms that DID documents use. */
export function jwkOf(method) {
    if (method.publicKeyJwk) return publicPart(method.publicKeyJwk);
    if (method.publicKeyBase58) {
        return okp(base58btc.decode(`z${method.publicKeyBase58}`));
    }
    const bytes = base58btc.decode(method.publicKeyMultibase);
    const [prefix, key] = [bytes.slice(0, 2), bytes.slice(2)];
    if (prefix[0] === ED25519[0] && prefix[1] === ED25519[1]) return okp(key);
    if (prefix[0] !== P256[0] || prefix[1] !== P256[1]) throw new Error('unknown kind of Multikey');
    const point = ECDH.convertKey(key, 'prime256v1', undefined, undefined, 'uncompressed');
    const coordinate = (from) => point.subarray(from, from + 32).toString('base64url');
    return { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) };
}

function okp(bytes) {
    return { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(bytes).toString('base64url') };
}
