// A wallet by @openid4vc/openid4vci: redeems an offer and prints the credentials with the private
// keys of their holders.
//
//   node receive.mjs OFFER [--tx-code C] [--configuration ID] [--copies N] [--alg EdDSA|ES256]
//                          [--dpop] [--encrypt] [--single-proof] [--client ID] [--notify EVENT]
//
// `--single-proof` sends the `proof` of older drafts. Exit code 1 tells what the issuer refused, in
// its own words under `detail`.

import { parseArgs } from 'node:util';
import { Openid4vciClient } from '@openid4vc/openid4vci';
import { compactDecrypt, generateKeyPair, exportJWK } from 'jose';
import { callbacks, jwkSigner } from './lib/callbacks.mjs';
import { newKey } from './lib/keys.mjs';
import { describe, program, Refused } from './lib/program.mjs';

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        'tx-code': { type: 'string' },
        configuration: { type: 'string' },
        copies: { type: 'string', default: '1' },
        alg: { type: 'string', default: 'EdDSA' },
        dpop: { type: 'boolean' },
        encrypt: { type: 'boolean' },
        'single-proof': { type: 'boolean' },
        client: { type: 'string' },
        notify: { type: 'string' },
    },
});

await program(async () => {
    try {
        return await receive(positionals[0]);
    } catch (error) {
        const answer = error.errorResponse ?? error.response?.credentialErrorResponseResult?.data;
        if (answer) throw new Refused(describe(error), answer);
        throw error;
    }
});

async function receive(offer) {
    const holders = await Promise.all(Array.from({ length: Number(values.copies) }, () => newKey(values.alg)));
    const dpopKey = await newKey('ES256');
    const encryption = values.encrypt ? await responseEncryption() : undefined;
    const client = new Openid4vciClient({
        callbacks: { ...callbacks([...holders, dpopKey], values.client), ...encryption?.callbacks },
    });

    const credentialOffer = await client.resolveCredentialOffer(offer);
    const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
    const token = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
        credentialOffer,
        issuerMetadata,
        txCode: values['tx-code'],
        dpop: values.dpop ? { signer: jwkSigner(dpopKey) } : undefined,
    });
    const accessToken = token.accessTokenResponse.access_token;

    const credentialConfigurationId = values.configuration ?? credentialOffer.credential_configuration_ids[0];
    const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
    const proofs = [];
    for (const holder of holders) {
        const { jwt } = await client.createCredentialRequestJwtProof({
            issuerMetadata,
            credentialConfigurationId,
            signer: jwkSigner(holder),
            clientId: values.client,
            issuedAt: new Date(),
            nonce,
        });
        proofs.push(jwt);
    }
    const answer = await client.retrieveCredentials({
        issuerMetadata,
        credentialConfigurationId,
        accessToken,
        dpop: token.dpop,
        additionalRequestPayload: encryption?.request,
        ...(values['single-proof'] ? { proof: { proof_type: 'jwt', jwt: proofs[0] } } : { proofs: { jwt: proofs } }),
    });

    const { credentials, notification_id: notificationId } = answer.credentialResponse;
    if (values.notify) {
        const notification = { event: values.notify, notificationId };
        await client.sendNotification({ issuerMetadata, accessToken, dpop: answer.dpop ?? token.dpop, notification });
    }
    return {
        configuration: credentialConfigurationId,
        encrypted: encryption?.used() ?? false,
        notificationId,
        credentials: credentials.map(({ credential }, index) => ({ credential, holder: holders[index] })),
    };
}

/** The library asks for an encrypted answer but does not read one: that is done here, by jose. */
async function responseEncryption() {
    const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ECDH-ES', use: 'enc', kid: 'response' };
    let used = false;
    return {
        request: { credential_response_encryption: { jwk, alg: 'ECDH-ES', enc: 'A256GCM' } },
        used: () => used,
        callbacks: {
            fetch: async (url, options) => {
                const response = await fetch(url, options);
                if (!response.headers.get('content-type')?.startsWith('application/jwt')) return response;
                const { plaintext } = await compactDecrypt(await response.text(), privateKey);
                used = true;
                return Response.json(JSON.parse(Buffer.from(plaintext)));
            },
        },
    };
}
