import type pg from 'pg';
import type { Clock } from '../../clock.ts';
import type { Connection } from '../../config/config.ts';
import type { Destination, LoginsPolicy, Policy } from '../../config/policy.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Rotation, StepName } from '../../ledger/rotation.ts';
import type { Session } from '../../postgres/connection/connect.ts';
import type { OpenReplica } from '../../postgres/replicas/open-replica.ts';
import type { LoginUse } from '../../postgres/sessions/sessions.ts';
import type { SecretStore, Stage, Version } from '../../secret-store/secret-store.ts';
import { NoWayForward } from '../no-way-forward.ts';
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
  readonly text: string;
}

/** All that the steps of one rotation need, for one run through them. */
export interface RotationContext<Its extends Policy = Policy> {
  readonly policy: Its;
  readonly connection: Connection;
  /** The first is the primary. */
  readonly destinations: readonly [OpenDestination, ...OpenDestination[]];
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Follows the ledger: replaced by whoever writes there. */
  rotation: Rotation;
  /** What this run found worth telling that no run before it had. */
  readonly warnings: Warning[];
  /** The rotator's session, opened at first use and kept for this run. */
  rotator(): Promise<pg.Client>;
  /** Opens another session on the primary, within what `maxSessions` allows. Dispose of it before the next. */
  beside(open: () => Promise<Session>): Promise<Session>;
  readonly replicas: readonly OpenReplica[];
  /** Who uses logins at this instant, on the primary and on every replica. Throws when any of them cannot be seen (G6). */
  uses(logins: readonly string[]): Promise<Map<string, LoginUse>>;
  /**
   * Who uses a login, as `uses` has it. That somebody does may have been seen up to `maxAge` milliseconds ago, by another rotation
   * too; that nobody does is always asked anew.
   */
  look(login: string, maxAge: number): Promise<LoginUse>;
  /** What a destination says, asked once per run and stage until `forget`. */
  read(destination: OpenDestination, stage: Stage): Promise<Version | undefined>;
  forget(): void;
}

/** What can be asked of the world while the ledger is away. */
export type RotationView<Its extends Policy = Policy> = Omit<RotationContext<Its>, 'ledger'>;

/** The same two for a policy of two logins. */
export type LoginsContext = RotationContext<LoginsPolicy>;
export type LoginsView = RotationView<LoginsPolicy>;

/** The token of the version that a rotation makes current: its own, or on its way back the one before. */
export function tokenOf({ rotation }: RotationView): string {
  return rotation.rolledBackTo ?? rotation.id;
}

/**
 * The logins that `check` resolved. They do not change while the rotation lasts, but change places on its way back.
 * Throws a Refusal unless they are the policy's two: the ledger says what to do next, never to whom.
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
    throw new NoWayForward(
      `The ledger says that rotation ${rotation.id} brings in ${incoming} for ${outgoing}, but policy ${policy.name} has the logins ${policy.logins.join(' and ')}, so nothing is altered; if the policy was edited, put its logins back until this rotation is done; else find out who writes to keyturn.rotation`,
    );
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
 * Whether a destination publishes this rotation in any of its secrets. Where they cannot change at one instant, a
 * promotion may have stopped between them, and `holds` does not tell that from one that never began.
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
 * The username and password that this rotation makes current: the store is the journal. From the primary, or where that
 * has lost them, from another destination. Throws a NoWayForward where none has them, and where they are of another login
 * than the one that comes in.
 */
export async function stagedCredential(context: RotationView): Promise<Credential> {
  const staged = (await findStaged(context)) ?? (await findStagedAnew(context));
  const { policy, rotation } = context;
  if (!staged) {
    throw new NoWayForward(
      `${context.destinations[0].name} has lost the version ${tokenOf(context)} that this rotation makes current; rotate again: keyturn rotate ${policy.name}`,
    );
  }
  if (policy.type === 'logins' && staged.username !== frozenLogins(context).incoming) {
    throw new NoWayForward(
      `Version ${tokenOf(context)} of ${context.destinations[0].name} is one of ${staged.username}, but rotation ${rotation.id} brings in ${frozenLogins(context).incoming}, so nothing is altered; find out who writes to keyturn.rotation or to the secret`,
    );
  }
  return staged;
}

/** What was read of one stage may be older than what was read of another: another worker may have promoted in between. */
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
