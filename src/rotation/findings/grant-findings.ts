import type { LoginsPolicy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import { sql } from '../../facts/remedy.ts';
import { pairDifferences } from '../../postgres/logins/pair-differences.ts';
import type { PolicyView } from '../context/policy-view.ts';
import { type Finding, finding } from './finding.ts';

/**
 * What consumers may do as one login and could not as the other. With an owner they act as that
 * role, and what the logins themselves were granted does not matter.
 */
export async function grantFindings({
  policy,
  connection,
  rotator,
}: PolicyView<LoginsPolicy>): Promise<Finding[]> {
  if (policy.owner !== undefined) return [];
  const client = await rotator();
  const pair = policy.logins;
  const { database } = connection;
  const { grants: differences, mappings } = await pairDifferences(client, pair);
  const findings: Finding[] = [];
  if (differences.length > 0) {
    const grants = differences.map(({ info }) => info);
    const remedy = sql(...differences.map(({ remedy: statement }) => statement));
    findings.push(finding('warn', 'grants', fact('grants-differ', { database, grants }, remedy)));
  }
  if (mappings.length > 0) {
    const single = mappings.map(({ info: { login, server }, remedy }) => ({
      login,
      server,
      statement: remedy,
    }));
    findings.push(finding('warn', 'grants', fact('user-mappings-differ', { database, mappings: single })));
  }
  return findings;
}
