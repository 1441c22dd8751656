import { hostname } from 'node:os';
import type { Policy } from '../../config/policy.ts';
import { restore } from './restore.ts';
import { type RestoreParts, withRestore } from './with-restore.ts';

/** Who restores, for the history, where nobody asked for it. */
const HEALER = 'heal';

/** Makes what a policy publishes work again, as `heal: restore` says. */
export async function healPublished(app: RestoreParts, policy: Policy): Promise<void> {
  const healer = { requestedBy: HEALER, requestedHost: hostname() };
  await withRestore(app, policy, (context) => restore(context, healer));
}
