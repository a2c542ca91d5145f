// What was checked, in order, with what came out of it.

import { describe, Refused } from './program.mjs';

export class Report {
    checks = [];

    /** Does one check. What it returns is told; what it throws is told and ends everything. */
    async check(name, step) {
        try {
            const detail = await step();
            this.checks.push({ check: name, ok: true, detail: detail ?? '' });
        } catch (error) {
            this.checks.push({ check: name, ok: false, detail: describe(error) });
            throw new Refused(`${name}: ${describe(error)}`, this.checks);
        }
    }
}

/** One line for each check, for people. */
export function lines(checks) {
    return checks.map(({ check, ok, detail }) => `${ok ? '✓' : '✗'} ${check.padEnd(9)} ${detail}`);
}
