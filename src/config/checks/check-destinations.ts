import type { Path } from '../config-error.ts';
import { FIELDS, type Mapping } from '../policy.ts';
import type { StoreEntry } from '../schema/config-schema.ts';
import { suggest } from '../schema/describe-issue.ts';
import type { Draft } from '../schema/draft.ts';
import type { PolicyEntry } from '../schema/policy-schema.ts';
import { physicalSecret, secretNameRule, sharesVersions } from '../values/physical-secret.ts';
import { scheduleOf, shortestInterval } from '../values/schedule-of.ts';
import { find } from '../yaml/located.ts';
import type { MappedField } from './check-secrets.ts';

// More often than this, PutSecretValue makes more versions of a secret than the service removes, until it has
// as many as it may: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
const AWS_PUT_INTERVAL = 600_000;

/**
 * Checks each destination by itself: its store, the fields it maps, and its secret names.
 * Returns the fields whose secrets are known, for checks across destinations.
 */
export function checkDestinations(draft: Draft, cwd: string): MappedField[] {
  const mapped: MappedField[] = [];
  for (const [name, policy] of draft.policies) {
    for (const [index, { store, secrets }] of (policy.publish ?? []).entries()) {
      const path: Path = ['policies', name, 'publish', index];
      checkFields(draft, path, secrets, index === 0);
      const entry = storeNamed(draft, [...path, 'store'], store);
      if (entry === undefined) continue;
      if (entry.type === 'aws-secrets-manager') checkFrequency(draft, path, policy);
      const fields = mapFields(draft, path, entry, secrets, cwd);
      checkInstant(draft, path, entry, fields);
      mapped.push(...fields);
    }
  }
  return mapped;
}

function checkFields(draft: Draft, path: Path, secrets: Mapping, primary: boolean): void {
  const missing = (['username', 'password'] as const).filter((field) => secrets[field] === undefined);
  if (missing.length === 0) return;
  const missingSaid = `maps no ${missing.join(' and no ')}`;
  if (primary) {
    draft.report(
      [...path, 'secrets'],
      `${missingSaid}; must map username and password, as this is the primary`,
    );
  } else if (secrets.url === undefined) {
    draft.report([...path, 'secrets'], `${missingSaid}, and no url; must map username and password, or url`);
  }
}

function storeNamed(draft: Draft, path: Path, name: string): StoreEntry | undefined {
  const areThere = find(draft.tree, ['stores'])?.content.kind === 'mapping';
  if (areThere && !draft.stores.has(name)) {
    draft.report(path, `unknown store ${draft.quote(path)}; ${suggest(name, [...draft.stores.keys()])}`);
  }
  return draft.stores.get(name);
}

function mapFields(
  draft: Draft,
  path: Path,
  store: StoreEntry,
  secrets: Mapping,
  cwd: string,
): MappedField[] {
  return FIELDS.flatMap((field) => {
    const name = secrets[field];
    if (name === undefined) return [];
    const at = [...path, 'secrets', field];
    const rule = secretNameRule(store, name.secret);
    if (rule === undefined) {
      const secret = physicalSecret(store, name.secret, cwd);
      return [{ field, name, secret, path: at, destination: path }];
    }
    draft.report(at, `${draft.quote(at)} is not valid in a store of type ${store.type}; must be ${rule}`);
    return [];
  });
}

function checkFrequency(draft: Draft, path: Path, { schedule }: Partial<PolicyEntry>): void {
  const built = schedule === undefined ? undefined : scheduleOf(schedule);
  if (built === undefined || shortestInterval(built) >= AWS_PUT_INTERVAL) return;
  draft.warn(
    [...path, 'store'],
    'rotated more often than every 10 minutes, this secret gets versions faster than AWS removes them (it keeps 100, and each for a day), until it takes no more; better is an interval of 10m or longer',
  );
}

/** G1 holds at every instant only where username and password change together. */
function checkInstant(draft: Draft, path: Path, store: StoreEntry, fields: readonly MappedField[]): void {
  const username = fields.find(({ field }) => field === 'username');
  const password = fields.find(({ field }) => field === 'password');
  if (username === undefined || password === undefined) return;
  if (sharesVersions(username.secret, password.secret)) return;
  draft.warn(
    [...path, 'secrets'],
    store.type === 'file'
      ? 'username and password lie in two folders, which do not change at one instant: a reader can see a new username with an old password; better is one folder for both'
      : 'username and password are two secrets, which do not change at one instant: for some milliseconds a reader that does not pin the VersionId can see a new username with an old password; better is one JSON secret for both, as name#username and name#password',
  );
}
