import { fact } from '../../facts/fact.ts';
import { FORMAT_FIELDS, READABLE_FORMATS } from '../../formats/formats.ts';
import type { Path } from '../config-error.ts';
import { FIELDS, type Mapping } from '../policy.ts';
import type { Review } from '../review.ts';
import type { Entries } from '../schema/entries.ts';
import type { PolicyEntry } from '../schema/policy-schema.ts';
import { suggested } from '../schema/report-issue.ts';
import type { Store } from '../stores.ts';
import { isSecretName, physicalSecret, sharesVersions } from '../values/physical-secret.ts';
import { shortestInterval } from '../values/schedule-of.ts';
import type { MappedField } from './check-secrets.ts';

// With less time than this between two versions, a secret gets more of them than AWS removes:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
const AWS_PUT_INTERVAL = 600_000;

/**
 * Checks each destination by itself: its store, the fields it maps, and its secret names.
 * Returns the fields whose secrets are known, for checks across destinations.
 */
export function checkDestinations(
  review: Review,
  { policies, stores: entries }: Entries,
  stores: ReadonlyMap<string, Store>,
): MappedField[] {
  const mapped: MappedField[] = [];
  for (const [name, policy] of policies) {
    for (const [index, { store, secrets }] of (policy.publish ?? []).entries()) {
      const path: Path = ['policies', name, 'publish', index];
      checkFields(review, path, secrets, index === 0);
      checkStoreName(review, [...path, 'store'], store, [...entries.keys()]);
      const built = stores.get(store);
      if (built === undefined) continue;
      if (built.type === 'aws-secrets-manager') checkFrequency(review, path, policy);
      else if (built.type === 'file' && policy.type === 'rotator') checkReaders(review, path, built);
      const fields = mapFields(review, path, built, secrets);
      checkInstant(review, path, built, fields);
      mapped.push(...fields);
    }
  }
  return mapped;
}

function checkFields(review: Review, path: Path, secrets: Mapping, isPrimary: boolean): void {
  const missing = (['username', 'password'] as const).filter((field) => secrets[field] === undefined);
  if (missing.length === 0) return;
  const whole = isPrimary ? READABLE_FORMATS : FORMAT_FIELDS;
  if (whole.some((field) => secrets[field] !== undefined)) return;
  const userlist = secrets.userlist !== undefined;
  review.report([...path, 'secrets'], fact('destination-fields-missing', { missing, isPrimary, userlist }));
}

function checkStoreName(review: Review, path: Path, name: string, known: readonly string[]): void {
  if (known.includes(name) || review.keysAt(['stores']) === undefined) return;
  const unknown = { kind: 'store', value: review.shown(path), known } as const;
  review.report(path, fact('config-reference-unknown', { ...unknown, ...suggested(name, known) }));
}

function mapFields(review: Review, path: Path, store: Store, secrets: Mapping): MappedField[] {
  return FIELDS.flatMap((field) => {
    const name = secrets[field];
    if (name === undefined) return [];
    const at = [...path, 'secrets', field];
    if (isSecretName(store, name.secret)) {
      const secret = physicalSecret(store, name.secret);
      return [{ field, name, secret, path: at, destination: path }];
    }
    const invalid = { name: review.shown(at), store: store.type };
    review.report(at, fact('secret-name-invalid', invalid));
    return [];
  });
}

function checkFrequency(review: Review, path: Path, { schedule }: Partial<PolicyEntry>): void {
  if (!schedule || shortestInterval(schedule) >= AWS_PUT_INTERVAL) return;
  review.warn([...path, 'store'], fact('schedule-too-fast-for-aws', {}));
}

function checkReaders(review: Review, path: Path, { group, mode }: Extract<Store, { type: 'file' }>): void {
  if (group === undefined && (mode === undefined || (mode & 0o040) === 0)) return;
  review.warn([...path, 'store'], fact('rotator-secret-shared', { group: group ?? null }));
}

/** G1 holds at every instant only where username and password change together. */
function checkInstant(review: Review, path: Path, store: Store, fields: readonly MappedField[]): void {
  const username = fields.find(({ field }) => field === 'username');
  const password = fields.find(({ field }) => field === 'password');
  if (username === undefined || password === undefined) return;
  if (sharesVersions(username.secret, password.secret)) return;
  review.warn([...path, 'secrets'], fact('credential-in-two-secrets', { store: store.type }));
}
