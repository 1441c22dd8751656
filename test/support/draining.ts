import type { Drain } from '../../src/config/policy.ts';
import type { Fact } from '../../src/facts/fact.ts';
import type { Rotation, StepName } from '../../src/ledger/rotation.ts';
import { sessionsOf } from '../../src/postgres/sessions/sessions.ts';
import type { Scenario } from './scenario.ts';

/** The same policy with another drain: by default no grace, half a minute, then terminate. */
export function draining(from: Scenario, drain: Partial<Drain>): Scenario {
  return from.with({
    policy: { ...from.policy, drain: { grace: 0, timeout: 30_000, onTimeout: 'terminate', ...drain } },
  });
}

/** A fact of the history, with its step. */
export type Warning = Fact & { readonly step: StepName };

/** What a rotation's history warns of. */
export async function warningsOf({ ledger }: Scenario, { id }: Rotation): Promise<Warning[]> {
  const events = await ledger.events([id]);
  return events.flatMap(({ kind, step, fact }) => (kind === 'warning' && fact ? [{ step, ...fact }] : []));
}

export async function canLogIn({ admin }: Scenario, login: string): Promise<boolean> {
  const { rows } = await admin.query('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [login]);
  return rows[0].rolcanlogin;
}

export async function countSessions({ admin }: Scenario, login: string): Promise<number | undefined> {
  return (await sessionsOf(admin, [login])).get(login)?.length;
}
