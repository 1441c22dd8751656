import type pg from 'pg';
import type { Provision } from '../ledger/provisions.ts';
import type { Connection } from '../policy/config.ts';
import type { Policy } from '../policy/policy.ts';

/** What it takes to look after the roles of one policy. */
export interface RolesContext {
  readonly policy: Policy;
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
