import type { Ledger } from '../ledger/ledger.ts';
import type { Rotation } from '../ledger/rotation.ts';
import type { RotationView } from '../rotation/context/rotation-context.ts';
import { mustAdopt } from '../rotation/outside-changes/outside-changes.ts';

/** What gives consumers a login that works again, where PostgreSQL refuses what the primary publishes. */
export async function wayOut(
  view: RotationView,
  { ledger, open }: { readonly ledger?: Ledger | undefined; readonly open?: Rotation | undefined },
): Promise<string> {
  const { policy, destinations } = view;
  const rotate = `keyturn rotate ${policy.name}`;
  if (policy.type === 'rotator') {
    return `give it another password, once nothing else is in the way: ${rotate}`;
  }
  const adopt = ledger !== undefined && (await mustAdopt({ ...view, ledger }));
  if (!open) {
    return `have the other login take over, once nothing else is in the way: ${rotate}${adopt ? ' --adopt' : ''}`;
  }
  const current = await view.read(destinations[0], 'current');
  if (current?.token === open.id && !current.edited) return wayOfPublished(policy.name, open);
  const rest = adopt ? `, and then take over what is published: ${rotate} --adopt` : '';
  const end = open.publishedAt === null ? `keyturn cancel ${policy.name}` : `${rotate} --emergency`;
  return adopt
    ? `end rotation ${open.id}, which is open: ${end}${rest}`
    : `rotation ${open.id} has the other login take over as soon as a worker brings it on; or at once: ${rotate} --emergency`;
}

/** The rotation itself puts right what it published, at the latest before it revokes the other login. */
function wayOfPublished(policy: string, { reason, rolledBackBy }: Rotation): string {
  const back =
    reason === 'emergency' || rolledBackBy !== null
      ? ''
      : `publish the other login again: keyturn rollback ${policy}; or `;
  return `${back}end the drain, before which its password is set again: keyturn rotate ${policy} --emergency`;
}
