import { counted } from '../../counted.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import { type OwnedObjects, ownedObjects } from '../../postgres/logins/owned-objects.ts';
import type { LoginsView } from '../context/rotation-context.ts';
import type { Finding } from './finding.ts';

/** Only an owner may alter or drop an object, and nobody else has rights on it unless granted, the other login included. */
export async function ownershipFindings({ policy, rotator }: LoginsView): Promise<Finding[]> {
  const { logins, owner } = policy;
  const owned = await ownedObjects(await rotator(), logins);
  return logins.flatMap((login): Finding[] => {
    const own = owned.filter(({ role }) => role === login);
    if (own.length === 0) return [];
    const other = logins.find((name) => name !== login);
    const reassign = (to: string) =>
      `run in each of these databases: REASSIGN OWNED BY ${quoteIdentifier(login)} TO ${to}`;
    return [
      {
        level: 'warn',
        about: 'objects',
        text: `${login} itself owns ${own.map(describeOwned).join(' and ')}, on which ${other} has no rights but those granted to it`,
        remedy: owner
          ? reassign(quoteIdentifier(owner))
          : `make a role that both belong to the policy's owner, and ${reassign('that role')}`,
      },
    ];
  });
}

function describeOwned({ database, count, examples }: OwnedObjects): string {
  const named = [...examples, ...(examples.length > 0 && examples.length < count ? ['…'] : [])];
  const what = named.length > 0 ? ` (${named.join(', ')})` : '';
  return `${counted(count, 'object')} ${database === null ? 'of the whole cluster' : `in database ${database}`}${what}`;
}
