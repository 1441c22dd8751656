import { randomUUID } from 'node:crypto';
import { quoteIdentifier, quoteLiteral } from '../../src/postgres/identifier.ts';
import { scramVerifier } from '../../src/postgres/logins/scram-verifier.ts';
import type { FleetPolicy } from './fleet.ts';
import { letsIn, lookAt } from './login-rows.ts';
import type { Publications } from './publications.ts';
import type { Random } from './random.ts';
import type { Watch } from './watch-doors.ts';

/** What somebody may do to a login that breaks it. */
const CHANGES: Readonly<Record<string, () => string>> = {
  NOLOGIN: () => 'NOLOGIN',
  'another password': () => `PASSWORD ${quoteLiteral(scramVerifier(randomUUID()))}`,
  'VALID UNTIL yesterday': () => "VALID UNTIL 'yesterday'",
  'CONNECTION LIMIT 0': () => 'CONNECTION LIMIT 0',
};

/** Breaks the published login of a policy whose other login still works. Returns whether it did. */
export async function breakPublished(
  policy: FleetPolicy,
  store: Publications,
  { target, harms, tally }: Watch,
  random: Random,
): Promise<boolean> {
  const [name = '', change] = random.pick(Object.entries(CHANGES));
  const published = await store.read();
  if (!published || !change || harms.of(policy.name)) return false;
  const { user, version } = published;
  const other = policy.logins.find((login) => login !== user) ?? '';
  const harm = harms.begin({ policy: policy.name, what: `${user} got ${name} by hand`, user, version });
  try {
    const look = await lookAt((sql, values) => target.ask(sql, values), policy.logins);
    const works = (login: string) =>
      store.of(login).some(({ password }) => letsIn(look.logins.get(login), password));
    if (!works(user) || !works(other) || (await store.read())?.version !== version) {
      harms.forget(harm);
      return false;
    }
    harm.otherWorkedAt = look.at;
    tally.note(`${policy.name}: ${harm.what}, rotation ${version}`);
    await target.ask(`ALTER ROLE ${quoteIdentifier(user)} ${change?.()}`);
  } catch {
    // The answer may be lost: what is there counts.
  }
  harm.committedAt = await alteredAt(policy, user, target);
  return true;
}

async function alteredAt(policy: FleetPolicy, user: string, target: Watch['target']): Promise<number> {
  for (;;) {
    const look = await lookAt((sql, values) => target.ask(sql, values), policy.logins).catch(() => undefined);
    const row = look?.logins.get(user);
    if (row) return row.alteredAt;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
