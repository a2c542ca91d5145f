// The independent verifier: a credential or presentation on standard input, checked with the
// libraries that strangers use. Set NODE_EXTRA_CA_CERTS to the service's authority.
//
//   node verify.mjs [--plain] [--challenge C --domain D] < credential
//
// `--challenge` and `--domain` are a presentation's (`nonce` and `aud` in JWTs). Exit code 1 means
// that the credential is refused. With `--many` a JSON array of texts is on standard input; an array
// of reports is printed, and the exit code tells nothing.

import { parseArgs } from 'node:util';
import { describe, input, program, Refused } from './lib/program.mjs';
import { lines, Report } from './lib/report.mjs';
import { verify } from './lib/verify.mjs';

const { values } = parseArgs({
    options: {
        plain: { type: 'boolean' },
        many: { type: 'boolean' },
        challenge: { type: 'string' },
        domain: { type: 'string' },
    },
});

await program(async () => {
    const text = (await input()).trim();
    if (values.many) return Promise.all(JSON.parse(text).map(reportOn));
    const { verified, error, checks } = await reportOn(text);
    if (values.plain) {
        console.log([...lines(checks), verified ? 'verified' : `refused: ${error}`].join('\n'));
        process.exitCode = verified ? 0 : 1;
        return undefined;
    }
    if (!verified) throw new Refused(error, checks);
    return { verified, checks };
});

async function reportOn(text) {
    const report = new Report();
    try {
        await verify(text, values, report);
        return { verified: true, checks: report.checks };
    } catch (error) {
        return { verified: false, error: describe(error), checks: report.checks };
    }
}
