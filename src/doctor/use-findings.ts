import { fact } from '../facts/fact.ts';
import { sql } from '../facts/remedy.ts';
import { quoteIdentifier } from '../postgres/identifier.ts';
import { readLogins } from '../postgres/logins/login.ts';
import { sessionsIn } from '../postgres/sessions/sessions.ts';
import type { PolicyView } from '../rotation/context/policy-view.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';

/**
 * What the next rotation would do to those who use the logins now, or might: who has no session
 * cannot be seen.
 */
export async function useFindings(
  view: PolicyView,
  { incoming, outgoing }: { readonly incoming: string; readonly outgoing: string },
): Promise<Finding[]> {
  const { policy, destinations } = view;
  const logins = await readLogins(await view.rotator(), policy.logins);
  const sessions = sessionsIn(await view.uses(policy.logins));
  const published = await view.read(destinations[0], 'current');
  const limit = logins.get(incoming)?.connectionLimit ?? -1;
  const used = sessions.get(outgoing)?.length ?? 0;
  const open = policy.logins.filter((login) => logins.get(login)?.canLogin);
  const findings: Finding[] = [];
  if (limit >= 0 && used >= limit) {
    // Not without any limit: a leaked login could take all connections of the server then.
    const raised = policy.logins.map(
      (login) => `ALTER ROLE ${quoteIdentifier(login)} CONNECTION LIMIT ${2 * used + 1}`,
    );
    const inUse = fact('connection-limit-in-use', { incoming, outgoing, limit }, sql(...raised));
    findings.push(finding('warn', 'sessions', inUse));
  }
  if (published === undefined && open.length > 0) {
    findings.push(finding('warn', 'sessions', fact('unpublished-logins-open', { logins: open })));
  }
  return findings;
}
