import type pg from 'pg';
import type { Clock } from '../../clock.ts';
import type { Connection } from '../../config/config.ts';
import type { Destination, LoginsPolicy, Policy } from '../../config/policy.ts';
import type { Fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Rotation, StepName } from '../../ledger/rotation.ts';
import type { Session } from '../../postgres/connection/connect.ts';
import type { OpenReplica } from '../../postgres/replicas/open-replica.ts';
import type { LoginUse } from '../../postgres/sessions/sessions.ts';
import type { SecretStore, Stage, Version } from '../../secret-store/secret-store.ts';
import { credentialIn } from './credential-in.ts';

/** A destination together with its open store. */
export interface OpenDestination extends Omit<Destination, 'store'> {
  readonly name: string;
  readonly store: SecretStore;
}

export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** What stops nothing and yet must be told. */
export interface Warning {
  readonly step: StepName;
  readonly fact: Fact;
}

/**
 * What can be seen of a policy, without a rotation and without the ledger. Nothing is written
 * through it.
 */
export interface PolicyView<Its extends Policy = Policy> {
  readonly policy: Its;
  readonly connection: Connection;
  /** The first is the primary. */
  readonly destinations: readonly [OpenDestination, ...OpenDestination[]];
  readonly clock: Clock;
  /** The rotator's session, opened at first use and kept for this run. */
  rotator(): Promise<pg.Client>;
  /**
   * Opens another session on the primary, within what `maxSessions` allows. Dispose of it before
   * the next.
   */
  beside(open: () => Promise<Session>): Promise<Session>;
  readonly replicas: readonly OpenReplica[];
  /**
   * Who uses logins at this instant, on the primary and on every replica. Throws when any of them
   * cannot be seen (G6).
   */
  uses(logins: readonly string[]): Promise<Map<string, LoginUse>>;
  /**
   * Who uses a login, as `uses` has it. A result that somebody uses it may be up to `maxAge`
   * milliseconds old, and come from another rotation; that nobody does is always asked anew.
   */
  look(login: string, maxAge: number): Promise<LoginUse>;
  /** What a destination has under a stage, cached until `forget`. */
  read(destination: OpenDestination, stage: Stage): Promise<Version | undefined>;
  /**
   * Empties the cache of `read`. Called by those who write to a store, take the lock or begin a
   * run.
   */
  forget(): void;
}

/** A policy as one of its rotations sees it, while the ledger may be away. */
export interface RotationView<Its extends Policy = Policy> extends PolicyView<Its> {
  /** Follows the ledger: replaced by whoever writes there. */
  rotation: Rotation;
  /** What this run found worth telling that no run before it had. */
  readonly warnings: Warning[];
}

/** All that the steps of one rotation need, for one run through them. */
export interface RotationContext<Its extends Policy = Policy> extends RotationView<Its> {
  readonly ledger: Ledger;
}

/** The same two for a policy of two logins. */
export type LoginsContext = RotationContext<LoginsPolicy>;
export type LoginsView = RotationView<LoginsPolicy>;

/**
 * The token of the version that a rotation makes current: its own, or on its way back the one
 * before.
 */
export function tokenOf({ rotation }: RotationView): string {
  return rotation.rolledBackTo ?? rotation.id;
}

/**
 * The logins that `check` resolved. They do not change while the rotation lasts, but change places
 * on its way back. Throws a fault unless they are the policy's two: the ledger says what to do
 * next, never to whom.
 */
export function frozenLogins({ policy, rotation }: Pick<RotationContext, 'policy' | 'rotation'>): {
  readonly incoming: string;
  readonly outgoing: string;
} {
  const { incoming, outgoing } = rotation;
  if (incoming === null || outgoing === null) {
    throw new Error(`Rotation ${rotation.id} has no logins yet, though a step after check runs`);
  }
  if (!areOfPolicy({ policy, rotation })) {
    throw fault('ledger-names-other-logins', {
      rotation: rotation.id,
      incoming,
      outgoing,
      policy: policy.name,
      logins: policy.logins,
    });
  }
  return rotation.rolledBackTo === null ? { incoming, outgoing } : { incoming: outgoing, outgoing: incoming };
}

/** The login that gets a new password, or on the way back the one that has its old one again. */
export function incomingLogin(context: RotationContext): string {
  if (context.policy.type === 'logins') return frozenLogins(context).incoming;
  // A rotator has one login, and no way back.
  return context.policy.logins[0];
}

/** Whether the ledger has a rotation bring in one of the policy's logins for the other. */
export function areOfPolicy({
  policy: { logins },
  rotation: { incoming, outgoing },
}: Pick<RotationContext, 'policy' | 'rotation'>): boolean {
  return incoming !== outgoing && [incoming, outgoing].every((login) => logins.some((own) => own === login));
}

/** The login that goes out; a rotator has none. */
export function otherLogin(context: RotationContext): string | undefined {
  return context.policy.type === 'logins' ? frozenLogins(context).outgoing : undefined;
}

/** Whether a destination has the whole version of this rotation under a stage. */
export async function holds(
  context: RotationContext,
  destination: OpenDestination,
  stage: Stage,
): Promise<boolean> {
  const version = await context.read(destination, stage);
  return (
    version?.token === tokenOf(context) &&
    Object.keys(destination.secrets).every((field) => field in version.fields)
  );
}

/**
 * Whether a destination publishes this rotation in any of its secrets. A promotion may have stopped
 * between two secrets; `holds` cannot distinguish that from one that never began.
 */
export async function holdsAny(context: RotationContext, destination: OpenDestination): Promise<boolean> {
  for (const [field, name] of Object.entries(destination.secrets)) {
    const part = await destination.store.read({ [field]: name }, 'current');
    if (part?.token === tokenOf(context)) return true;
  }
  return false;
}

/** Whether the primary publishes this rotation: from then on there is no way but forward. */
export function isPublished(context: RotationContext): Promise<boolean> {
  return holds(context, context.destinations[0], 'current');
}

/**
 * The username and password that this rotation makes current: the store is the journal. From the
 * primary, or where that has lost them, from another destination. Throws a fault (see
 * `src/facts/transient.ts`) if none has them, or if they belong to another login than the incoming
 * one.
 */
export async function stagedCredential(context: RotationView): Promise<Credential> {
  const staged = (await findStaged(context)) ?? (await findStagedAnew(context));
  const { policy, rotation } = context;
  if (!staged) {
    throw fault(
      'staged-version-lost',
      { destination: context.destinations[0].name, version: tokenOf(context) },
      { remedies: [command('rotate', policy.name)] },
    );
  }
  if (policy.type === 'logins' && staged.username !== frozenLogins(context).incoming) {
    throw fault('staged-version-of-another-login', {
      destination: context.destinations[0].name,
      version: tokenOf(context),
      login: staged.username,
      rotation: rotation.id,
      incoming: frozenLogins(context).incoming,
    });
  }
  return staged;
}

/**
 * What was read of one stage may be older than what was read of another: another worker may have
 * promoted in between.
 */
function findStagedAnew(context: RotationView): Promise<Credential | undefined> {
  context.forget();
  return findStaged(context);
}

/** The same, or undefined where no destination has it. */
export async function findStaged(context: RotationView): Promise<Credential | undefined> {
  for (const destination of context.destinations) {
    for (const stage of ['pending', 'current', 'previous'] as const) {
      const version = await context.read(destination, stage);
      const credential = version?.token === tokenOf(context) ? credentialIn(version.fields) : undefined;
      if (credential) return credential;
    }
  }
  return undefined;
}
