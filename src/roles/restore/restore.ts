import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, factOf, fault } from '../../facts/fault.ts';
import type { Credential } from '../../formats/told-by.ts';
import { recorded } from '../../ledger/audit/recorded.ts';
import type { Requester } from '../../ledger/audit/requester.ts';
import { placeOf } from '../../postgres/connection/place-of.ts';
import { proveLogin } from '../../rotation/proof/prove-login.ts';
import { changedFact, makeAll, makeChange } from '../carry-out.ts';
import { underLock } from '../under-lock.ts';
import {
  letsIn,
  passwordChange,
  planRestore,
  type RestoreContext,
  type RestorePlan,
  refusalOf,
} from './plan-restore.ts';

/** How long a replica may take to replay the change, in milliseconds, and how often it is asked. */
const REPLAY_MS = 15_000;
const POLL_MS = 250;

export interface RestoreOptions extends Requester {
  /** The plan that was shown and agreed to. Left out: whatever the plan is now. */
  readonly agreed?: RestorePlan;
}

/**
 * Makes what the primary publishes log in again, under the policy's lock, and proves it on the
 * primary and on every replica. Throws a fault where it is refused all the same.
 */
export async function restore(
  context: RestoreContext,
  { agreed, ...requester }: RestoreOptions,
): Promise<RestorePlan> {
  const { policy, ledger } = context;
  const action = { policy: policy.name, kind: 'restore', ...requester } as const;
  const told = ({ changes, roles: { intent } }: RestorePlan) => changedFact({ changes, intent });
  return recorded({ ledger, action, told }, (begin) =>
    restoreAndProve(context, { agreed, begin, ...requester }),
  );
}

async function restoreAndProve(
  context: RestoreContext,
  {
    begin,
    ...options
  }: Requester & {
    readonly agreed: RestorePlan | undefined;
    readonly begin: () => Promise<void>;
  },
): Promise<RestorePlan> {
  const { client, policy, view } = context;
  const plan = await underLock(client, policy.logins, async () => {
    // The store is read again here: what is published may have changed since it was shown.
    const now = await planRestore(context);
    if (options.agreed && whatOf(options.agreed) !== whatOf(now)) {
      throw fault('roles-changed-since-shown', { policy: policy.name });
    }
    if (now.refused) {
      await begin();
      await makeChanges(context, now, options);
    }
    return now;
  });
  const { credential } = plan;
  const cause = await refusalOf(view, credential);
  if (cause) throw fault('restore-in-vain', { login: credential.username, cause });
  await awaitReplicas(context, credential);
  // Else it would be called broken until the next probe.
  await context.ledger.probes.record(policy.name);
  return plan;
}

async function makeChanges(
  context: RestoreContext,
  { credential, token, roles, rolesOptions }: RestorePlan,
  { requestedBy }: Requester,
): Promise<void> {
  const { policy, client, ledger } = context;
  const made = await makeAll(context, roles, {
    kind: 'restore',
    planOptions: rolesOptions,
    only: letsIn(context, { login: credential.username, makes: roles.makes }),
  });
  await makeChange(client, passwordChange(context, credential, token));
  const { intent, makes } = roles;
  await ledger.provisions.record({
    policy: policy.name,
    kind: 'restore',
    connection: policy.connection,
    logins: intent.logins,
    owner: intent.owner ?? null,
    access: intent.access,
    schemas: intent.schemas,
    made: makes.filter((role) => made.some(({ does }) => Object.values(does.params).includes(role))),
    dropped: [],
    deactivated: [],
    requestedBy,
  });
}

/** Throws where a replica does not let the login in within `REPLAY_MS`. */
async function awaitReplicas({ view }: RestoreContext, credential: Credential): Promise<void> {
  const deadline = performance.now() + REPLAY_MS;
  for (const { target } of view.replicas) {
    for (;;) {
      try {
        await using _session = await proveLogin(view, { credential, server: target });
        break;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        if (performance.now() > deadline) {
          const replica = placeOf(target);
          const cause = factOf(error);
          throw fault(
            'restore-replica-refuses',
            { login: credential.username, replica, cause },
            { cause: error },
          );
        }
        await sleep(POLL_MS);
      }
    }
  }
}

/** What a plan does, in short. A verifier is another one each time. */
function whatOf({ changes }: RestorePlan): string {
  return JSON.stringify(changes.map(({ does }) => does));
}
