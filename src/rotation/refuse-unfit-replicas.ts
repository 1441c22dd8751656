import { readServer } from '../postgres/rotator.ts';
import { systemIdentifier } from '../postgres/system-identifier.ts';
import { Refusal } from './refusal.ts';
import type { RotationContext } from './rotation-context.ts';

/** Throws a Refusal when a replica is none of this primary: what is altered here would never reach it. */
export async function refuseUnfitReplicas(context: RotationContext): Promise<void> {
  const { connection, replicas } = context;
  if (replicas.length === 0) return;
  const own = await systemIdentifier(await context.rotator());
  for (const replica of replicas) {
    const remedy = `correct the replicas of connection ${connection.name}`;
    if (!(await replica.ask(readServer)).standby) {
      throw new Refusal(
        `The replica ${replica.name} is no standby server: it replays nothing, so no login that is altered on the primary reaches it; ${remedy}`,
      );
    }
    const its = await replica.ask(systemIdentifier);
    if (own === undefined || its === undefined || own === its) continue;
    throw new Refusal(
      `The replica ${replica.name} is a standby of another server than ${connection.host}:${connection.port}: its system identifier is ${its}, not ${own}; ${remedy}`,
    );
  }
}
