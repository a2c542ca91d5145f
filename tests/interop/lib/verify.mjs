// One entrance for every kind of credential and presentation.

import { checkCredential, checkPresentation, credentialsIn } from './data-integrity.mjs';
import { checkCredentialJwt, checkPresentationJwt } from './jose-vc.mjs';
import { Refused } from './program.mjs';
import { checkSdJwt } from './sd-jwt.mjs';
import { checkBitstring, checkToken } from './status.mjs';

/**
 * Verifies `text`: a credential or presentation as JSON, `vc+jwt`, `vp+jwt` or SD-JWT.
 * A presentation has to answer `challenge`, asked by `domain`.
 */
export async function verify(text, { challenge, domain }, report) {
    if (text.startsWith('{')) return verifyJson(JSON.parse(text), { challenge, domain }, report);
    const question = { nonce: challenge, audience: domain };
    if (text.includes('~')) return checkToken(await checkSdJwt(text, question, report), report);
    if (!challenge) return checkBitstring(await checkCredentialJwt(text, report), report);
    const presentation = await checkPresentationJwt(text, question, report);
    const { holder } = presentation;
    for (const credential of credentialsIn(presentation)) await verifyEnveloped(credential, holder, report);
}

async function verifyJson(document, question, report) {
    const types = [document.type].flat();
    if (types.includes('EnvelopedVerifiableCredential')) return verifyEnveloped(document, undefined, report);
    if (!types.includes('VerifiablePresentation')) {
        await checkCredential(document, report);
        return checkBitstring(document, report);
    }
    await checkPresentation(document, question, report);
    for (const credential of credentialsIn(document)) await checkBitstring(credential, report);
}

/** A JWT in a data URL; a presentation's must be of its holder. */
async function verifyEnveloped({ id }, holder, report) {
    const jwt = id.match(/^data:application\/vc\+jwt,(.+)$/)?.[1];
    if (!jwt) throw new Refused('no vc+jwt is in the envelope');
    const credential = await checkCredentialJwt(jwt, report);
    await report.check('holder', () => {
        if (holder && credential.credentialSubject.id !== holder) {
            throw new Refused('the credential is of another holder');
        }
    });
    await checkBitstring(credential, report);
}
