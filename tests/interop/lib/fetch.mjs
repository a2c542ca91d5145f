// Fetches as a careful verifier does: HTTPS alone, no redirects, bounded in time and size.

import { Refused } from './program.mjs';

const LIMIT = 1 << 20;

/** The body at `url`, which has to be of one of the `types` (media types, most wanted first). */
export async function fetchText(url, types) {
    if (new URL(url).protocol !== 'https:') throw new Refused(`${url} is not HTTPS`);
    const response = await fetch(url, {
        headers: { accept: types.join(', ') },
        redirect: 'error',
        signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Refused(`${url} answers ${response.status}`);
    const type = (response.headers.get('content-type') ?? '').split(';')[0].trim();
    if (!types.includes(type)) throw new Refused(`${url} is ${type || 'of no type'}`);
    const chunks = [];
    let size = 0;
    for await (const chunk of response.body) {
        size += chunk.length;
        if (size > LIMIT) throw new Refused(`${url} is longer than ${LIMIT} bytes`);
        chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
}
