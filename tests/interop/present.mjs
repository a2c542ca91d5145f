// A wallet by @openid4vc/openid4vp: answers a request with the credentials on standard input.
//
//   node present.mjs REQUEST < {"credentials": [{"format", "credential", "holder": private JWK}]}
//
// REQUEST is an `openid4vp://` URI. Prints the request as the library understood it and what the
// verifier answered; exit code 1 tells that it refused.

import { randomUUID } from 'node:crypto';
import { Openid4vpClient } from '@openid4vc/openid4vp';
import { decodeJwt } from 'jose';
import jsonld from 'jsonld';
import { callbacks } from './lib/callbacks.mjs';
import { issuerOf } from './lib/data-integrity.mjs';
import { presentDataIntegrity, presentJwt } from './lib/issue.mjs';
import { withoutRegistered } from './lib/jose-vc.mjs';
import { loaderFor } from './lib/loader.mjs';
import { describe, input, program, Refused } from './lib/program.mjs';
import { presentSdJwt } from './lib/sd-jwt.mjs';

const JARM = {
    authorization_signing_alg_values_supported: [],
    authorization_encryption_alg_values_supported: ['ECDH-ES'],
    authorization_encryption_enc_values_supported: ['A256GCM', 'A128GCM'],
};

await program(async () => {
    const [uri] = process.argv.slice(2);
    const { credentials } = JSON.parse(await input());
    const walletNonce = randomUUID();
    const client = new Openid4vpClient({ callbacks: { ...callbacks([]), fetch: fetchWith(walletNonce) } });
    const { request, dcql } = await resolve(client, uri, walletNonce);

    const vp_token = {};
    for (const query of dcql.query.credentials) {
        for (const credential of credentials) {
            if (vp_token[query.id] || !(await matches(query, credential))) continue;
            vp_token[query.id] = [await present(credential, query, request)];
        }
    }
    const encrypted = request.response_mode === 'direct_post.jwt';
    const response = await client.createOpenid4vpAuthorizationResponse({
        authorizationRequestPayload: request,
        authorizationResponsePayload: { vp_token },
        jarm: encrypted ? { encryption: { nonce: randomUUID() }, serverMetadata: JARM } : undefined,
    });
    const { response: answer } = await client.submitOpenid4vpAuthorizationResponse({
        authorizationRequestPayload: request,
        ...response,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Refused(`the verifier answers ${answer.status}`, text && JSON.parse(text));
    return { request, encrypted, answered: Object.keys(vp_token), body: text ? JSON.parse(text) : null };
});

async function resolve(client, uri, walletNonce) {
    const parsed = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: uri });
    const posted = parsed.params.request_uri_method === 'post';
    try {
        const { authorizationRequestPayload, dcql } = await client.resolveOpenId4vpAuthorizationRequest({
            authorizationRequestPayload: parsed.params,
            wallet: posted ? { expectedNonce: walletNonce, metadata: {} } : undefined,
        });
        return { request: authorizationRequestPayload, dcql };
    } catch (error) {
        throw new Refused(`the wallet refuses the request: ${describe(error)}`);
    }
}

/** The library posts the wallet's metadata without its nonce: that is added here. */
function fetchWith(walletNonce) {
    return async (url, options) => {
        const { method = 'get', headers } = options ?? {};
        const asks = method.toLowerCase() === 'post' && headers?.Accept?.includes('oauth-authz-req+jwt');
        if (!asks) return fetch(url, options);
        const body = new URLSearchParams(options.body);
        body.set('wallet_nonce', walletNonce);
        return fetch(url, { ...options, method: 'POST', body: body.toString() });
    };
}

async function matches({ format, meta = {} }, { format: own, credential }) {
    if (format !== own) return false;
    if (meta.vct_values) return meta.vct_values.includes(decodeJwt(credential.split('~')[0]).vct);
    if (!meta.type_values) return true;
    const document = typeof credential === 'string' ? withoutRegistered(decodeJwt(credential)) : credential;
    // Queries name types by their IRIs (OpenID4VP 1.0, appendix B.1.1).
    const documentLoader = loaderFor([issuerOf(document)]);
    const [{ '@type': types }] = await jsonld.expand(document, { documentLoader, safe: true });
    return meta.type_values.some((all) => all.every((type) => types.includes(type)));
}

async function present({ format, credential, holder }, query, { nonce, client_id: verifier }) {
    if (format === 'dc+sd-jwt') {
        return presentSdJwt(credential, frameOf(query.claims ?? []), { nonce, audience: verifier }, holder);
    }
    const build = format === 'ldp_vc' ? presentDataIntegrity : presentJwt;
    return build([credential], { challenge: nonce, domain: verifier }, holder);
}

/** Discloses the claims that are asked for and nothing else. */
function frameOf(claims) {
    const frame = {};
    for (const { path } of claims) {
        let at = frame;
        for (const name of path.slice(0, -1)) {
            if (typeof at[name] !== 'object') at[name] = {};
            at = at[name];
        }
        at[path.at(-1)] ??= true;
    }
    return frame;
}
