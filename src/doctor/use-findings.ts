import { quoteIdentifier } from '../postgres/identifier.ts';
import { readLogins } from '../postgres/logins/login.ts';
import { sessionsIn } from '../postgres/sessions/sessions.ts';
import type { RotationView } from '../rotation/context/rotation-context.ts';
import type { Finding } from '../rotation/findings/finding.ts';

/** What the next rotation would do to those who use the logins now, or might: who has no session cannot be seen. */
export async function useFindings(
  view: RotationView,
  { incoming, outgoing }: { readonly incoming: string; readonly outgoing: string },
): Promise<Finding[]> {
  const { policy, destinations } = view;
  const logins = await readLogins(await view.rotator(), policy.logins);
  const sessions = sessionsIn(await view.uses(policy.logins));
  const published = await view.read(destinations[0], 'current');
  const limit = logins.get(incoming)?.connectionLimit ?? -1;
  const used = sessions.get(outgoing)?.length ?? 0;
  const open = policy.logins.filter((login) => logins.get(login)?.canLogin);
  return [
    ...(limit >= 0 && used >= limit
      ? [
          {
            level: 'warn',
            about: 'sessions',
            text: `${outgoing} has as many sessions as the CONNECTION LIMIT of ${incoming} lets in (${limit}), so none is left for verify when it is their turn`,
            // Not without any limit: a leaked login could take all connections of the server then.
            sql: policy.logins.map(
              (login) => `ALTER ROLE ${quoteIdentifier(login)} CONNECTION LIMIT ${2 * used + 1}`,
            ),
          } as const,
        ]
      : []),
    ...(published === undefined && open.length > 0
      ? [
          {
            level: 'warn',
            about: 'sessions',
            text: `nothing is published yet, but ${open.join(' and ')} can log in: whoever does so now and then would be locked out by the first rotation`,
            remedy:
              'if somebody does, put that username and password into the secret first; if nobody does, there is nothing to mend',
          } as const,
        ]
      : []),
  ];
}
