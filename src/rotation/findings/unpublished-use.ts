import type { SessionInfo } from '../../facts/database/session-info.ts';
import { fact } from '../../facts/fact.ts';
import { command } from '../../facts/remedy.ts';
import { READABLE_FORMATS } from '../../formats/formats.ts';
import { usernameIn } from '../../formats/told-by.ts';
import type { OpenDestination } from '../context/policy-view.ts';
import type { LoginsPreview } from '../context/rotation-view.ts';
import { type Finding, finding } from './finding.ts';

/**
 * Logins that are in use although neither is published. A policy was made for logins whose
 * credential is not in the secret. Consumers with that credential would never learn of a new one,
 * so a rotation that nobody asked for stops here.
 */
export async function unpublishedUse(
  preview: LoginsPreview,
  sessions: ReadonlyMap<string, readonly SessionInfo[]>,
): Promise<Finding | undefined> {
  const { policy, rotation, reason, destinations } = preview;
  const [primary] = destinations;
  const published = usernameIn((await preview.read(primary, 'current'))?.fields ?? {});
  if (published !== undefined && policy.logins.includes(published)) return undefined;
  const [used, ...others] = policy.logins.filter((login) => (sessions.get(login) ?? []).length > 0);
  if (used === undefined) return undefined;
  const place = { secrets: secretsOf(primary), destination: primary.name };
  if (others.length > 0) {
    return finding(
      'fail',
      'sessions',
      fact('unpublished-logins-in-use', { ...place, logins: policy.logins }),
    );
  }
  // A login that others published is an outside change, which is reported as such. With `adopt`,
  // somebody asked for this rotation to go on.
  if (published !== undefined || rotation?.adopt) return undefined;
  const { timeout, onTimeout } = policy.drain;
  const isUnasked = reason === 'first' || reason === 'schedule';
  return finding(
    isUnasked ? 'fail' : 'warn',
    'sessions',
    fact(
      'unpublished-login-in-use',
      {
        ...place,
        login: used,
        spare: policy.logins.find((login) => login !== used) ?? null,
        sessions: sessions.get(used) ?? [],
        timeoutSeconds: onTimeout === 'wait' ? null : Math.ceil(timeout / 1000),
      },
      command('rotate', policy.name),
    ),
  );
}

/**
 * Where a destination holds the username and the password, such as `db/app#username`. It may hold
 * them in one format only.
 */
function secretsOf({ secrets }: OpenDestination): string[] {
  const isPlain = secrets.username !== undefined && secrets.password !== undefined;
  const fields = isPlain ? (['username', 'password'] as const) : READABLE_FORMATS;
  const mapped = fields.map((field) => secrets[field]).filter((name) => name !== undefined);
  return (isPlain ? mapped : mapped.slice(0, 1)).map(
    ({ secret, key }) => `${secret}${key === undefined ? '' : `#${key}`}`,
  );
}
