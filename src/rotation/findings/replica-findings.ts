import { readServer } from '../../postgres/connection/rotator.ts';
import { systemIdentifier } from '../../postgres/connection/system-identifier.ts';
import type { OpenReplica } from '../../postgres/replicas/open-replica.ts';
import type { RotationView } from '../context/rotation-context.ts';
import type { Finding } from './finding.ts';

/** Whether a replica is one of this primary: else what is altered there would never reach it. Throws when it cannot be asked. */
export async function replicaFindings(
  { connection, rotator }: Pick<RotationView, 'connection' | 'rotator'>,
  replica: OpenReplica,
): Promise<Finding[]> {
  const fail = (text: string): Finding => ({
    level: 'fail',
    about: 'replica',
    text: `The replica ${replica.name} ${text}`,
    remedy: `correct the replicas of connection ${connection.name}`,
  });
  if (!(await replica.ask(readServer)).standby) {
    return [
      fail('is no standby server: it replays nothing, so no login that is altered on the primary reaches it'),
    ];
  }
  const own = await systemIdentifier(await rotator());
  const its = await replica.ask(systemIdentifier);
  if (own === undefined || its === undefined || own === its) return [];
  return [
    fail(
      `is a standby of another server than ${connection.host}:${connection.port}: its system identifier is ${its}, not ${own}`,
    ),
  ];
}
