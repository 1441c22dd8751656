import { fact } from '../facts/fact.ts';
import { isFault } from '../facts/fault.ts';
import { connect, type Target } from '../postgres/connection/connect.ts';
import { refusedAs } from '../postgres/connection/refused-as.ts';
import { asksForMd5 } from '../postgres/connection/scram-fault.ts';
import { readLogins } from '../postgres/logins/login.ts';
import type { PolicyView } from '../rotation/context/policy-view.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';
import { generatePassword } from '../rotation/password.ts';
import { faultFinding } from './fault-finding.ts';
import { RELOAD } from './hba-findings.ts';

/**
 * Whether each server would ask a login with NOLOGIN for its password, as it must once that login
 * comes in: keyturn tries one that nobody has, and the way in which it is refused tells. Such a
 * login loses nothing by a refusal.
 */
export async function passwordPromptFindings(view: PolicyView): Promise<Finding[]> {
  const found = await readLogins(await view.rotator(), view.policy.logins);
  const shut = [...found.values()].filter(({ canLogin }) => !canLogin);
  const servers = [view.connection, ...view.replicas.map(({ target }) => target)];
  const findings = await Promise.all(
    shut.flatMap(({ name }) => servers.map((server) => promptFinding(view, name, server))),
  );
  return findings.filter((each) => each !== undefined);
}

async function promptFinding(view: PolicyView, user: string, server: Target): Promise<Finding | undefined> {
  const at = { server: `${server.host}:${server.port}`, login: user };
  const unasked = finding('fail', 'pg_hba', fact('hba-asks-no-password', at, RELOAD));
  try {
    const password = generatePassword(view.policy.password);
    await using _session = await connect({ ...server, user, password }, { kind: 'consumer' });
    return unasked;
  } catch (error) {
    // Once keyturn has set the password, the verifier is a SCRAM one, and the server asks
    // accordingly.
    if (asksForMd5(error)) return undefined;
    if (isFault(error, 'server-asks-no-password')) return unasked;
    switch (refusedAs(error)) {
      case 'password':
        return undefined;
      case 'nologin':
        return unasked;
      case 'entry': {
        const { database } = server;
        return finding('fail', 'pg_hba', fact('hba-lets-nobody-in', { ...at, database }, RELOAD));
      }
      case undefined:
        // A server that cannot be reached keeps no other from being asked.
        return faultFinding('pg_hba', error);
    }
  }
}
