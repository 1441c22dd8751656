import { fact } from '../../facts/fact.ts';
import { command } from '../../facts/remedy.ts';
import type { SessionInfo } from '../../facts/session-info.ts';
import type { LoginsContext } from '../context/rotation-context.ts';
import { type Finding, finding } from './finding.ts';

/**
 * Logins that are in use although neither is published: a policy was made for them, and what they
 * use is not in the secret. Whoever has that credential would never learn of another, so a rotation
 * that nobody asked for stops here.
 */
export async function unpublishedUse(
  context: LoginsContext,
  sessions: ReadonlyMap<string, readonly SessionInfo[]>,
): Promise<Finding | undefined> {
  const { policy, rotation, destinations } = context;
  const [primary] = destinations;
  const published = (await context.read(primary, 'current'))?.fields.username;
  if (published !== undefined && policy.logins.includes(published)) return undefined;
  const [used, ...others] = policy.logins.filter((login) => (sessions.get(login) ?? []).length > 0);
  if (used === undefined) return undefined;
  const { username, password } = primary.secrets;
  const secrets = [username, password].flatMap((name) =>
    name === undefined ? [] : `${name.secret}${name.key === undefined ? '' : `#${name.key}`}`,
  );
  const place = { secrets, destination: primary.name };
  if (others.length > 0) {
    return finding(
      'fail',
      'sessions',
      fact('unpublished-logins-in-use', { ...place, logins: policy.logins }),
    );
  }
  // What somebody else published is an outside change, and adopting it was asked for.
  if (published !== undefined || rotation.adopt) return undefined;
  const { timeout, onTimeout } = policy.drain;
  const isUnasked = rotation.reason === 'first' || rotation.reason === 'schedule';
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
