import { counted } from '../../counted.ts';
import { describeSession, type LoginSession } from '../../postgres/sessions/sessions.ts';
import type { LoginsContext } from '../context/rotation-context.ts';
import type { Finding } from './finding.ts';

/**
 * Logins that are in use although neither is published: keyturn was put over them, and what they use is not in the
 * secret. Whoever has that credential would never learn of another, so a rotation that nobody asked for stops here.
 */
export async function unpublishedUse(
  context: LoginsContext,
  sessions: ReadonlyMap<string, readonly LoginSession[]>,
): Promise<Finding | undefined> {
  const { policy, rotation, destinations } = context;
  const [primary] = destinations;
  const published = (await context.read(primary, 'current'))?.fields.username;
  if (published !== undefined && policy.logins.includes(published)) return undefined;
  const [used, ...others] = policy.logins.filter((login) => (sessions.get(login) ?? []).length > 0);
  if (used === undefined) return undefined;
  const { username, password } = primary.secrets;
  const secrets = [username, password]
    .map((name) => name && `${name.secret}${name.key === undefined ? '' : `#${name.key}`}`)
    .join(' and ');
  const keep = `put the username and password in use into ${secrets} of ${primary.name}, and nothing changes until the first slot`;
  if (others.length > 0) {
    return {
      level: 'fail',
      about: 'sessions',
      text: `Neither login is published, and both ${policy.logins.join(' and ')} have sessions, so neither can be given a new password`,
      remedy: `${keep}; or end the sessions of one`,
    };
  }
  // Adopting says so by itself, and was asked for.
  if (published !== undefined || rotation.adopt) return undefined;
  const spare = policy.logins.find((login) => login !== used);
  const list = sessions.get(used) ?? [];
  const { timeout, onTimeout } = policy.drain;
  const wait = onTimeout === 'wait' ? '' : ` for at most ${Math.ceil(timeout / 1000)} s`;
  return {
    level: rotation.reason === 'first' || rotation.reason === 'schedule' ? 'fail' : 'warn',
    about: 'sessions',
    text: `Nothing is published yet, but ${used} is in use: ${counted(list.length, 'session')}, ${list.map(describeSession).join(', ')}. No rotation begins by itself as long as that is so`,
    remedy: `${keep}; or end the sessions, and the first rotation comes by itself; or rotate by hand, which gives ${spare} a new password, publishes that, waits${wait} for the sessions of ${used} to end and revokes it: keyturn rotate ${policy.name}`,
  };
}
