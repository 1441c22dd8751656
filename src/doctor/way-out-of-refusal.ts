import type { WayOut } from '../facts/doctor/consumer-facts.ts';
import { command, type Remedy } from '../facts/remedy.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Rotation } from '../ledger/rotation.ts';
import type { PolicyView } from '../rotation/context/policy-view.ts';
import { mustAdopt } from '../rotation/outside-changes/outside-changes.ts';

/**
 * A way out, and the commands that go it: one after the other, or with `restore-or-rotate` and
 * `roll-back` either of them.
 */
export interface NamedWayOut {
  readonly wayOut: WayOut;
  readonly commands: readonly Remedy[];
}

/**
 * What gives consumers a login that works again, where PostgreSQL refuses what the primary
 * publishes.
 */
export async function wayOutOfRefusal(
  view: PolicyView,
  {
    ledger,
    open,
    mayRestore,
  }: {
    readonly ledger?: Ledger | undefined;
    readonly open?: Rotation | undefined;
    /** Whether the primary server refuses what the primary destination publishes. */
    readonly mayRestore: boolean;
  },
): Promise<NamedWayOut> {
  const { policy, destinations } = view;
  const rotate = (...options: string[]) => command('rotate', policy.name, ...options);
  if (policy.type === 'rotator') return { wayOut: 'rotate-rotator', commands: [rotate()] };
  const adopt = ledger !== undefined && (await mustAdopt(view, ledger));
  if (!open && mayRestore && ledger && !adopt) {
    return { wayOut: 'restore-or-rotate', commands: [command('restore', policy.name), rotate()] };
  }
  if (!open) return { wayOut: 'rotate', commands: [rotate(...(adopt ? ['--adopt'] : []))] };
  const current = await view.read(destinations[0], 'current');
  const emergency = rotate('--emergency');
  if (current?.token === open.id && !current.edited) {
    // The rotation itself puts right what it published, at the latest before it revokes the other
    // login.
    if (open.reason === 'emergency' || open.rolledBackBy !== null) {
      return { wayOut: 'end-drain', commands: [emergency] };
    }
    return { wayOut: 'roll-back', commands: [command('rollback', policy.name), emergency] };
  }
  if (!adopt) return { wayOut: 'wait', commands: [emergency] };
  const end = open.publishedAt === null ? command('cancel', policy.name) : emergency;
  return { wayOut: 'end-then-adopt', commands: [end, rotate('--adopt')] };
}
