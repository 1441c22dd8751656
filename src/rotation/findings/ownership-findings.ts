import type { LoginsPolicy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import { ownedObjects } from '../../postgres/logins/owned-objects.ts';
import type { PolicyView } from '../context/policy-view.ts';
import { type Finding, finding } from './finding.ts';

/**
 * Only an owner may alter or drop an object, and the other login has no rights on it unless they
 * were granted.
 */
export async function ownershipFindings({ policy, rotator }: PolicyView<LoginsPolicy>): Promise<Finding[]> {
  const { logins, owner = null } = policy;
  const objects = await ownedObjects(await rotator(), logins);
  return logins.flatMap((login): Finding[] => {
    const owned = objects
      .filter(({ role }) => role === login)
      .map(({ database, count, examples }) => ({ database, count, examples }));
    if (owned.length === 0) return [];
    const other = logins.find((name) => name !== login) ?? null;
    // Without an owner there is a role to be made first, whose name is not known yet.
    const to = owner === null ? 'that role' : quoteIdentifier(owner);
    const statement = `REASSIGN OWNED BY ${quoteIdentifier(login)} TO ${to}`;
    return [
      finding('warn', 'objects', fact('login-owns-objects', { login, other, owned, owner, statement })),
    ];
  });
}
