// How every program here ends: JSON on standard output and an exit code.
// 0: done, or "yes". 1: "no", with the reason. 2: it could not be done, with the reason.

/** The other side, or this program's own check, says no. */
export class Refused extends Error {
    constructor(message, detail) {
        super(message);
        this.detail = detail;
    }
}

/** Runs `main` and prints what it returns. */
export async function program(main) {
    try {
        print(await main());
    } catch (error) {
        const refused = error instanceof Refused;
        const answer = { error: describe(error) };
        if (refused && error.detail !== undefined) answer.detail = error.detail;
        print(answer);
        if (!refused) console.error(error);
        process.exitCode = refused ? 1 : 2;
    }
}

/** All of standard input. */
export async function input() {
    const chunks = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
}

/** The message with those of its causes; libraries hide the true reason there. */
export function describe(error) {
    const parts = [];
    // jsonld keeps the cause under `details`.
    const causeOf = (e) => e.cause ?? e.details?.cause;
    for (let e = error; e && parts.length < 5; e = causeOf(e)) parts.push(e.message ?? String(e));
    for (const inner of error?.errors ?? []) parts.push(inner.message ?? String(inner));
    return [...new Set(parts)].join(': ');
}

function print(value) {
    if (value !== undefined) console.log(JSON.stringify(value));
}
