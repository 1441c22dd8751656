import type pg from 'pg';
import type { Connection } from '../config/config.ts';
import type { LoginsPolicy } from '../config/policy.ts';
import type { Provision } from '../ledger/provisions.ts';

/** What it takes to look after the roles of one policy. */
export interface RolesContext {
  readonly policy: LoginsPolicy;
  readonly connection: Connection;
  /** The rotator's session, in the policy's database. */
  readonly client: pg.Client;
  /** Roles whose future tables count, besides those that own some already. */
  readonly creators: readonly string[];
  /** What was last done to them; undefined where that is nothing. */
  readonly remembered: Provision | undefined;
  /** What was last chosen for each other policy of the database that has the same owner. */
  readonly sharing: readonly Provision[];
}

/** What somebody asks for; left out: as it was chosen last. */
export interface Wish {
  readonly access?: string;
  readonly schemas?: readonly string[];
}
