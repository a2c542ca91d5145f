// The independent verifier: a credential or presentation on standard input, checked with the
// libraries that strangers use. Set NODE_EXTRA_CA_CERTS to the service's authority.
//
//   node verify.mjs [--plain] [--challenge C --domain D] < credential
//
// `--challenge` and `--domain` are a presentation's (`nonce` and `aud` in JWTs). Exit code 1 means
// that the credential is refused.

import { parseArgs } from 'node:util';
import { describe, input, program, Refused } from './lib/program.mjs';
import { Report } from './lib/report.mjs';
import { verify } from './lib/verify.mjs';

const { values } = parseArgs({
    options: {
        plain: { type: 'boolean' },
        challenge: { type: 'string' },
        domain: { type: 'string' },
    },
});

await program(async () => {
    const report = new Report();
    const refusal = await verify((await input()).trim(), values, report).then(
        () => undefined,
        (error) => error,
    );
    if (values.plain) {
        console.log([...report.lines(), refusal ? `refused: ${describe(refusal)}` : 'verified'].join('\n'));
        process.exitCode = refusal ? 1 : 0;
        return undefined;
    }
    if (refusal) throw new Refused(describe(refusal), report.checks);
    return { verified: true, checks: report.checks };
});
