import type pg from 'pg';
import type { Connection } from '../config/config.ts';
import type { LoginsPolicy } from '../config/policy.ts';
import type { Provision } from '../ledger/provisions.ts';

/** What is needed to create, repair or list the roles of one policy. */
export interface RolesContext {
  readonly policy: LoginsPolicy;
  readonly connection: Connection;
  /** The configuration as it was given, for commands that are to be run. */
  readonly configPath?: string | undefined;
  /** The rotator's session, in the policy's database. */
  readonly client: pg.Client;
  /** Roles on whose future tables privileges are granted, besides those that own tables already. */
  readonly creators: readonly string[];
  /** What was last done to the roles; undefined where nothing was. */
  readonly remembered: Provision | undefined;
  /** What was last chosen for each other policy of the database that has the same owner. */
  readonly sharing: readonly Provision[];
}

/** What the command line asks for. Left out: as it was chosen last. */
export interface RequestedAccess {
  readonly access?: string;
  readonly schemas?: readonly string[];
}
