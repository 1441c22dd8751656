import { fact } from '../../facts/fact.ts';
import { FORMAT_FIELDS, FORMATS } from '../../formats/formats.ts';
import type { Login } from '../../formats/login.ts';
import { loginPlace } from '../../formats/login-place.ts';
import type { Config } from '../config.ts';
import type { Path } from '../config-error.ts';
import type { Destination } from '../policy.ts';
import type { Review } from '../review.ts';
import type { Entries } from '../schema/entries.ts';
import type { PolicyEntry } from '../schema/policy-schema.ts';

/** A connection to the embedded PostgreSQL has no host yet. */
const EMBEDDED = { host: '127.0.0.1', port: 5432, tls: { mode: 'disable' } };

/** The fields that each key of `format` is for. */
const KEYS = {
  service: ['service'],
  sslrootcert: ['service', 'env', 'url'],
  userlist: ['userlist'],
} as const;

/**
 * Checks that each mapped format can hold every login that a policy may publish, whatever password
 * is made. Else a rotation would find out.
 */
export function checkFormats(
  review: Review,
  { policies }: Entries,
  connections: Config['connections'],
): void {
  for (const [name, policy] of policies) {
    const connection = connections.get(policy.connection ?? '');
    for (const [index, destination] of (policy.publish ?? []).entries()) {
      const path: Path = ['policies', name, 'publish', index];
      checkKeys(review, path, destination);
      const fields = FORMAT_FIELDS.filter((field) => destination.secrets[field] !== undefined);
      if (connection === undefined || fields.length === 0) continue;
      const place = loginPlace('embedded' in connection ? { ...EMBEDDED, ...connection } : connection);
      const rotator = 'embedded' in connection ? [] : [connection.user];
      const logins = samples(policy, policy.logins ?? rotator, { ...place, ...settingsOf(destination) });
      checkFields(review, path, fields, logins);
    }
  }
}

function checkKeys(review: Review, path: Path, { secrets, format = {} }: Destination): void {
  for (const key of ['service', 'sslrootcert', 'userlist'] as const) {
    const fields = KEYS[key];
    if (format[key] === undefined || fields.some((field) => secrets[field] !== undefined)) continue;
    review.report([...path, 'format', key], fact('format-without-field', { key, fields }));
  }
}

function checkFields(
  review: Review,
  path: Path,
  fields: readonly (typeof FORMAT_FIELDS)[number][],
  logins: readonly Login[],
): void {
  for (const field of fields) {
    const refused = logins.map((login) => FORMATS[field].refuse(login)).find((each) => each !== undefined);
    if (refused)
      review.report([...path, 'secrets', field], fact('field-not-expressible', { field, ...refused }));
  }
}

/** Each login with a password that has every symbol that one may have. */
function samples(
  { password }: Partial<PolicyEntry>,
  logins: readonly string[],
  rest: Omit<Login, 'username' | 'password'>,
): Login[] {
  const { length = 32, symbols = '' } = password ?? {};
  const sample = 'a'.repeat(length) + symbols;
  return logins.map((username) => ({ ...rest, username, password: sample }));
}

function settingsOf({ format = {} }: Destination) {
  const { sslrootcert, userlist } = format;
  const written = { service: '', verifier: '', plain: userlist === 'plain' };
  return sslrootcert === undefined ? written : { ...written, sslrootcert };
}
