import { pairOf } from '../../policy/pair-of.ts';
import { grantDifferences } from '../../postgres/grant-differences.ts';
import type { RotationView } from '../rotation-context.ts';
import type { Finding } from './finding.ts';

/**
 * What consumers may do as one login and could not as the other. With an owner they act as that role, and what the logins
 * themselves were granted does not matter.
 */
export async function grantFindings({ policy, connection, rotator }: RotationView): Promise<Finding[]> {
  if (policy.owner !== undefined || policy.type === 'rotator') return [];
  const differences = await grantDifferences(await rotator(), pairOf(policy));
  if (differences.length === 0) return [];
  return [
    {
      level: 'warn',
      about: 'grants',
      text: `In database ${connection.database} ${differences.map(({ login, what }) => `only ${login} was granted ${what}`).join(', and ')}: consumers lose that when it goes out`,
      sql: differences.map(({ remedy }) => remedy),
    },
  ];
}
