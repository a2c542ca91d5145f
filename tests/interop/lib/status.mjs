// Whether a credential still holds: bitstring lists by @digitalbazaar/vc-bitstring-status-list,
// token lists by @sd-jwt/jwt-status-list.

import { checkStatus, decodeList } from '@digitalbazaar/vc-bitstring-status-list';
import { getListFromStatusListJWT } from '@sd-jwt/jwt-status-list';
import { issuerOf, suite } from './data-integrity.mjs';
import { fetchText } from './fetch.mjs';
import { verifyJwt } from './jose-vc.mjs';
import { loaderFor } from './loader.mjs';
import { Refused } from './program.mjs';

// Smaller lists tell too much of a holder (Bitstring Status List 1.0, section 6.1).
const LEAST = 131_072;
const TOKEN_STATES = ['valid', 'revoked', 'suspended'];

/** The bitstring entries of a VCDM credential. */
export async function checkBitstring(credential, report) {
    if (!credential.credentialStatus) return;
    await report.check('status', async () => {
        const documentLoader = loaderFor([issuerOf(credential)]);
        const result = await checkStatus({ credential, documentLoader, suite });
        if (!result.verified) throw result.error;
        for (const { status, credentialStatus } of result.results) {
            await checkLength(credentialStatus, documentLoader);
            if (status) throw new Refused(said(credentialStatus.statusPurpose));
        }
        const purposes = result.results.map(({ credentialStatus }) => credentialStatus.statusPurpose);
        return `no ${purposes.join(', no ')} in the issuer's list`;
    });
}

/** The token list entry of an SD-JWT VC by `issuer`. */
export async function checkToken({ iss, status }, report) {
    if (!status) return;
    await report.check('status', async () => {
        const { uri, idx } = status.status_list;
        const jwt = await fetchText(uri, ['application/statuslist+jwt']);
        const { payload, kid } = await verifyJwt(jwt, 'statuslist+jwt', 'assertionMethod', { subject: uri });
        if (kid.split('#')[0] !== iss) throw new Refused('the list is by another issuer');
        if (!payload.iat) throw new Refused('the list has no date');
        const state = getListFromStatusListJWT(jwt).getStatus(idx);
        if (state !== 0) throw new Refused(TOKEN_STATES[state] ?? `state ${state}`);
        return "valid in the issuer's list";
    });
}

async function checkLength({ statusListCredential }, documentLoader) {
    const { document } = await documentLoader(statusListCredential);
    const list = await decodeList({ encodedList: document.credentialSubject.encodedList });
    if (list.length < LEAST) throw new Refused(`the list has ${list.length} entries`);
}

function said(purpose) {
    return { revocation: 'revoked', suspension: 'suspended' }[purpose] ?? purpose;
}
