// A machine client: calls the service over HTTPS and prints {status, type, body}.
//
//   node call.mjs METHOD URL [--accept TYPE] [--type TYPE] < body
//                 [--issuer URL --client ID --secret S --scope S]
//
// With `--client` it first gets a token by @openid4vc/oauth2 (client_credentials, at the
// authorization server whose identifier is `--issuer`). `--type` defaults to JSON where there is a
// body. The exit code is 0 whatever the service answers.

import { parseArgs } from 'node:util';
import { clientAuthenticationClientSecretPost, Oauth2Client } from '@openid4vc/oauth2';
import { callbacks } from './lib/callbacks.mjs';
import { input, program } from './lib/program.mjs';

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries(
        ['accept', 'type', 'issuer', 'client', 'secret', 'scope'].map((name) => [name, { type: 'string' }]),
    ),
});

await program(async () => {
    const [method, url] = positionals;
    const body = (await input()) || undefined;
    const headers = {
        ...(values.accept && { accept: values.accept }),
        ...(body && { 'content-type': values.type ?? 'application/json' }),
        ...(values.client && { authorization: `Bearer ${await token()}` }),
    };
    const response = await fetch(url, { method, headers, body, redirect: 'manual' });
    const text = await response.text();
    const type = response.headers.get('content-type');
    return { status: response.status, type, body: /^[{[]/.test(text) ? JSON.parse(text) : text };
});

async function token() {
    const { issuer, client: clientId, secret: clientSecret, scope } = values;
    // Its client_secret_basic is written in base64url, which RFC 7617 does not know.
    const clientAuthentication = clientAuthenticationClientSecretPost({ clientId, clientSecret });
    const client = new Oauth2Client({ callbacks: { ...callbacks([]), clientAuthentication } });
    const authorizationServerMetadata = await client.fetchAuthorizationServerMetadata(issuer);
    const { accessTokenResponse } = await client.retrieveClientCredentialsAccessToken({
        authorizationServerMetadata,
        scope,
    });
    return accessTokenResponse.access_token;
}
