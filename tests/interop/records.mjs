// Consent records against JSON Schema (ajv) and the Data Privacy Vocabulary (jsonld):
//
//   node records.mjs < [{"name", "schema"?, "document"}]   → {"checked": n, "terms": [IRI]}
//
// Each document must fit its schema, and say nothing but terms that dpv/terms.json has: properties, types and
// values alike. Contexts are within the documents; nothing is fetched.

import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import jsonld from 'jsonld';
import { input, program, Refused } from './lib/program.mjs';

const { vocabularies } = JSON.parse(readFileSync(new URL('dpv/terms.json', import.meta.url), 'utf8'));
/** What looks like a term of DPV and is none is an invention. */
const DPV = 'https://w3id.org/dpv';

await program(async () => {
    const used = new Set();
    const documents = JSON.parse(await input());
    for (const { name, schema, document } of documents) {
        if (schema) fits(name, schema, document);
        const expanded = await jsonld.expand(document, { documentLoader: refuse, safe: true });
        if (expanded.length !== 1) throw new Refused(`${name}: it says nothing`);
        walk(expanded[0], name, used);
    }
    return { checked: documents.length, terms: [...used].sort() };
});

function fits(name, schema, document) {
    // `strict` refuses schemas with keywords that nobody knows.
    const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, strictTuples: false, allErrors: true });
    addFormats(ajv);
    const validate = ajv.compile(schema);
    if (!validate(document)) {
        throw new Refused(`${name}: ${ajv.errorsText(validate.errors)}`, validate.errors);
    }
}

function refuse(url) {
    throw new Error(`a document wants to fetch ${url}`);
}

function walk(node, name, used) {
    if (Array.isArray(node)) {
        for (const item of node) walk(item, name, used);
        return;
    }
    if (node === null || typeof node !== 'object') return;
    for (const [key, value] of Object.entries(node)) {
        if (key === '@type') {
            for (const type of [value].flat()) isTerm(type, name, used);
        } else if (key === '@id') {
            if (value.startsWith(DPV)) isTerm(value, name, used);
        } else if (!key.startsWith('@')) {
            isTerm(key, name, used);
            walk(value, name, used);
        }
    }
}

function isTerm(iri, name, used) {
    const at = Math.max(iri.indexOf('#'), iri.startsWith('http://purl.org/dc/terms/') ? 24 : -1, iri.startsWith('https://schema.org/') ? 18 : -1);
    const [namespace, term] = [iri.slice(0, at + 1), iri.slice(at + 1)];
    if (!vocabularies[namespace]?.terms.includes(term)) {
        throw new Refused(`${name}: ${iri} is no term of its vocabulary`);
    }
    used.add(iri);
}
