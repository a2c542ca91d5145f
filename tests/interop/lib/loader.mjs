// What JSON-LD libraries may load: the W3C's contexts from packages, DIDs by resolution, and from
// an issuer's own origin its context and its status lists. Nothing else.

import { contexts as credentials } from '@digitalbazaar/credentials-context';
import { contexts as dataIntegrity } from '@digitalbazaar/data-integrity-context';
import { documentOf, methodAt } from './dids.mjs';
import { fetchText } from './fetch.mjs';
import { jwkOf, multibase } from './keys.mjs';
import { Refused } from './program.mjs';

const DID = 'https://www.w3.org/ns/did/v1';
const MULTIKEY = 'https://w3id.org/security/multikey/v1';
const CREDENTIAL = ['application/vc', 'application/ld+json', 'application/json'];
const CONTEXT = ['application/ld+json', 'application/json'];

/** A loader for what credentials of `issuers` may name; each document is loaded once. */
export function loaderFor(issuers) {
    const origins = issuers.map(originOf).filter(Boolean);
    const loaded = new Map();
    return async (url) => {
        if (!loaded.has(url)) loaded.set(url, load(url, origins));
        const document = structuredClone(await loaded.get(url));
        return { contextUrl: null, documentUrl: url, document };
    };
}

/** The origin at which a did:web or did:webvh stands; other issuers have none. */
export function originOf(did) {
    const [, method, ...rest] = did.split(':');
    const host = method === 'web' ? rest[0] : method === 'webvh' ? rest[1] : undefined;
    return host && `https://${decodeURIComponent(host)}`;
}

async function load(url, origins) {
    const bundled = credentials.get(url) ?? dataIntegrity.get(url);
    if (bundled) return bundled;
    if (url.startsWith('did:')) return loadDid(url);
    const origin = origins.find((origin) => url.startsWith(`${origin}/`));
    if (!origin) throw new Refused(`${url} is neither known nor the issuer's`);
    const types = url.startsWith(`${origin}/contexts/`) ? CONTEXT : CREDENTIAL;
    return JSON.parse(await fetchText(url, types));
}

/** Documents without a context are plain JSON; they mean the same with it. */
async function loadDid(url) {
    const document = await documentOf(url.split('#')[0]);
    if (!url.includes('#')) return { '@context': DID, ...document };
    // The cryptosuites take a Multikey alone, whatever form the document gives the key.
    const method = methodAt(document, url);
    const publicKeyMultibase = multibase(jwkOf(method));
    const { id, controller } = method;
    return { '@context': MULTIKEY, id, type: 'Multikey', controller, publicKeyMultibase };
}
