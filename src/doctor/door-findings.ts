import { connect } from '../postgres/connection/connect.ts';
import { DatabaseError } from '../postgres/connection/database-error.ts';
import { refusedAs } from '../postgres/connection/refused-as.ts';
import { asksForMd5 } from '../postgres/connection/scram-fault.ts';
import { readLogins } from '../postgres/logins/login.ts';
import type { RotationView } from '../rotation/context/rotation-context.ts';
import type { Finding } from '../rotation/findings/finding.ts';
import { generatePassword } from '../rotation/password.ts';
import { faultFinding } from './fault-finding.ts';

/**
 * Whether each server would ask a login that is shut for its password, as it must once that login comes in: it is tried with
 * one that nobody has, and how it is refused tells. Such a login loses nothing by a refusal.
 */
export async function doorFindings(view: RotationView): Promise<Finding[]> {
  const found = await readLogins(await view.rotator(), view.policy.logins);
  const shut = [...found.values()].filter(({ canLogin }) => !canLogin);
  const servers = [view.connection, ...view.replicas.map(({ target }) => target)];
  const findings = await Promise.all(
    shut.flatMap(({ name: user }) =>
      servers.map(async (server): Promise<Finding | undefined> => {
        const password = generatePassword(view.policy.password);
        const place = `${server.host}:${server.port}`;
        try {
          await using _session = await connect({ ...server, user, password }, { kind: 'consumer' });
          return explain({ user, place, database: server.database }, 'nologin');
        } catch (error) {
          // Once keyturn has set it, the verifier is SCRAM's, and so is the question.
          if (asksForMd5(error)) return undefined;
          const unasked = error instanceof DatabaseError && error.kind === 'unproven';
          const refused = unasked ? 'nologin' : refusedAs(error);
          // A server that is away keeps no other from being asked.
          if (refused === undefined) return faultFinding('pg_hba', error);
          return explain({ user, place, database: server.database }, refused);
        }
      }),
    ),
  );
  return findings.filter((finding) => finding !== undefined);
}

function explain(
  { user, place, database }: { user: string; place: string; database: string },
  refused: 'password' | 'nologin' | 'entry',
): Finding | undefined {
  const [about, level, sql] = ['pg_hba', 'fail', ['SELECT pg_catalog.pg_reload_conf()']] as const;
  switch (refused) {
    case 'password':
      return undefined;
    case 'nologin':
      return {
        level,
        about,
        sql,
        text: `${place} does not ask ${user} for a password, so verify could prove none`,
        remedy: 'let pg_hba.conf demand scram-sha-256 from this address',
      };
    case 'entry':
      return {
        level,
        about,
        sql,
        text: `pg_hba.conf of ${place} has no line that lets ${user} in to ${database} from here, so verify would be refused`,
        remedy: `add one with method scram-sha-256, also for consumers' addresses`,
      };
  }
}
