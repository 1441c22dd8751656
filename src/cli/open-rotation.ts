import type { App } from '../app.ts';
import { fault } from '../facts/fault.ts';
import { command } from '../facts/remedy.ts';
import type { Rotation } from '../ledger/rotation.ts';

/** The open rotation of a policy. Throws when there is none, or no such policy. */
export async function openRotation(app: App, name: string): Promise<Rotation> {
  const ledger = await app.ledger();
  const [rotation] = await ledger.open(app.policy(name).name);
  if (!rotation) throw fault('no-open-rotation', { policy: name }, { remedies: [command('history', name)] });
  return rotation;
}
