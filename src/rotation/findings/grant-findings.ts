import { defaultGrantDifferences } from '../../postgres/logins/default-grant-differences.ts';
import { grantDifferences } from '../../postgres/logins/grant-differences.ts';
import { rowPolicyDifferences } from '../../postgres/logins/row-policy-differences.ts';
import { singleUserMappings } from '../../postgres/logins/single-user-mappings.ts';
import type { LoginsView } from '../context/rotation-context.ts';
import type { Finding } from './finding.ts';

/**
 * What consumers may do as one login and could not as the other. With an owner they act as that role, and what the logins
 * themselves were granted does not matter.
 */
export async function grantFindings({ policy, connection, rotator }: LoginsView): Promise<Finding[]> {
  if (policy.owner !== undefined) return [];
  const client = await rotator();
  const pair = policy.logins;
  const differences = [
    ...(await grantDifferences(client, pair)),
    ...(await defaultGrantDifferences(client, pair)),
    ...(await rowPolicyDifferences(client, pair)),
  ];
  const mappings = await singleUserMappings(client, pair);
  return [
    ...tell(
      connection.database,
      differences.map(({ login, what }) => `only ${login} ${what}`),
      { sql: differences.map(({ remedy }) => remedy) },
    ),
    ...tell(
      connection.database,
      mappings.map(({ login, server }) => `only ${login} has a user mapping for server ${server}`),
      { remedy: `make one with the same options: ${mappings.map(({ remedy }) => remedy).join('; ')}` },
    ),
  ];
}

function tell(database: string, only: readonly string[], mend: Pick<Finding, 'remedy' | 'sql'>): Finding[] {
  if (only.length === 0) return [];
  const text = `In database ${database} ${only.join(', and ')}: consumers lose that when it goes out`;
  return [{ level: 'warn', about: 'grants', text, ...mend }];
}
