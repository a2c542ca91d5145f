// Resolution of DIDs by the libraries that other people use.

import { createPublicKey, verify } from 'node:crypto';
import { DidJwkDriver } from '@digitalbazaar/did-method-jwk';
import { Resolver } from 'did-resolver';
import { resolveDID } from 'didwebvh-ts';
import { getResolver as keyResolver } from 'key-did-resolver';
import { getResolver as webResolver } from 'web-did-resolver';
import { Refused } from './program.mjs';

/** A resolver for did:key, did:jwk, did:web and did:webvh, and for what `more` resolves. */
export function resolver(more = {}) {
    return new Resolver({
        ...keyResolver(),
        ...webResolver(),
        jwk: resolveJwk,
        webvh: resolveWebvh,
        ...more,
    });
}

/** The document of `did`; whatever prevents it is a refusal. */
export async function documentOf(did, using = resolver()) {
    const answer = await using.resolve(did);
    const { error, message } = answer.didResolutionMetadata;
    if (error) throw new Refused(`${did} does not resolve: ${error} ${message ?? ''}`.trim());
    if (answer.didDocumentMetadata.deactivated) throw new Refused(`${did} is deactivated`);
    return answer.didDocument;
}

/** The key at a DID URL, which its document must list under `purpose`. */
export async function keyFor(url, purpose, using = resolver()) {
    const document = await documentOf(url.split('#')[0], using);
    const listed = (document[purpose] ?? []).find((entry) => absolute(entry.id ?? entry, document) === url);
    if (!listed) throw new Refused(`${url} is not listed for ${purpose}`);
    return typeof listed === 'object' ? listed : methodAt(document, url);
}

/** The verification method at a DID URL, whatever it is for. */
export function methodAt(document, url) {
    const method = (document.verificationMethod ?? []).find(({ id }) => absolute(id, document) === url);
    if (!method) throw new Refused(`${document.id} has no key ${url}`);
    return { ...method, id: url };
}

function absolute(id, document) {
    return id.startsWith('#') ? `${document.id}${id}` : id;
}

async function resolveJwk(did) {
    try {
        const didDocument = await new DidJwkDriver().get({ did });
        return { didDocument, didDocumentMetadata: {}, didResolutionMetadata: {} };
    } catch (error) {
        return failure('invalidDid', error.message);
    }
}

async function resolveWebvh(did) {
    const { doc, meta } = await resolveDID(did, { verifier: ed25519Verifier });
    if (meta.error) return failure(meta.error, meta.problemDetails?.detail);
    return { didDocument: doc, didDocumentMetadata: meta, didResolutionMetadata: {} };
}

/** didwebvh-ts leaves the cryptography to its caller. */
export const ed25519Verifier = {
    async verify(signature, message, publicKey) {
        const x = Buffer.from(publicKey).toString('base64url');
        const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
        return verify(null, message, key, signature);
    },
};

function failure(error, message) {
    return { didDocument: null, didDocumentMetadata: {}, didResolutionMetadata: { error, message } };
}
