import type pg from 'pg';
import type { Clock } from '../../clock.ts';
import type { Connection } from '../../config/config.ts';
import type { Destination, Policy } from '../../config/policy.ts';
import type { Session } from '../../postgres/connection/connect.ts';
import type { OpenReplica } from '../../postgres/replicas/open-replica.ts';
import type { LoginUse } from '../../postgres/sessions/sessions.ts';
import type { Survey } from '../../postgres/survey.ts';
import type { SecretStore, Stage, Version } from '../../secret-store/secret-store.ts';

/** A destination together with its open store. */
export interface OpenDestination extends Omit<Destination, 'store'> {
  readonly name: string;
  readonly store: SecretStore;
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
  /**
   * What the primary says of the policy's logins and their owner. Cached, like what is read of a
   * destination.
   */
  survey(): Promise<Survey>;
  /** What a destination has under a stage. Cached, unless it is to be read `anew`. */
  read(
    destination: OpenDestination,
    stage: Stage,
    options?: { readonly anew?: boolean },
  ): Promise<Version | undefined>;
}
