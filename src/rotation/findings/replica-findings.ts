import { fact } from '../../facts/fact.ts';
import { readServer } from '../../postgres/connection/rotator.ts';
import { systemIdentifier } from '../../postgres/connection/system-identifier.ts';
import type { OpenReplica } from '../../postgres/replicas/open-replica.ts';
import type { PolicyView } from '../context/policy-view.ts';
import { type Finding, finding } from './finding.ts';

/**
 * Whether a replica is one of this primary: else what is altered there would never reach it. Throws
 * when it cannot be asked.
 */
export async function replicaFindings(
  { connection, rotator }: Pick<PolicyView, 'connection' | 'rotator'>,
  replica: OpenReplica,
): Promise<Finding[]> {
  const which = { replica: replica.name, connection: connection.name };
  if (!(await replica.ask(readServer)).standby) {
    return [finding('fail', 'replica', fact('replica-not-standby', which))];
  }
  const expected = await systemIdentifier(await rotator());
  const found = await replica.ask(systemIdentifier);
  if (expected === undefined || found === undefined || expected === found) return [];
  const server = `${connection.host}:${connection.port}`;
  return [
    finding('fail', 'replica', fact('replica-of-another-server', { ...which, server, expected, found })),
  ];
}
