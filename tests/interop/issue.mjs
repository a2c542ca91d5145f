// A credential by other people's libraries, for Blindprint's verifier:
//
//   node issue.mjs KIND [--challenge C --domain D] < members.json
//
// KIND is eddsa-rdfc-2022, eddsa-jcs-2022, vc+jwt, dc+sd-jwt or dc+sd-jwt+es256. The members on
// standard input are laid over a minimal credential. Each call makes a new did:key issuer and a
// new holder; with `--challenge` the holder presents the credential too.

import { parseArgs } from 'node:util';
import { issueDataIntegrity, issueJwt, presentDataIntegrity, presentJwt } from './lib/issue.mjs';
import { didKey, newKey, publicPart } from './lib/keys.mjs';
import { input, program } from './lib/program.mjs';
import { issueSdJwt, presentSdJwt } from './lib/sd-jwt.mjs';

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { challenge: { type: 'string' }, domain: { type: 'string' } },
});

await program(async () => {
    const [kind] = positionals;
    const members = JSON.parse((await input()) || '{}');
    const issuer = await newKey(kind.endsWith('es256') ? 'ES256' : 'EdDSA');
    const holder = await newKey('EdDSA');
    const { credential, present } = await issue(kind, members, issuer, holder);
    const presentation = values.challenge && (await present(values));
    return { credential, presentation, issuer: didKey(issuer).did, holder };
});

async function issue(kind, members, issuer, holder) {
    if (kind.startsWith('dc+sd-jwt')) {
        const claims = { ...sdJwtClaims(issuer, holder), ...members };
        const credential = await issueSdJwt(claims, { _sd: ['colour'] }, issuer, didKey(issuer).url);
        const question = ({ challenge, domain }) => ({ nonce: challenge, audience: domain });
        return { credential, present: (q) => presentSdJwt(credential, { colour: true }, question(q), holder) };
    }
    const unsigned = { ...minimal(holder), ...members };
    if (kind === 'vc+jwt') {
        const credential = await issueJwt(unsigned, issuer);
        return { credential, present: (question) => presentJwt([credential], question, holder) };
    }
    const credential = await issueDataIntegrity(unsigned, kind, issuer);
    return { credential, present: (question) => presentDataIntegrity([credential], question, holder) };
}

function minimal(holder) {
    return {
        '@context': ['https://www.w3.org/ns/credentials/v2'],
        type: ['VerifiableCredential'],
        name: 'A credential by somebody else',
        validFrom: new Date(Date.now() - 60_000).toISOString(),
        credentialSubject: { id: didKey(holder).did },
    };
}

function sdJwtClaims(issuer, holder) {
    const now = Math.floor(Date.now() / 1000);
    return {
        iss: didKey(issuer).did,
        iat: now - 60,
        exp: now + 3600,
        vct: 'https://issuer.example/credentials/types/colour',
        cnf: { jwk: publicPart(holder) },
        colour: 'green',
    };
}
