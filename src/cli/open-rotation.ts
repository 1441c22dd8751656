import type { App } from '../app.ts';
import type { Rotation } from '../ledger/rotation.ts';

/** The open rotation of a policy. Throws when there is none, or no such policy. */
export async function openRotation(app: App, name: string): Promise<Rotation> {
  const ledger = await app.ledger();
  const [rotation] = await ledger.open(app.policy(name).name);
  if (!rotation) throw new Error(`${name} has no open rotation; see: keyturn history ${name}`);
  return rotation;
}
